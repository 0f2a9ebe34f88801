"""Cost per element of each operation of the batch interface, in R, on each back end."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pytest

from benchmarks.conftest import InR, back_ends
from tacit_protocol import scalars
from tacit_protocol.group import Backend, load_backend

COUNT = 2048
DST = b"benchmark"


class Batch:
    """Arguments for every operation."""

    def __init__(self, group: Backend) -> None:
        self.group = group
        self.inputs = [secrets.token_bytes(48) for _ in range(COUNT)]
        self.uniform = secrets.token_bytes(64 * COUNT)
        self.each = group.reduce_scalars(self.uniform)
        self.secret = self.each[:32]
        self.hashed = group.hash_to_group(self.inputs, DST)
        self.packed = group.multiply(self.secret, self.hashed).encode()
        self.decoded = group.decode(self.packed)
        self.other = group.decode(group.multiply_each(self.each, self.hashed).encode())
        self.lagrange = scalars.from_int(2) + scalars.from_int(-1)


OPERATIONS: dict[str, Callable[[Batch], object]] = {
    "hash to group": lambda b: b.group.hash_to_group(b.inputs, DST),
    "decode": lambda b: b.group.decode(b.packed),
    "multiply by one secret, encode": lambda b: b.group.multiply(b.secret, b.decoded).encode(),
    "multiply each, encode": lambda b: b.group.multiply_each(b.each, b.decoded).encode(),
    "multiply the generator, encode": lambda b: b.group.multiply_base(b.each).encode(),
    "add": lambda b: b.group.add(b.decoded, b.other),
    "composite of one batch": lambda b: b.group.composites(b"seed", [b.decoded]),
    "weighted sum, full scalars": lambda b: b.group.weighted_sum(b.each, b.decoded),
    "unblind two answers": lambda b: b.group.unblind(b.lagrange, [b.decoded, b.other], b.each),
    "finalise": lambda b: b.group.finalise(b.inputs, b.decoded),
    "reduce scalars": lambda b: b.group.reduce_scalars(b.uniform),
}


@pytest.fixture(scope="module", params=back_ends())
def batch(request: pytest.FixtureRequest) -> Batch:
    return Batch(load_backend(request.param))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_operation(in_r: InR, batch: Batch, operation: str) -> None:
    facts = {"table": "operation", "row": operation, "back_end": batch.group.name}
    ratio = in_r.measure(lambda: OPERATIONS[operation](batch), COUNT, **facts)
    print(f"\n{batch.group.name:10} {operation:32} {ratio:6.2f} R per element")
