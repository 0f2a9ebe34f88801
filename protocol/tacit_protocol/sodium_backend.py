"""The base back end: libsodium's ristretto255, from the `rbcl` wheel, one call per element over packed buffers.

libsodium accepts more than RFC 9496 does, so this wrapper is strict (each was reproduced): encodings with bit 255
set pass its decoder, the identity passes, `add` ignores errors, non-canonical scalars pass.
"""

from __future__ import annotations

import ctypes
import hashlib
import struct
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar, cast

from rbcl._sodium import _sodium as _lib

from tacit_protocol import scalars as scalar_field
from tacit_protocol.errors import EncodingError
from tacit_protocol.group import ELEMENT_BYTES, SCALAR_BYTES, UNIFORM_BYTES, Elements

_PARALLEL_FROM = 256  # below this many elements a thread costs more than it saves
_Span = tuple[int, int]
_T = TypeVar("_T")


class PackedElements:
    """Validated elements kept as their canonical encodings."""

    __slots__ = ("_packed",)

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    def __len__(self) -> int:
        return len(self._packed) // ELEMENT_BYTES

    def encode(self) -> bytes:
        """Return the canonical encodings, packed."""
        return self._packed


class SodiumBackend:
    """Implements :class:`tacit_protocol.group.Backend`; ctypes releases the GIL, so ``threads`` really run."""

    name = "libsodium"

    def __init__(self, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(threads, "tacit-group") if threads > 1 else None
        self._threads = threads

    def decode(self, packed: bytes) -> Elements:
        """See :meth:`Backend.decode`."""
        if len(packed) % ELEMENT_BYTES:
            raise EncodingError(f"{len(packed)} bytes are not a whole number of {ELEMENT_BYTES}-byte elements")
        buffer, at = _address(packed)

        def work(span: _Span) -> None:
            for i in range(*span):
                offset = ELEMENT_BYTES * i
                # Bit 255 set passes libsodium's decoder: the same point would have two encodings.
                if packed[offset + 31] & 0x80 or not _lib.crypto_core_ristretto255_is_valid_point(
                    ctypes.c_void_p(at + offset)
                ):
                    raise EncodingError(f"element {i} is not a canonical ristretto255 encoding", position=i)
                # The identity would make every evaluation of it known without the key.
                if not any(packed[offset : offset + ELEMENT_BYTES]):
                    raise EncodingError(f"element {i} is the identity", position=i)

        self._run(len(packed) // ELEMENT_BYTES, work)
        del buffer
        return PackedElements(bytes(packed))

    def hash_to_group(self, inputs: Sequence[bytes], dst: bytes) -> Elements:
        """See :meth:`Backend.hash_to_group`."""
        uniform = b"".join(expand_message_xmd(message, dst) for message in inputs)
        elements = self._map(
            len(inputs),
            lambda out, i, at: _lib.crypto_core_ristretto255_from_hash(out, ctypes.c_void_p(at + UNIFORM_BYTES * i)),
            uniform,
        )
        return PackedElements(elements)

    def hash_to_scalar(self, messages: Sequence[bytes], dst: bytes) -> bytes:
        """See :meth:`Backend.hash_to_scalar`."""
        return self.reduce_scalars(b"".join(expand_message_xmd(message, dst) for message in messages))

    def reduce_scalars(self, uniform: bytes) -> bytes:
        """See :meth:`Backend.reduce_scalars`."""
        if len(uniform) % UNIFORM_BYTES:
            raise ValueError(f"uniform strings have {UNIFORM_BYTES} bytes each")
        reduce = _lib.crypto_core_ristretto255_scalar_reduce
        return self._map(
            len(uniform) // UNIFORM_BYTES,
            lambda out, i, at: reduce(out, ctypes.c_void_p(at + UNIFORM_BYTES * i)),
            uniform,
        )

    def multiply(self, scalar: bytes, elements: Elements) -> Elements:
        """See :meth:`Backend.multiply`."""
        scalar_field.check(scalar, "multiply")
        mult = _lib.crypto_scalarmult_ristretto255
        return PackedElements(
            self._map(
                len(elements),
                lambda out, i, at: mult(out, scalar, ctypes.c_void_p(at + ELEMENT_BYTES * i)),
                elements.encode(),
            )
        )

    def multiply_each(self, scalars: bytes, elements: Elements) -> Elements:
        """See :meth:`Backend.multiply_each`."""
        _check_count(scalars, len(elements))
        mult = _lib.crypto_scalarmult_ristretto255
        # A zero scalar or product makes libsodium return -1 and leave 32 zero bytes: the identity's encoding.
        return PackedElements(
            self._map(
                len(elements),
                lambda out, i, at, scalar_at: mult(
                    out,
                    ctypes.c_void_p(scalar_at + SCALAR_BYTES * i),
                    ctypes.c_void_p(at + ELEMENT_BYTES * i),
                ),
                elements.encode(),
                scalars,
            )
        )

    def multiply_base(self, scalars: bytes) -> Elements:
        """See :meth:`Backend.multiply_base`."""
        mult = _lib.crypto_scalarmult_ristretto255_base
        return PackedElements(
            self._map(
                len(scalars) // SCALAR_BYTES,
                lambda out, i, at: mult(out, ctypes.c_void_p(at + SCALAR_BYTES * i)),
                scalars,
            )
        )

    def add(self, left: Elements, right: Elements) -> Elements:
        """See :meth:`Backend.add`."""
        if len(left) != len(right):
            raise ValueError("batches of different lengths cannot be added")
        add = _lib.crypto_core_ristretto255_add
        return PackedElements(
            self._map(
                len(left),
                lambda out, i, at, right_at: add(
                    out,
                    ctypes.c_void_p(at + ELEMENT_BYTES * i),
                    ctypes.c_void_p(right_at + ELEMENT_BYTES * i),
                ),
                left.encode(),
                right.encode(),
            )
        )

    def composites(self, seed: bytes, batches: Sequence[Elements]) -> Elements:
        """See :meth:`Backend.composites`."""
        weights = b"".join(weight + bytes(16) for weight in _weights(seed, len(batches[0])))
        return PackedElements(b"".join(self.weighted_sum(weights, batch).encode() for batch in batches))

    def weighted_sum(self, scalars: bytes, elements: Elements) -> Elements:
        """See :meth:`Backend.weighted_sum`."""
        _check_count(scalars, len(elements))
        packed = elements.encode()

        def work(span: _Span) -> bytes:
            total, product = (
                ctypes.create_string_buffer(ELEMENT_BYTES),
                ctypes.create_string_buffer(ELEMENT_BYTES),
            )
            source, at = _address(packed)
            weights, weights_at = _address(scalars)
            for i in range(*span):
                ctypes.memset(product, 0, ELEMENT_BYTES)
                _lib.crypto_scalarmult_ristretto255(
                    product,
                    ctypes.c_void_p(weights_at + SCALAR_BYTES * i),
                    ctypes.c_void_p(at + ELEMENT_BYTES * i),
                )
                _lib.crypto_core_ristretto255_add(total, total, product)
            del source, weights
            return total.raw

        parts = self._run(len(elements), work)
        total = PackedElements(bytes(ELEMENT_BYTES))
        for part in parts:
            total = cast(PackedElements, self.add(total, PackedElements(part)))
        return total

    def unblind(self, coefficients: bytes, evaluated: Sequence[Elements], blinds: bytes) -> Elements:
        """See :meth:`Backend.unblind`."""
        inverses = _invert_each(blinds)
        total: Elements | None = None
        for position, batch in enumerate(evaluated):
            coefficient = coefficients[SCALAR_BYTES * position :][:SCALAR_BYTES]
            factors = b"".join(scalar_field.multiply(coefficient, inverse) for inverse in inverses)
            share = self.multiply_each(factors, batch)
            total = share if total is None else self.add(total, share)
        if total is None:
            raise ValueError("no evaluated batch to unblind")
        return total

    def finalise(self, inputs: Sequence[bytes], unblinded: Elements) -> bytes:
        """See :meth:`Backend.finalise`."""
        packed = unblinded.encode()
        if len(inputs) != len(unblinded):
            raise ValueError("inputs and unblinded elements differ in number")
        return b"".join(
            hashlib.sha512(
                len(message).to_bytes(2, "big")
                + message
                + b"\x00\x20"
                + packed[ELEMENT_BYTES * i : ELEMENT_BYTES * (i + 1)]
                + b"Finalize"
            ).digest()
            for i, message in enumerate(inputs)
        )

    def _run(self, count: int, work: Callable[[_Span], _T]) -> list[_T]:
        if self._pool is None or count < _PARALLEL_FROM:
            return [work((0, count))]
        bounds = [count * part // self._threads for part in range(self._threads + 1)]
        return list(self._pool.map(work, pairwise(bounds)))

    def _map(self, count: int, step: Callable[..., int], *sources: bytes) -> bytes:
        """Run ``step(out_address, i, *source_addresses)`` for each i into one packed output."""
        out = ctypes.create_string_buffer(ELEMENT_BYTES * count)
        out_at = ctypes.addressof(out)
        held = [_address(source) for source in sources]
        addresses = [at for _, at in held]

        def work(span: _Span) -> None:
            for i in range(*span):
                step(ctypes.c_void_p(out_at + ELEMENT_BYTES * i), i, *addresses)

        self._run(count, work)
        del held
        return out.raw


def expand_message_xmd(message: bytes, dst: bytes) -> bytes:
    """expand_message_xmd of RFC 9380 section 5.3.1 with SHA-512, to 64 bytes."""
    if len(dst) > 255:
        raise ValueError("a domain separation tag has at most 255 bytes")
    dst_prime = dst + bytes([len(dst)])
    b_0 = hashlib.sha512(bytes(128) + message + b"\x00\x40\x00" + dst_prime).digest()
    return hashlib.sha512(b_0 + b"\x01" + dst_prime).digest()


def _weights(seed: bytes, count: int) -> Iterator[bytes]:
    for i in range(count):
        if i % 4 == 0:
            block = hashlib.sha512(seed + struct.pack(">I", i // 4)).digest()
        yield block[16 * (i % 4) : 16 * (i % 4) + 16]


def _invert_each(blinds: bytes) -> list[bytes]:
    """Invert all blinds at the price of one inversion and three multiplications each (Montgomery's trick)."""
    each = [blinds[i : i + SCALAR_BYTES] for i in range(0, len(blinds), SCALAR_BYTES)]
    running = scalar_field.from_int(1)
    prefixes = []
    for blind in each:
        prefixes.append(running)
        running = scalar_field.multiply(running, scalar_field.check(blind, "blind"))
    inverse = scalar_field.invert(running)
    inverses = []
    for blind, prefix in zip(reversed(each), reversed(prefixes), strict=True):
        inverses.append(scalar_field.multiply(inverse, prefix))
        inverse = scalar_field.multiply(inverse, blind)
    return inverses[::-1]


def _check_count(scalars: bytes, count: int) -> None:
    if len(scalars) != SCALAR_BYTES * count:
        raise ValueError(f"{count} elements need {SCALAR_BYTES * count} bytes of scalars, got {len(scalars)}")


def _address(data: bytes) -> tuple[ctypes.c_char_p, int]:
    """Return an owner of the buffer and its address: the caller holds the owner while it uses the address."""
    holder = ctypes.c_char_p(data)
    return holder, cast(int, ctypes.cast(holder, ctypes.c_void_p).value)
