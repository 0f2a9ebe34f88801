"""The base back end: libsodium's ristretto255, from the `rbcl` wheel, one call per element over packed buffers.

libsodium accepts more than RFC 9496 does, so this wrapper is strict (each was reproduced): encodings with bit 255
set pass its decoder, the identity passes, `add` ignores errors, non-canonical scalars pass.
"""

from __future__ import annotations

import ctypes
import hashlib
import struct
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from itertools import pairwise, repeat
from typing import TypeVar

from tacit_protocol import hpke, index_file, montgomery, sealed_index, sodium
from tacit_protocol import scalars as scalar_field
from tacit_protocol.errors import EncodingError
from tacit_protocol.group import ELEMENT_BYTES, ORDER, OUTPUT_BYTES, SCALAR_BYTES, UNIFORM_BYTES, Elements

_PARALLEL_FROM = 256  # below this many elements a thread costs more than it saves
_IDENTITY = bytes(ELEMENT_BYTES)
_MULTIPLICATION = 3  # what a multiplication costs in additions (41 us against 14 us)
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
        packed = bytes(packed)
        if len(packed) % ELEMENT_BYTES:
            raise EncodingError(f"{len(packed)} bytes are not a whole number of {ELEMENT_BYTES}-byte elements")
        held, at = sodium.address(packed)

        def work(span: _Span) -> None:
            for i, valid in enumerate(map(sodium.is_valid_point, _addresses(at, ELEMENT_BYTES, span)), span[0]):
                encoding = packed[ELEMENT_BYTES * i : ELEMENT_BYTES * (i + 1)]
                # Bit 255 set passes libsodium's decoder: the same point would have two encodings.
                if not valid or encoding[-1] & 0x80:
                    raise EncodingError(f"element {i} is not a canonical ristretto255 encoding", position=i)
                # The identity would make every evaluation of it known without the key.
                if encoding == _IDENTITY:
                    raise EncodingError(f"element {i} is the identity", position=i)

        self._run(len(packed) // ELEMENT_BYTES, work)
        del held
        return PackedElements(packed)

    def hash_to_group(self, inputs: Sequence[bytes], dst: bytes) -> Elements:
        """See :meth:`Backend.hash_to_group`."""
        uniform = b"".join(expand_message_xmd(message, dst) for message in inputs)
        return PackedElements(self._map(sodium.point_from_hash, len(inputs), (uniform, UNIFORM_BYTES)))

    def hash_to_scalar(self, messages: Sequence[bytes], dst: bytes) -> bytes:
        """See :meth:`Backend.hash_to_scalar`."""
        return self.reduce_scalars(b"".join(expand_message_xmd(message, dst) for message in messages))

    def reduce_scalars(self, uniform: bytes) -> bytes:
        """See :meth:`Backend.reduce_scalars`."""
        if len(uniform) % UNIFORM_BYTES:
            raise ValueError(f"uniform strings have {UNIFORM_BYTES} bytes each")
        return self._map(sodium.scalar_reduce, len(uniform) // UNIFORM_BYTES, (uniform, UNIFORM_BYTES))

    def multiply(self, scalar: bytes, elements: Elements) -> Elements:
        """See :meth:`Backend.multiply`."""
        scalar_field.check(scalar, "multiply")
        packed = elements.encode()
        return PackedElements(self._map(sodium.point_multiply, len(elements), (scalar, 0), (packed, ELEMENT_BYTES)))

    def multiply_each(self, scalars: bytes, elements: Elements) -> Elements:
        """See :meth:`Backend.multiply_each`."""
        _check_scalars(scalars, len(elements))
        # A zero scalar or product makes libsodium return -1 and leave 32 zero bytes: the identity's encoding.
        sources = ((scalars, SCALAR_BYTES), (elements.encode(), ELEMENT_BYTES))
        return PackedElements(self._map(sodium.point_multiply, len(elements), *sources))

    def multiply_base(self, scalars: bytes) -> Elements:
        """See :meth:`Backend.multiply_base`."""
        count = len(scalars) // SCALAR_BYTES
        _check_scalars(scalars, count)
        return PackedElements(self._map(sodium.point_multiply_base, count, (scalars, SCALAR_BYTES)))

    def add(self, left: Elements, right: Elements) -> Elements:
        """See :meth:`Backend.add`."""
        return self._pairwise(sodium.point_add, left, right)

    def composites(self, seed: bytes, batches: Sequence[Elements]) -> Elements:
        """See :meth:`Backend.composites`."""
        if not batches:
            raise ValueError("no batches to sum")
        weights = b"".join(weight + bytes(16) for weight in _weights(seed, len(batches[0])))
        return PackedElements(b"".join(self.weighted_sum(weights, batch).encode() for batch in batches))

    def weighted_sum(self, scalars: bytes, elements: Elements) -> Elements:
        """See :meth:`Backend.weighted_sum`."""
        products = self.multiply_each(scalars, elements).encode()
        held, at = sodium.address(products)

        def work(span: _Span) -> bytes:
            total = ctypes.create_string_buffer(ELEMENT_BYTES)
            into = ctypes.addressof(total)
            _exhaust(map(sodium.point_add, repeat(into), repeat(into), _addresses(at, ELEMENT_BYTES, span)))
            return total.raw

        parts = self._run(len(elements), work)
        del held
        total: Elements = PackedElements(_IDENTITY)
        for part in parts:
            total = self.add(total, PackedElements(part))
        return total

    def unblind(self, coefficients: bytes, evaluated: Sequence[Elements], blinds: bytes) -> Elements:
        """See :meth:`Backend.unblind`."""
        if not evaluated:
            raise ValueError("no evaluated batch to unblind")
        _check_scalars(coefficients, len(evaluated))
        _check_scalars(blinds, len(evaluated[0]))
        if any(len(batch) != len(evaluated[0]) for batch in evaluated):
            raise ValueError("evaluated batches of different lengths cannot be combined")
        inverses = scalar_field.invert_each(blinds)
        signed = [_signed(coefficients[i : i + SCALAR_BYTES]) for i in range(0, len(coefficients), SCALAR_BYTES)]
        # Lagrange coefficients of small trustee indices are small integers: a few additions and one multiplication by
        # the inverse of the blind cost less than a multiplication for each trustee.
        if _additions(signed) <= (_MULTIPLICATION + 1) * (len(signed) - 1):
            return self.multiply_each(inverses, self._small_sum(signed, evaluated))
        shares = [
            self.multiply_each(scalar_field.scale(scalar_field.from_int(coefficient), inverses), batch)
            for coefficient, batch in zip(signed, evaluated, strict=True)
        ]
        return reduce(self.add, shares)

    def _small_sum(self, coefficients: Sequence[int], batches: Sequence[Elements]) -> Elements:
        """Return sum_j c_j E_j by doubling and adding over the bits of all (public) coefficients together."""
        total: Elements | None = None
        terms = sorted(zip(coefficients, batches, strict=True), key=lambda term: term[0] < 0)
        for bit in reversed(range(max(abs(coefficient).bit_length() for coefficient in coefficients))):
            if total is not None:
                total = self.add(total, total)
            for coefficient, batch in terms:
                if not abs(coefficient) >> bit & 1:
                    continue
                if coefficient < 0:
                    minuend = _identities(len(batch)) if total is None else total
                    total = self._pairwise(sodium.point_sub, minuend, batch)
                else:
                    total = batch if total is None else self.add(total, batch)
        return _identities(len(batches[0])) if total is None else total

    def finalise(self, inputs: Sequence[bytes], unblinded: Elements) -> bytes:
        """See :meth:`Backend.finalise`."""
        packed = unblinded.encode()
        if len(inputs) != len(unblinded):
            raise ValueError("inputs and unblinded elements differ in number")
        if max(map(len, inputs), default=0) >= 2**16:
            raise ValueError("an input has at most 65,535 bytes")
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

    def entry_keys(self, context: bytes, outputs: bytes) -> bytes:
        """See :meth:`Backend.entry_keys`."""
        if len(outputs) % OUTPUT_BYTES:
            raise ValueError(f"outputs have {OUTPUT_BYTES} bytes each")
        keys = [outputs[i : i + OUTPUT_BYTES] for i in range(0, len(outputs), OUTPUT_BYTES)]
        size = sealed_index.ENTRY_KEY_BYTES
        return b"".join([hashlib.blake2b(context, key=key, digest_size=size).digest() for key in keys])

    def seal_records(
        self, context: bytes, record_keys: bytes, payloads: bytes, counts: bytes, entry_keys: bytes, random: bytes
    ) -> bytes:
        """See :meth:`Backend.seal_records`."""
        return sealed_index.seal_records(context, record_keys, payloads, counts, entry_keys, random)

    def seal_each(self, public_key: bytes, info: bytes, plaintexts: bytes, size: int, random: bytes) -> bytes:
        """See :meth:`Backend.seal_each`."""
        if len(random) % hpke.EPHEMERAL_BYTES or len(plaintexts) * hpke.EPHEMERAL_BYTES != size * len(random):
            raise ValueError(f"every plaintext has {size} bytes and takes {hpke.EPHEMERAL_BYTES} random ones")
        hpke.verify_key(public_key)  # with one of low order libsodium would return -1
        count = len(random) // hpke.EPHEMERAL_BYTES
        secrets = self._map(sodium.x25519, count, (random, SCALAR_BYTES), (public_key, 0))
        # Both clamp. A key of zeros makes it return -1 and write the point all the same.
        points = self._map(sodium.edwards_multiply_base, count, (random, SCALAR_BYTES))
        exchanged = [secrets[i : i + SCALAR_BYTES] for i in range(0, len(secrets), SCALAR_BYTES)]
        texts = [plaintexts[size * i : size * (i + 1)] for i in range(count)]
        sealed = hpke.seal_each(public_key, info, texts, zip(montgomery.public_keys(points), exchanged, strict=True))
        return b"".join(sealed)

    def is_sorted(self, rows: bytes, width: int) -> bool:
        """See :meth:`Backend.is_sorted`."""
        return index_file.is_sorted(rows, width)

    def _pairwise(self, function: Callable[..., int], left: Elements, right: Elements) -> Elements:
        if len(left) != len(right):
            raise ValueError("batches of different lengths cannot be added")
        sources = ((left.encode(), ELEMENT_BYTES), (right.encode(), ELEMENT_BYTES))
        return PackedElements(self._map(function, len(left), *sources))

    def _run(self, count: int, work: Callable[[_Span], _T]) -> list[_T]:
        if self._pool is None or count < _PARALLEL_FROM:
            return [work((0, count))]
        bounds = [count * part // self._threads for part in range(self._threads + 1)]
        return list(self._pool.map(work, pairwise(bounds)))

    def _map(self, function: Callable[..., object], count: int, *sources: tuple[bytes, int]) -> bytes:
        """Call ``function(out, *ins)`` on addresses for each of ``count`` outputs of 32 bytes, packed.

        A source is a buffer and its stride in bytes; with stride 0 every call gets the same input.
        """
        out = ctypes.create_string_buffer(ELEMENT_BYTES * count)
        out_at = ctypes.addressof(out)
        held = [(sodium.address(data), stride) for data, stride in sources]

        def work(span: _Span) -> None:
            columns = [_addresses(at, stride, span) for (_, at), stride in held]
            _exhaust(map(function, _addresses(out_at, ELEMENT_BYTES, span), *columns))

        self._run(count, work)
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


def _signed(coefficient: bytes) -> int:
    """Return the representative of least absolute value of a *public* scalar."""
    value = int.from_bytes(coefficient, "little") % ORDER
    return value if value <= ORDER // 2 else value - ORDER


def _additions(coefficients: Sequence[int]) -> int:
    """Return how many additions and doublings :meth:`SodiumBackend._small_sum` takes."""
    doublings = max(abs(coefficient).bit_length() for coefficient in coefficients) - 1
    return doublings + sum(abs(coefficient).bit_count() for coefficient in coefficients) - 1


def _identities(count: int) -> Elements:
    return PackedElements(_IDENTITY * count)


def _check_scalars(scalars: bytes, count: int) -> None:
    if len(scalars) != SCALAR_BYTES * count:
        raise ValueError(f"{count} elements need {SCALAR_BYTES * count} bytes of scalars, got {len(scalars)}")
    # A last byte below 0x10 is below the order; a secret scalar has another one with probability 2^-127, so that the
    # look at the rest tells nothing of honest ones. All at once: the greatest of them would be looked for one by one.
    if not int.from_bytes(scalars[SCALAR_BYTES - 1 :: SCALAR_BYTES], "little") & int.from_bytes(b"\xf0" * count, "big"):
        return
    for i in range(count):
        if int.from_bytes(scalars[SCALAR_BYTES * i : SCALAR_BYTES * (i + 1)], "little") >= ORDER:
            raise EncodingError(f"scalar {i} is not canonical", position=i)


def _addresses(at: int, stride: int, span: _Span) -> Iterable[int]:
    start, end = span
    return range(at + stride * start, at + stride * end, stride) if stride else repeat(at, end - start)


def _exhaust(calls: Iterable[object]) -> None:
    deque(calls, maxlen=0)
