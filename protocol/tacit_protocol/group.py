"""ristretto255 (RFC 9496) over packed batches: the only module that touches a library of that group.

What else a contribution or a check does to every record travels the same way: entry keys, sealing, the table's order.

Scalars and elements travel as packed 32-byte strings; a batch of n is one ``bytes`` of 32 n. Foreign bytes become an
:class:`Elements` value in one place only, :meth:`Backend.decode`, so holding an ``Elements`` is the evidence that every
point in it was canonical and not the identity when it came in. No other function here takes undecoded points.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

ELEMENT_BYTES = 32
SCALAR_BYTES = 32
UNIFORM_BYTES = 64  # what HashToScalar and HashToGroup reduce from (RFC 9497, section 4.1)
OUTPUT_BYTES = 64  # of Finalize, with SHA-512 (RFC 9497, section 4.1)
ORDER = 2**252 + 27742317777372353535851937790883648493  # the group order, RFC 9496 section 4


class Elements(Protocol):
    """A batch of valid group elements, in the representation its back end prefers."""

    def __len__(self) -> int:
        """Return the number of elements."""
        ...

    def encode(self) -> bytes:
        """Return the canonical encodings, 32 bytes each, packed."""
        ...


class Backend(Protocol):
    """Batch operations on ristretto255; two implementations agree byte for byte.

    Operations that take a secret scalar run in constant time with respect to it; the two that do not
    (:meth:`composites` and :meth:`weighted_sum`) must be given public data only. Every operation that takes packed
    scalars raises :class:`~tacit_protocol.errors.EncodingError` with the position of the first one that is not below
    the order, and ValueError when the lengths do not fit.
    """

    name: str

    def decode(self, packed: bytes) -> Elements:
        """Decode foreign bytes: reject lengths not a multiple of 32, non-canonical encodings and the identity.

        Raises :class:`~tacit_protocol.errors.EncodingError` that gives the position of the first bad element.
        """
        ...

    def hash_to_group(self, inputs: Sequence[bytes], dst: bytes) -> Elements:
        """HashToGroup of RFC 9497 section 4.1: expand_message_xmd with SHA-512, then the one-way map."""
        ...

    def hash_to_scalar(self, messages: Sequence[bytes], dst: bytes) -> bytes:
        """HashToScalar of RFC 9497 section 4.1; returns packed scalars."""
        ...

    def reduce_scalars(self, uniform: bytes) -> bytes:
        """Reduce n x 64 uniform bytes to n packed scalars modulo the order."""
        ...

    def multiply(self, scalar: bytes, elements: Elements) -> Elements:
        """Multiply every element by one secret scalar."""
        ...

    def multiply_each(self, scalars: bytes, elements: Elements) -> Elements:
        """Multiply element i by secret scalar i."""
        ...

    def multiply_base(self, scalars: bytes) -> Elements:
        """Multiply the generator by each secret scalar."""
        ...

    def add(self, left: Elements, right: Elements) -> Elements:
        """Add two batches of equal length element by element; the identity may result."""
        ...

    def composites(self, seed: bytes, batches: Sequence[Elements]) -> Elements:
        """Return sum_i d_i E_i for each batch of equal length n, with the 128-bit weights d_i drawn from ``seed``.

        d_i is the little-endian integer in bytes 16 (i mod 4) to 16 (i mod 4) + 15 of
        SHA-512(seed || I2OSP(i div 4, 4)). Public data only: may run in variable time.
        """
        ...

    def weighted_sum(self, scalars: bytes, elements: Elements) -> Elements:
        """Return the single element sum_i s_i E_i. Public data only: may run in variable time."""
        ...

    def unblind(self, coefficients: bytes, evaluated: Sequence[Elements], blinds: bytes) -> Elements:
        """Return r_i^-1 * sum_j c_j D_ji for t packed public coefficients, t batches and n secret, non-zero blinds.

        Raises :class:`~tacit_protocol.errors.EncodingError` when a blind is zero; which one is secret.
        """
        ...

    def finalise(self, inputs: Sequence[bytes], unblinded: Elements) -> bytes:
        """Finalize of RFC 9497 section 3.3.1: n packed 64-byte outputs. An input has at most 65,535 bytes."""
        ...

    def entry_keys(self, context: bytes, outputs: bytes) -> bytes:
        """Return 12-byte tag and 32-byte wrap key, packed, for each of n packed 64-byte outputs (SPEC step S1).

        Keyed BLAKE2b (RFC 7693): the output is the key and ``context`` the message.
        :func:`tacit_protocol.sealed_index.entry_key` says the same for one output.
        """
        ...

    def seal_records(
        self, context: bytes, record_keys: bytes, payloads: bytes, counts: bytes, entry_keys: bytes, random: bytes
    ) -> bytes:
        """Seal n records under their 32-byte keys: n packed sealed records of 1,000 bytes (SPEC steps S2 and S3).

        ``context`` is the associated data before the commitment; payloads have 224 bytes each; ``counts`` holds in one
        byte for each record how many of the packed ``entry_keys`` (44 bytes, as :meth:`entry_keys` gives them) are
        its own, 1 to 14. ``random`` is 8 bytes for each of its entry keys and 52 for each entry that it lacks.
        :func:`tacit_protocol.sealed_index.seal_record` says the same for one record. Raises ValueError when anything
        does not fit.
        """
        ...

    def seal_each(self, public_key: bytes, info: bytes, plaintexts: bytes, size: int, random: bytes) -> bytes:
        """Seal n packed plaintexts of ``size`` bytes to one recipient by HPKE (RFC 9180): n (enc || ct), packed.

        ``random`` is 32 bytes for each, the ephemeral private keys: they must serve nothing else.
        Raises :class:`~tacit_protocol.errors.EncodingError` when no secret can be agreed with ``public_key``.
        """
        ...

    def is_sorted(self, rows: bytes, width: int) -> bool:
        """Tell whether packed rows of ``width`` bytes stand in the order of their bytes. Public data."""
        ...


def load_backend(name: str = "auto", threads: int = 1) -> Backend:
    """Return the back end ``"native"``, ``"libsodium"``, or with ``"auto"`` the native one where it is installed.

    ``threads`` bounds how many cores one batch call may use. Raises ImportError when ``"native"`` is asked for
    and the distribution ``tacit-native`` is absent.
    """
    if name not in ("auto", "native", "libsodium"):
        raise ValueError(f"no group back end is called {name!r}: choose auto, native or libsodium")
    if name != "libsodium":
        try:
            from tacit_protocol.native_backend import NativeBackend
        except ImportError:
            if name == "native":
                raise
        else:
            return NativeBackend(threads)
    from tacit_protocol.sodium_backend import SodiumBackend

    return SodiumBackend(threads)
