"""The fast back end: the Rust core `tacit-native` (``protocol/native``), one call per batch over packed buffers.

Elements stay decoded between calls: a member's own blinded points go from blinding to verification without a
decoder, and encoding a batch costs one inversion. The core releases the interpreter's lock once per call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import tacit_native
from tacit_native import Points

from tacit_protocol import scalars as scalar_field
from tacit_protocol.errors import EncodingError
from tacit_protocol.group import Elements

if not hasattr(tacit_native, "seal_each"):  # what was added last
    raise ImportError("the native core is older than this program: run 'make native', or remove tacit-native")


class NativeBackend:
    """Implements :class:`tacit_protocol.group.Backend`; one call uses up to ``threads`` cores."""

    name = "native"

    def __init__(self, threads: int = 1) -> None:
        self._threads = max(1, threads)

    def decode(self, packed: bytes) -> Elements:
        """See :meth:`Backend.decode`."""
        with _refusals():
            return tacit_native.decode(bytes(packed), self._threads)

    def hash_to_group(self, inputs: Sequence[bytes], dst: bytes) -> Elements:
        """See :meth:`Backend.hash_to_group`."""
        return tacit_native.hash_to_group(inputs, dst, self._threads)

    def hash_to_scalar(self, messages: Sequence[bytes], dst: bytes) -> bytes:
        """See :meth:`Backend.hash_to_scalar`."""
        return tacit_native.hash_to_scalar(messages, dst)

    def reduce_scalars(self, uniform: bytes) -> bytes:
        """See :meth:`Backend.reduce_scalars`."""
        return tacit_native.reduce_scalars(uniform)

    def multiply(self, scalar: bytes, elements: Elements) -> Elements:
        """See :meth:`Backend.multiply`."""
        scalar_field.check(scalar, "multiply")
        return tacit_native.multiply(scalar, _points(elements), self._threads)

    def multiply_each(self, scalars: bytes, elements: Elements) -> Elements:
        """See :meth:`Backend.multiply_each`."""
        with _refusals():
            return tacit_native.multiply_each(scalars, _points(elements), self._threads)

    def multiply_base(self, scalars: bytes) -> Elements:
        """See :meth:`Backend.multiply_base`."""
        with _refusals():
            return tacit_native.multiply_base(scalars, self._threads)

    def add(self, left: Elements, right: Elements) -> Elements:
        """See :meth:`Backend.add`."""
        return tacit_native.add(_points(left), _points(right), self._threads)

    def composites(self, seed: bytes, batches: Sequence[Elements]) -> Elements:
        """See :meth:`Backend.composites`."""
        if not batches:
            raise ValueError("no batches to sum")
        return tacit_native.composites(seed, [_points(batch) for batch in batches], self._threads)

    def weighted_sum(self, scalars: bytes, elements: Elements) -> Elements:
        """See :meth:`Backend.weighted_sum`."""
        with _refusals():
            return tacit_native.weighted_sum(scalars, _points(elements), self._threads)

    def unblind(self, coefficients: bytes, evaluated: Sequence[Elements], blinds: bytes) -> Elements:
        """See :meth:`Backend.unblind`."""
        if not evaluated:
            raise ValueError("no evaluated batch to unblind")
        with _refusals():
            return tacit_native.unblind(coefficients, [_points(batch) for batch in evaluated], blinds, self._threads)

    def finalise(self, inputs: Sequence[bytes], unblinded: Elements) -> bytes:
        """See :meth:`Backend.finalise`."""
        return tacit_native.finalise(inputs, _points(unblinded), self._threads)

    def entry_keys(self, context: bytes, outputs: bytes) -> bytes:
        """See :meth:`Backend.entry_keys`."""
        return tacit_native.entry_keys(context, outputs, self._threads)

    def seal_records(
        self, context: bytes, record_keys: bytes, payloads: bytes, counts: bytes, entry_keys: bytes, random: bytes
    ) -> bytes:
        """See :meth:`Backend.seal_records`."""
        return tacit_native.seal_records(context, record_keys, payloads, counts, entry_keys, random, self._threads)

    def seal_each(self, public_key: bytes, info: bytes, plaintexts: bytes, size: int, random: bytes) -> bytes:
        """See :meth:`Backend.seal_each`."""
        with _refusals():
            return tacit_native.seal_each(public_key, info, plaintexts, size, random, self._threads)

    def is_sorted(self, rows: bytes, width: int) -> bool:
        """See :meth:`Backend.is_sorted`."""
        return tacit_native.is_sorted(rows, width)


def _points(elements: Elements) -> Points:
    if not isinstance(elements, Points):
        raise TypeError("elements of another back end: decode their encoding with this one")
    return elements


@contextmanager
def _refusals() -> Iterator[None]:
    """Raise what the core refuses as the protocol's own error, with the position where it gives one."""
    try:
        yield
    except tacit_native.InvalidEncodingError as error:
        message, position = cast(tuple[str, int | None], error.args)
        raise EncodingError(message, position=position) from None
