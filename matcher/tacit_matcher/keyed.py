"""The sketch's keyed function: AES-256 on one block for each bigram or word, all blocks of a record in one call.

A block cipher is a pseudorandom function as long as far fewer than 2^64 blocks go through one key (the switching lemma;
Bellare, Rogaway 2006), and here about fifty do. The blocks of a record need no mode of operation: nothing is decrypted,
and what equal blocks give is meant to be equal. The field uses HMAC (Schnell, Bachteler, Reiher 2009), which a record
would have to call fifty times.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK_BYTES = 16
_TEXT_BYTES = BLOCK_BYTES - 1  # an octet says what the rest of the block is
_HASHED = 0x80  # added to the label of a text too long for a block: then its digest stands there
_BLOCK = struct.Struct(f"B{_TEXT_BYTES}s")
_EACH_ALONE = modes.ECB()  # noqa: S305 - see above


def block(label: int, text: str) -> bytes:
    """Return the block of a text without zero octets; ``label`` is below 128 and separates kinds of text."""
    octets = text.encode()
    if len(octets) > _TEXT_BYTES:
        return _BLOCK.pack(label | _HASHED, sha256(octets).digest())  # cut to 15 octets
    return _BLOCK.pack(label, octets)  # filled with zeros


def bigram_blocks(label: int, text: bytes) -> bytes:
    """Return a block for each two neighbouring octets of a text: what :func:`block` gives for them, faster."""
    count = max(0, len(text) - 1)
    blocks = bytearray(BLOCK_BYTES * count)
    blocks[0::BLOCK_BYTES] = bytes([label]) * count
    blocks[1::BLOCK_BYTES] = text[:-1]
    blocks[2::BLOCK_BYTES] = text[1:]
    return bytes(blocks)


def values(key: bytes, blocks: bytes) -> bytes:
    """Return the keyed value of each block, 16 bytes each; ``key`` has 32 bytes."""
    return Cipher(algorithms.AES256(key), _EACH_ALONE).encryptor().update(blocks)


def numbers(packed: bytes, count: int, bits: int) -> tuple[int, ...]:
    """Return of each value the first ``count`` numbers of sixteen bits, big-endian, and of these the low ``bits``."""
    layout, mask = _row(len(packed) // BLOCK_BYTES, count, bits)
    return layout.unpack((int.from_bytes(packed, "big") & mask).to_bytes(len(packed), "big"))


@lru_cache(maxsize=1024)
def _row(values: int, count: int, bits: int) -> tuple[struct.Struct, int]:
    """Return the layout of so many values, and a number with the wanted bits of all sixteen-bit numbers set."""
    layout = struct.Struct(">" + f"{count}H{BLOCK_BYTES - 2 * count}x" * values)
    return layout, int.from_bytes((2**bits - 1).to_bytes(2, "big") * (BLOCK_BYTES // 2 * values), "big")
