"""Trustees in memory, for tests that need answers without servers: a real ceremony, real shares, real proofs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from tacit_client.session import StreamContext
from tacit_protocol import keygen, threshold
from tacit_protocol.dleq import Binding
from tacit_protocol.group import Backend, Elements, load_backend
from tacit_protocol.keygen import Ceremony, KeyShare, Outcome, Transcript

EPOCH, STREAM = "2026-h2", "social-audit"


@dataclass
class Trustees:
    """Key shares by index and the public outcome."""

    group: Backend
    ceremony: Ceremony
    outcome: Outcome
    shares: dict[int, KeyShare]

    @classmethod
    def after_ceremony(cls, count: int = 3, needed: int = 2, epoch: str = EPOCH, stream: str = STREAM) -> Trustees:
        group = load_backend("auto")
        signing_keys = {index: secrets.token_bytes(32) for index in range(1, count + 1)}
        ceremony = Ceremony(epoch, stream, 1, needed, signing_keys)
        random = ceremony.random_bytes()
        drawn = {i: keygen.round1(group, ceremony, i, secrets.token_bytes(random)) for i in signing_keys}
        begun = Transcript([message for _, message in drawn.values()], [])
        opened = Transcript(begun.round1, [keygen.round2(ceremony, state, begun) for state, _ in drawn.values()])
        complaints = [keygen.round3(group, ceremony, state, opened) for state, _ in drawn.values()]
        transcript = Transcript(opened.round1, opened.round2, complaints)
        shares, outcome = {}, None
        for i, (state, _) in drawn.items():
            shares[i], outcome, _ = keygen.round4(group, ceremony, state, transcript)
        assert outcome is not None
        return cls(group, ceremony, outcome, shares)

    @property
    def context(self) -> StreamContext:
        return StreamContext(
            self.ceremony.epoch,
            self.ceremony.stream,
            self.ceremony.threshold,
            self.outcome.public_key,
            self.outcome.public_shares,
        )

    def answer(self, index: int, blinded: Elements) -> threshold.ShareAnswer:
        share = self.shares[index]
        binding = Binding(self.ceremony.epoch, self.ceremony.stream, index)
        return threshold.evaluate_share(
            self.group, share.secret, self.group.decode(share.public), blinded, binding, secrets.token_bytes(64)
        )
