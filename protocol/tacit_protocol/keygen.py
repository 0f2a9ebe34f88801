"""The trustees' key ceremony: one function per step, state and messages in, next state and message out.

Feldman's verifiable secret sharing with hash commitments and proofs of possession (Pedersen's distributed key
generation as analysed by Gennaro, Jarecki, Krawczyk and Rabin, J. Cryptology 2007). No party ever holds the key;
there is no dealer. The messages of every step stand on the board, so :func:`conclude` lets anybody recompute the
public keys.
Shares are encrypted to a key that each trustee makes for one attempt and signs (R1), so that nobody can put a key of
its own in another's place, and a share that was erased cannot be had again from the board.
Not guaranteed: a uniformly distributed key when a trustee lets itself be disqualified after the opening (it can
choose between two keys); a dishonest majority learns the key by adding its shares.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tacit_protocol import hpke, messages, polynomial, possession, scalars
from tacit_protocol.errors import CeremonyError, EncodingError
from tacit_protocol.group import ELEMENT_BYTES, SCALAR_BYTES, UNIFORM_BYTES, Backend, Elements
from tacit_protocol.messages import (
    EncryptedShare,
    RevealedShare,
    Round1,
    Round2,
    Round3,
    Round3Answer,
    Round4,
)

CeremonyMessage = Round1 | Round2 | Round3 | Round3Answer | Round4
_R = TypeVar("_R", bound=CeremonyMessage)
AGREEMENT_BYTES = 32


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What all trustees know before the first step. ``signing_keys``: the manifest's, by trustee index."""

    epoch: str
    stream: str
    attempt: int
    threshold: int
    signing_keys: Mapping[int, bytes]

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= len(self.signing_keys):
            raise CeremonyError(f"a threshold of {self.threshold} needs as many trustees: {len(self.signing_keys)}")
        if not all(1 <= index <= 255 for index in self.signing_keys):
            # The share at point 0 would be the key itself.
            raise CeremonyError("a trustee's index is between 1 and 255")

    @property
    def context(self) -> bytes:
        """Bytes that bind every hash and ciphertext to this ceremony and to who takes part in it.

        The trustees' signing keys are in it so that a secretariat that shows two trustees two manifests is found out
        at the latest when they compare the transcript.
        """
        parties = b"".join(bytes([index]) + key for index, key in sorted(self.signing_keys.items()))
        head = f"tacit/1 ceremony|{self.epoch}|{self.stream}|{self.attempt}|{self.threshold}|"
        return head.encode() + hashlib.sha512(parties).digest()

    def random_bytes(self) -> int:
        """Return how much randomness :func:`round1` takes."""
        return UNIFORM_BYTES * (self.threshold + 1) + AGREEMENT_BYTES


@dataclass(frozen=True, slots=True)
class Secret:
    """A trustee's state through the ceremony: its polynomial, the key that shares come in under, its opening.

    Keep it sealed, drop it after round 4. ``opening`` has no shares yet: whom they are for is known after round 1.
    """

    index: int
    coefficients: bytes = field(repr=False)
    agreement: bytes = field(repr=False)
    opening: Round2


@dataclass(frozen=True, slots=True)
class Transcript:
    """The messages of the ceremony in board order, by step; whoever is absent in a step sent none."""

    round1: Sequence[Round1]
    round2: Sequence[Round2]
    round3: Sequence[Round3] = ()
    answers: Sequence[Round3Answer] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from a transcript for everybody: the keys, who takes part, who was disqualified and why."""

    public_key: bytes
    public_shares: Mapping[int, bytes]
    disqualified: Mapping[int, str]
    transcript: bytes


@dataclass(frozen=True, slots=True)
class KeyShare:
    """A trustee's share of a stream key; ``secret`` is encrypted at rest and erased when the epoch ends."""

    index: int
    secret: bytes = field(repr=False)
    public: bytes


