"""Cost per element of every step of a blind evaluation, in R, for each back end: `make bench`.

Targets (per element): client at most 12.5 R on the wheel library and 2.2 R on the native core; trustee at most 3.6 R
and 0.85 R.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.conftest import InR, back_ends
from tacit_protocol import dleq, scalars, threshold, voprf
from tacit_protocol.dleq import Binding
from tacit_protocol.group import Backend, load_backend

COUNT = 2048
EPOCH, STREAM = "bench", "social-audit"


class Round:
    """One batch on its way, with two trustees."""

    def __init__(self, group: Backend) -> None:
        self.group = group
        draw = secrets.token_bytes
        self.inputs = [draw(48) for _ in range(COUNT)]
        self.blinds = voprf.draw_blinds(group, draw(64 * COUNT))
        slope, constant = scalars.reduce(draw(64)), scalars.reduce(draw(64))
        self.shares = {i: scalars.add(constant, scalars.multiply(scalars.from_int(i), slope)) for i in (1, 2)}
        self.publics = {i: group.decode(group.multiply_base(share).encode()) for i, share in self.shares.items()}
        self.blinded = self.blind()
        self.evaluated = self.evaluate()
        self.answers = [self.answer(i) for i in (1, 2)]

    def blind(self) -> Any:
        blinded = voprf.blind(self.group, self.inputs, self.blinds)
        blinded.encode()
        return blinded

    def receive(self) -> Any:
        return self.group.decode(self.blinded.encode())

    def evaluate(self) -> Any:
        evaluated = self.group.multiply(self.shares[1], self.receive())
        evaluated.encode()
        return evaluated

    def prove(self) -> bytes:
        binding = Binding(EPOCH, STREAM, 1)
        return dleq.prove_batch(
            self.group, self.shares[1], self.publics[1], self.blinded, self.evaluated, binding, secrets.token_bytes(64)
        )

    def answer(self, i: int) -> threshold.ShareAnswer:
        binding = Binding(EPOCH, STREAM, i)
        return threshold.evaluate_share(
            self.group, self.shares[i], self.publics[i], self.blinded, binding, secrets.token_bytes(64)
        )

    def trustee(self) -> None:
        binding = Binding(EPOCH, STREAM, 1)
        blinded = self.receive()
        threshold.evaluate_share(
            self.group, self.shares[1], self.publics[1], blinded, binding, secrets.token_bytes(64)
        ).evaluated.encode()

    def verify(self) -> None:
        answer = self.answers[0]
        received = threshold.ShareAnswer(1, self.group.decode(answer.evaluated.encode()), answer.proof)
        threshold.verify_answer(self.group, EPOCH, STREAM, self.publics[1], self.blinded, received)

    def combine(self) -> bytes:
        return threshold.combine(self.group, 2, self.answers, self.inputs, self.blinds)

    def client(self) -> bytes:
        """The member's whole share of the work: blind, verify two answers, combine, unblind, finalise."""
        blinded = self.blind()
        received = []
        for answer in self.answers:
            decoded = threshold.ShareAnswer(answer.trustee, self.group.decode(answer.evaluated.encode()), answer.proof)
            threshold.verify_answer(self.group, EPOCH, STREAM, self.publics[answer.trustee], blinded, decoded)
            received.append(decoded)
        return threshold.combine(self.group, 2, received, self.inputs, self.blinds)


STEPS: dict[str, Callable[[Round], object]] = {
    "blind": Round.blind,
    "evaluate": Round.evaluate,
    "prove": Round.prove,
    "trustee, whole": Round.trustee,
    "verify one answer": Round.verify,
    "combine, unblind, finalise": Round.combine,
    "client, whole": Round.client,
}


@pytest.fixture(scope="module", params=back_ends())
def batch(request: pytest.FixtureRequest) -> Round:
    return Round(load_backend(request.param))


@pytest.mark.parametrize("step", STEPS)
def test_step(in_r: InR, batch: Round, step: str) -> None:
    facts = {"table": "step", "row": step, "back_end": batch.group.name}
    ratio = in_r.measure(lambda: STEPS[step](batch), COUNT, **facts)
    print(f"\n{batch.group.name:10} {step:32} {ratio:6.2f} R per element")
