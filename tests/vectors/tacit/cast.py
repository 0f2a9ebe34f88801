"""The parties of the vectors and what they did: from fixed seeds, each value made once. All secrets here are public."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from unittest import mock

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from support.hpke import seal_with
from support.vectors import draw_from
from tacit_protocol import dleq, hpke, keygen, messages, scalars, sealed_index, signing, threshold, voprf
from tacit_protocol.group import Elements, load_backend
from tacit_protocol.keygen import Ceremony, Secret, Transcript
from tacit_protocol.messages import EncryptedShare, Round3, Round3Answer

E, S = "2026-h2", "social-audit"
NEEDED, TRUSTEES = 2, (1, 2, 3)
GROUP = load_backend("libsodium")
NOW = 1_790_000_000
Draw = Callable[[int], bytes]


def public(key: X25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


@contextmanager
def fixed_hpke(draw: Draw) -> Iterator[None]:
    """Seal with ephemeral keys from ``draw`` while the block runs."""

    def seal(recipient: bytes, plaintext: bytes, info: bytes) -> bytes:
        return seal_with(X25519PrivateKey.from_private_bytes(draw(32)), recipient, plaintext, info)

    with mock.patch("tacit_protocol.hpke.seal", seal):
        yield


@dataclass
class Run:
    """A ceremony from the first message to the last."""

    ceremony: Ceremony
    random: Mapping[int, bytes]
    states: Mapping[int, Secret]
    transcript: Transcript
    results: Mapping[int, tuple[keygen.KeyShare, keygen.Outcome, messages.Round4]]

    @property
    def outcome(self) -> keygen.Outcome:
        return next(iter(self.results.values()))[1]


class Cast:
    """The parties of all files and what they did; each value is made once."""

    def __init__(self) -> None:
        draw = draw_from("tacit vectors: parties")
        self.secretariat = Ed25519PrivateKey.from_private_bytes(draw(32))
        self.secretariat_agreement = X25519PrivateKey.from_private_bytes(draw(32))
        self.members = [Ed25519PrivateKey.from_private_bytes(draw(32)) for _ in range(2)]
        self.auditor = Ed25519PrivateKey.from_private_bytes(draw_from("tacit vectors: auditor")(32))
        self.auditor_agreement = X25519PrivateKey.from_private_bytes(draw_from("tacit vectors: auditor's box")(32))
        self.auditor_key = public(self.auditor_agreement)
        self.trustees = {i: Ed25519PrivateKey.from_private_bytes(draw(32)) for i in TRUSTEES}

    @cached_property
    def manifest(self) -> messages.Manifest:
        trustees = tuple(
            messages.Trustee(i, signing.public_bytes(key), bytes([i]) * 32, f"https://trustee-{i}.example")
            for i, key in self.trustees.items()
        )
        own, agreement = signing.public_bytes(self.secretariat), public(self.secretariat_agreement)
        return messages.Manifest(E, (S,), NEEDED, trustees, 3, 131_072, 2, own, agreement, NOW, NOW + 86_400)

    @property
    def order(self) -> messages.QueryAuditOrder:
        member = signing.pseudonym(signing.public_bytes(self.members[0]))
        return messages.QueryAuditOrder(member, E, S, (15,), 4, 18, bytes(range(32)), bytes(range(32, 64)))

    @cached_property
    def honest(self) -> Run:
        return self.run_ceremony(1, cheat=False)

    @cached_property
    def disputed(self) -> Run:
        return self.run_ceremony(2, cheat=True)

    def run_ceremony(self, attempt: int, *, cheat: bool) -> Run:
        """With ``cheat`` trustee 3 encrypts 666 for trustee 1, is accused, and reveals the right share."""
        draw = draw_from(f"tacit vectors: ceremony {attempt}")
        keys = {i: signing.public_bytes(key) for i, key in self.trustees.items()}
        ceremony = Ceremony(E, S, attempt, NEEDED, keys)
        random = {i: draw(ceremony.random_bytes()) for i in TRUSTEES}
        drawn = {i: keygen.round1(GROUP, ceremony, i, random[i]) for i in TRUSTEES}
        states, round1 = {i: state for i, (state, _) in drawn.items()}, [message for _, message in drawn.values()]
        begun = Transcript(round1, [])
        with fixed_hpke(draw):
            round2 = [keygen.round2(ceremony, state, begun) for state in states.values()]
            if cheat:
                wrong = hpke.seal(round1[0].agreement_key, scalars.from_int(666), keygen._share_info(ceremony, 3, 1))
                shares = (EncryptedShare(1, wrong), *round2[2].shares[1:])
                round2[2] = msgspec.structs.replace(round2[2], shares=shares)
        opened = Transcript(round1, round2)
        complaints: list[Round3] = [keygen.round3(GROUP, ceremony, state, opened) for state in states.values()]
        accused = sorted({i for complaint in complaints for i in complaint.accused})
        answers: list[Round3Answer] = [keygen.answer(ceremony, states[i], complaints) for i in accused]
        transcript = Transcript(round1, round2, complaints, answers)
        return Run(
            ceremony,
            random,
            states,
            transcript,
            {i: keygen.round4(GROUP, ceremony, states[i], transcript) for i in TRUSTEES},
        )

    @cached_property
    def inputs(self) -> list[bytes]:
        values = (b"gln/1", b"4012345000009"), (b"name+city/1", b"DE|muehle|celle"), (b"dummy", bytes(range(32)))
        keys = [dleq._prefixed(b"tacit/1", kind, value) for kind, value in values]
        return [*keys, b"", b"\x00", "Ünïcödé".encode(), b"a" * 65_535]

    @cached_property
    def blinds(self) -> bytes:
        return voprf.draw_blinds(GROUP, draw_from("tacit vectors: blinds")(64 * len(self.inputs)))

    @cached_property
    def blinded(self) -> Elements:
        return voprf.blind(GROUP, self.inputs, self.blinds)

    @cached_property
    def proof_random(self) -> dict[int, bytes]:
        draw = draw_from("tacit vectors: proofs")
        return {i: draw(64) for i in TRUSTEES}

    @cached_property
    def answers(self) -> dict[int, threshold.ShareAnswer]:
        found = {}
        for i in TRUSTEES:
            share = self.honest.results[i][0]
            binding, public_share = dleq.Binding(E, S, i), GROUP.decode(share.public)
            found[i] = threshold.evaluate_share(
                GROUP, share.secret, public_share, self.blinded, binding, self.proof_random[i]
            )
        return found

    @cached_property
    def outputs(self) -> list[bytes]:
        packed = threshold.combine(GROUP, NEEDED, list(self.answers.values()), self.inputs, self.blinds)
        return [packed[i : i + 64] for i in range(0, len(packed), 64)]

    @cached_property
    def sealed(self) -> list[bytes]:
        """Two records under inputs 0 and 1 and under 1, so that one tag has two entries."""
        draw, context = draw_from("tacit vectors: records"), self.entry_context
        made = []
        for chosen in ((0, 1), (1,)):
            keys = [sealed_index.entry_key(context, self.outputs[i]) for i in chosen]
            made.append(
                sealed_index.seal_record(
                    E, S, draw(32), self.payload, keys, draw(sealed_index.record_random_bytes(len(keys)))
                )
            )
        return made

    @property
    def payload(self) -> bytes:
        return bytes(i % 256 for i in range(sealed_index.PAYLOAD_BYTES))

    @property
    def entry_context(self) -> bytes:
        return sealed_index.entry_context(E, S, self.honest.outcome.public_key)