def round1(group: Backend, ceremony: Ceremony, index: int, random: bytes) -> tuple[Secret, Round1]:
    """R1: draw the polynomial and commit to its Feldman commitments and the proof of possession.

    The hash commitment keeps a trustee that speaks last from choosing its polynomial after seeing the others'.
    """
    if len(random) != ceremony.random_bytes():
        raise ValueError(f"round 1 takes {ceremony.random_bytes()} random bytes")
    drawn, agreement = group.reduce_scalars(random[:-AGREEMENT_BYTES]), random[-AGREEMENT_BYTES:]
    coefficients, nonce = drawn[:-SCALAR_BYTES], drawn[-SCALAR_BYTES:]
    commitments = group.multiply_base(coefficients).encode()
    proof = possession.prove(group, ceremony.context, index, coefficients[:SCALAR_BYTES], commitments, nonce)
    place = (ceremony.epoch, ceremony.stream, ceremony.attempt, index)
    opening = Round2(*place, commitments, proof, ())
    key = X25519PrivateKey.from_private_bytes(agreement).public_key().public_bytes_raw()
    message = Round1(*place, _opening_digest(ceremony, opening), key)
    return Secret(index, coefficients, agreement, opening), message


def round2(ceremony: Ceremony, secret: Secret, transcript: Transcript) -> Round2:
    """R2: open the commitment, with a share encrypted to each trustee that has spoken in R1, now that R1 is over."""
    shares = tuple(
        EncryptedShare(
            recipient,
            hpke.seal(
                key, polynomial.evaluate(secret.coefficients, recipient), _share_info(ceremony, secret.index, recipient)
            ),
        )
        for recipient, key in _agreement_keys(ceremony, transcript).items()
    )
    return msgspec.structs.replace(secret.opening, shares=shares)


def round3(group: Backend, ceremony: Ceremony, secret: Secret, transcript: Transcript) -> Round3:
    """R3: accuse every trustee whose share does not decrypt or does not fit its commitments."""
    qualified, _ = judge_openings(group, ceremony, transcript)
    accused = []
    for sender, opening in qualified.items():
        try:
            _open_share(group, ceremony, opening, secret)
        except CeremonyError:
            accused.append(sender)
    return Round3(ceremony.epoch, ceremony.stream, ceremony.attempt, secret.index, tuple(accused))


def answer(ceremony: Ceremony, secret: Secret, complaints: Sequence[Round3]) -> Round3Answer:
    """R3, the accused: reveal the disputed shares. The accuser knows them anyway; t - 1 reveal nothing of the key."""
    revealed = tuple(
        RevealedShare(complaint.sender, polynomial.evaluate(secret.coefficients, complaint.sender))
        for complaint in sorted(complaints, key=lambda complaint: complaint.sender)
        if secret.index in complaint.accused
    )
    return Round3Answer(ceremony.epoch, ceremony.stream, ceremony.attempt, secret.index, revealed)


def round4(
    group: Backend, ceremony: Ceremony, secret: Secret, transcript: Transcript
) -> tuple[KeyShare, Outcome, Round4]:
    """R4: add up the shares of the qualified and agree to the transcript.

    Raises :class:`CeremonyError` when this trustee itself was disqualified, too few remain, or a share that this
    trustee did not complain of in time does not fit.
    """
    outcome = conclude(group, ceremony, transcript)
    if secret.index in outcome.disqualified:
        raise CeremonyError(
            f"this trustee was disqualified: {outcome.disqualified[secret.index]}",
            party=f"trustee {secret.index}",
        )
    revealed = _revealed(transcript)
    total = scalars.ZERO
    for opening in _first_of_each(transcript.round2):
        if opening.sender not in outcome.public_shares:
            continue
        if secret.index in _accusers(ceremony, transcript, opening.sender):
            share = revealed[opening.sender, secret.index]  # judged in conclude(): it fits
        else:
            # Not from the answers: a trustee may put a share there that nobody disputed, and so nobody checked.
            share = _open_share(group, ceremony, opening, secret)
        total = scalars.add(total, share)
    public = group.multiply_base(total).encode()
    if public != outcome.public_shares[secret.index]:
        raise CeremonyError("the share does not fit the public verification share: the ceremony must be repeated")
    message = Round4(ceremony.epoch, ceremony.stream, ceremony.attempt, secret.index, outcome.transcript)
    return KeyShare(secret.index, total, public), outcome, message


def conclude(group: Backend, ceremony: Ceremony, transcript: Transcript) -> Outcome:
    """Recompute public key, verification shares and disqualifications from the messages alone (auditors too)."""
    qualified, disqualified = judge_openings(group, ceremony, transcript)
    disqualified.update(_judge_complaints(group, ceremony, transcript, qualified))
    remaining = {index: opening for index, opening in qualified.items() if index not in disqualified}
    if len(remaining) < ceremony.threshold:
        raise CeremonyError(
            f"only {len(remaining)} of {ceremony.threshold} needed trustees remain: "
            "repeat the ceremony without the guilty",
            party=", ".join(f"trustee {index}" for index in sorted(disqualified)),
            evidence={f"trustee {index}": reason for index, reason in sorted(disqualified.items())},
        )
    total: Elements | None = None
    for opening in remaining.values():
        part = group.decode(opening.commitments)
        total = part if total is None else group.add(total, part)
    if total is None:
        raise CeremonyError("no trustee remains")
    summed = group.decode(total.encode())
    shares = {index: polynomial.commitment_at(group, summed, index) for index in sorted(remaining)}
    return Outcome(summed.encode()[:ELEMENT_BYTES], shares, disqualified, _transcript_hash(ceremony, transcript))


def verify_agreement(ceremony: Ceremony, outcome: Outcome, confirmations: Sequence[Round4]) -> None:
    """Raise :class:`CeremonyError` unless every qualified trustee agreed to this very transcript."""
    _verify_belongs(ceremony, confirmations)
    agreed = {message.sender: message.transcript for message in reversed(confirmations)}
    for index in outcome.public_shares:
        if index not in agreed:
            raise CeremonyError(f"trustee {index} has not agreed to the transcript", party=f"trustee {index}")
        if agreed[index] != outcome.transcript:
            raise CeremonyError(
                f"trustee {index} agreed to another transcript of {ceremony.epoch}/{ceremony.stream}",
                party=f"trustee {index}",
                evidence={"expected": outcome.transcript.hex(), "signed": agreed[index].hex()},
            )


def judge_openings(
    group: Backend, ceremony: Ceremony, transcript: Transcript
) -> tuple[dict[int, Round2], dict[int, str]]:
    """Return the openings that hold, and the reason for each trustee that falls out already here.

    Raises :class:`CeremonyError` when a message of another ceremony is among them.
    """
    for step in (transcript.round1, transcript.round2, transcript.round3, transcript.answers):
        _verify_belongs(ceremony, step)
    commitments = {message.sender: message.commitment for message in reversed(transcript.round1)}
    openings = {message.sender: message for message in _first_of_each(transcript.round2)}
    recipients = _agreement_keys(ceremony, transcript)
    qualified: dict[int, Round2] = {}
    disqualified: dict[int, str] = {}
    for index in sorted(ceremony.signing_keys):
        opening = openings.get(index)
        if index not in commitments:
            disqualified[index] = "sent no commitment"
        elif index not in recipients:
            disqualified[index] = "sent an agreement key that cannot be used"
        elif opening is None:
            disqualified[index] = "did not open its commitment"
        elif _opening_digest(ceremony, opening) != commitments[index]:
            disqualified[index] = "opened something else than it had committed to"
        elif reason := _fault_of_opening(group, ceremony, opening, sorted(recipients)):
            disqualified[index] = reason
        else:
            qualified[index] = opening
    return qualified, disqualified


def verify_share(group: Backend, opening: Round2, recipient: int, share: bytes) -> None:
    """Feldman's check s_ij * G = sum_k j^k A_ik; raises :class:`CeremonyError` naming the sender."""
    expected = polynomial.commitment_at(group, group.decode(opening.commitments), recipient)
    if group.multiply_base(scalars.check(share, "share")).encode() != expected:
        raise CeremonyError(
            f"the share of trustee {opening.sender} for trustee {recipient} does not fit its commitments",
            party=f"trustee {opening.sender}",
        )


def _judge_complaints(
    group: Backend, ceremony: Ceremony, transcript: Transcript, qualified: Mapping[int, Round2]
) -> dict[int, str]:
    revealed = _revealed(transcript)
    guilty: dict[int, str] = {}
    for accused, opening in qualified.items():
        for accuser in _accusers(ceremony, transcript, accused):
            share = revealed.get((accused, accuser))
            if share is None:
                guilty[accused] = f"did not reveal the share that trustee {accuser} disputes"
                break
            try:
                verify_share(group, opening, accuser, share)
            except (CeremonyError, EncodingError):
                guilty[accused] = f"revealed a wrong share for trustee {accuser}"
                break
    return guilty


def _accusers(ceremony: Ceremony, transcript: Transcript, accused: int) -> list[int]:
    """Return who disputes the share of ``accused``; of two messages of one trustee the first counts."""
    complaints = [message for message in _first_of_each(transcript.round3) if message.sender in ceremony.signing_keys]
    return sorted(message.sender for message in complaints if accused in message.accused)


def _agreement_keys(ceremony: Ceremony, transcript: Transcript) -> dict[int, bytes]:
    """Return the usable agreement keys of R1 by sender: whom shares are encrypted to."""
    keys = {}
    for message in sorted(_first_of_each(transcript.round1), key=lambda message: message.sender):
        try:
            hpke.verify_key(message.agreement_key)
        except EncodingError:
            continue
        if message.sender in ceremony.signing_keys:
            keys[message.sender] = message.agreement_key
    return keys


def _fault_of_opening(group: Backend, ceremony: Ceremony, opening: Round2, recipients: list[int]) -> str | None:
    if len(opening.commitments) != ELEMENT_BYTES * ceremony.threshold:
        return f"sent commitments for another threshold than {ceremony.threshold}"
    if sorted(share.recipient for share in opening.shares) != recipients:
        return "did not send one share to each trustee"
    try:
        group.decode(opening.commitments)
    except EncodingError:
        return "sent commitments that are no group elements"
    try:
        possession.verify(group, ceremony.context, opening.sender, opening.commitments, opening.possession)
    except (CeremonyError, EncodingError):
        return "does not prove that it knows its polynomial"
    return None


def _opening_digest(ceremony: Ceremony, opening: Round2) -> bytes:
    content = opening.sender.to_bytes(2, "big") + opening.commitments + opening.possession
    return hashlib.sha512(b"tacit/1 ceremony opening\x00" + ceremony.context + content).digest()


def _transcript_hash(ceremony: Ceremony, transcript: Transcript) -> bytes:
    digest = hashlib.sha512(b"tacit/1 ceremony transcript\x00" + ceremony.context)
    steps = (
        _first_of_each(transcript.round1),
        _first_of_each(transcript.round2),
        _first_of_each(transcript.round3),
        _first_of_each(transcript.answers),
    )
    for step in steps:
        for message in sorted(step, key=lambda message: message.sender):
            body = messages.encode(message)
            digest.update(messages.kind_of(message).encode() + len(body).to_bytes(4, "big") + body)
    return digest.digest()


def _share_info(ceremony: Ceremony, sender: int, recipient: int) -> bytes:
    return ceremony.context + b"|share|" + sender.to_bytes(2, "big") + recipient.to_bytes(2, "big")


def _open_share(group: Backend, ceremony: Ceremony, opening: Round2, secret: Secret) -> bytes:
    """Decrypt and check the share for the holder of ``secret``; raises :class:`CeremonyError` naming the sender."""
    recipient, key = secret.index, X25519PrivateKey.from_private_bytes(secret.agreement)
    ciphertext = next((share.ciphertext for share in opening.shares if share.recipient == recipient), b"")
    try:
        share = hpke.unseal(key, ciphertext, _share_info(ceremony, opening.sender, recipient))
        verify_share(group, opening, recipient, share)
    except EncodingError as error:
        raise CeremonyError(
            f"the share of trustee {opening.sender} for trustee {recipient} does not decrypt to a share",
            party=f"trustee {opening.sender}",
        ) from error
    return share


def _revealed(transcript: Transcript) -> dict[tuple[int, int], bytes]:
    return {
        (message.sender, reveal.recipient): reveal.share
        for message in _first_of_each(transcript.answers)
        for reveal in reversed(message.revealed)
    }


def _verify_belongs(ceremony: Ceremony, step: Sequence[CeremonyMessage]) -> None:
    for message in step:
        if (message.epoch, message.stream, message.attempt) != (ceremony.epoch, ceremony.stream, ceremony.attempt):
            raise CeremonyError(
                f"a message of trustee {message.sender} belongs to another ceremony than attempt {ceremony.attempt} "
                f"of {ceremony.epoch}/{ceremony.stream}",
                party=f"trustee {message.sender}",
            )


def _first_of_each(step: Sequence[_R]) -> list[_R]:
    """Keep the first message of each sender: the board's order settles which of two contradicting ones counts."""
    first: dict[int, _R] = {}
    for message in step:
        first.setdefault(message.sender, message)
    return list(first.values())
