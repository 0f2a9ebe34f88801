"""The operator's actions: each is one message of the secretariat on the board, or one row in its database."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from tacit_protocol import messages
from tacit_protocol.errors import TacitError
from tacit_protocol.messages import (
    AccessRules,
    AuditorAppointment,
    BoardEntry,
    CeremonyCut,
    Eligibility,
    Manifest,
    Trustee,
    WindowClose,
)
from tacit_server.errors import ConfigurationError
from tacit_server.home import SecretariatCard, TrusteeCard
from tacit_server.secretariat import rounds
from tacit_server.secretariat.keeper import Keeper

_CODE_BYTES = 24


class PinnedTrustee(msgspec.Struct, frozen=True):
    """What a member pins of a trustee."""

    index: int
    signing_key: bytes
    retired: bool = False  # stands in earlier manifests, and is no witness any more


class Invitation(msgspec.Struct, frozen=True):
    """The file a member gets: where to enrol, with which code, and whose keys to pin."""

    secretariat: SecretariatCard
    code: str
    trustees: list[PinnedTrustee]
    version: int = 1


class AuditorCard(msgspec.Struct, frozen=True):
    """The file that 'tacit audit init' writes: the auditor's public keys."""

    signing_key: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    agreement_key: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    version: int = 1


@dataclass(frozen=True, slots=True)
class EpochPlan:
    """What the operator decides about an epoch."""

    epoch: str
    streams: Sequence[str]
    threshold: int
    shuffler: int
    quota: int
    minimum_contributors: int
    opens: int
    closes: int
    restricted: Sequence[str] = ()  # streams for members that are let in by name
    statement: str = ""  # what every member signs before it gets evaluations


def add_trustee(keeper: Keeper, card: TrusteeCard) -> None:
    """Register a trustee's card. An index keeps its keys for good: only its address may change later."""
    for known in keeper.trustees(retired=True):
        if known.index == card.index and known.signing_key != card.signing_key:
            raise ConfigurationError(f"another trustee is registered as number {card.index}: give this one another")
        if known.index != card.index and known.signing_key == card.signing_key:
            raise ConfigurationError(f"this trustee is registered already, as number {known.index}")
    with keeper.store.writing() as session:
        keeper.store.add_trustee(session, card)


def retire_trustee(keeper: Keeper, index: int) -> None:
    """Take a trustee out of the witnesses and of every manifest from now on; epochs that name it stay as they are."""
    if index not in {card.index for card in keeper.trustees()}:
        raise ConfigurationError(f"no trustee {index} is registered, or it was retired already")
    with keeper.store.writing() as session:
        keeper.store.retire_trustee(session, index)


def invite(keeper: Keeper, count: int, valid_seconds: int) -> list[Invitation]:
    """Make ``count`` one-time invitations; only hashes of their codes are kept."""
    active = {card.index for card in keeper.trustees()}
    trustees = [
        PinnedTrustee(card.index, card.signing_key, card.index not in active) for card in keeper.trustees(retired=True)
    ]
    if not active:
        raise ConfigurationError(
            "register the trustees first ('tacit-server secretariat add-trustee'): an invitation carries their keys"
        )
    card = keeper.home.card()
    now, made = keeper.now(), []
    with keeper.store.writing() as session:
        for _ in range(count):
            code = secrets.token_urlsafe(_CODE_BYTES)
            code_hash = hashlib.sha256(code.encode()).digest()
            keeper.store.add_invitation(session, code_hash, now, now + valid_seconds)
            made.append(Invitation(SecretariatCard(card.url, card.signing_key), code, trustees))
    return made


def open_epoch(keeper: Keeper, plan: EpochPlan) -> BoardEntry:
    """Put the manifest of an epoch on the board, with all registered trustees."""
    cards = keeper.trustees()
    _check(plan, [card.index for card in cards])
    with keeper.view() as board:
        if plan.epoch in board.ledger.manifests:
            raise ConfigurationError(f"epoch {plan.epoch} was opened already: choose another name")
    home = keeper.home
    manifest = Manifest(
        plan.epoch,
        tuple(plan.streams),
        plan.threshold,
        tuple(Trustee(card.index, card.signing_key, card.agreement_key, card.url) for card in cards),
        plan.shuffler,
        plan.quota,
        plan.minimum_contributors,
        home.public_key,
        home.agreement_key.public_key().public_bytes_raw(),
        plan.opens,
        plan.closes,
    )
    messages.decode(messages.encode(manifest), Manifest)  # sizes and characters, before anybody sees it
    if plan.restricted or plan.statement:
        rules = AccessRules(plan.epoch, tuple(plan.restricted), plan.statement)
        messages.decode(messages.encode(rules), AccessRules)
        with keeper.view() as board:
            known = board.ledger.access.rules.get(plan.epoch)
        if known is None:
            keeper.publish(rules)
        elif known != rules:
            raise ConfigurationError(f"epoch {plan.epoch} was announced with other rules: choose another name")
    return keeper.publish(manifest)


def set_eligibility(keeper: Keeper, epoch: str, stream: str, members: Sequence[str], eligible: bool) -> None:
    """Let members into a restricted stream, or take them out for what is still to be granted."""
    for member in members:
        message = Eligibility(epoch, stream, member, eligible)
        messages.decode(messages.encode(message), Eligibility)
        with keeper.view() as board:
            current = (epoch, stream, member) in board.ledger.access.eligible
        if current != eligible:
            keeper.publish(message)


def close_window(keeper: Keeper, epoch: str, stream: str) -> WindowClose:
    """Close the open window of a stream; the shuffler then hands over."""
    with keeper.view() as board:
        if stream not in board.manifest(epoch).streams:
            raise ConfigurationError(f"epoch {epoch} has no stream {stream}")
        board.stream_keys(keeper.group, epoch, stream)  # no window is open before the keys are there
        close = WindowClose(epoch, stream, board.open_window(epoch, stream))
        keeper.publish(close)
    return close


def cut_ceremony(keeper: Keeper, epoch: str, stream: str, step: str | None) -> CeremonyCut:
    """End the wait for silent trustees in ``step`` (by default the one that waits), or give the attempt up."""
    with keeper.view() as board:
        if stream not in board.manifest(epoch).streams:
            raise ConfigurationError(f"epoch {epoch} has no stream {stream}")
        try:
            board.stream_keys(keeper.group, epoch, stream)
        except TacitError:
            pass
        else:
            raise ConfigurationError(f"the key ceremony of {epoch}/{stream} is complete: there is nothing to cut")
        record = board.attempt(epoch, stream)
        waiting = [kind for kind in rounds.CEREMONY_KINDS if record is None or not record.finished(kind)]
        if step is None and not waiting:
            raise ConfigurationError("no step waits for a trustee: give the attempt up with --restart")
        cut = CeremonyCut(epoch, stream, board.attempt_number(epoch, stream), step or waiting[0])
        keeper.publish(cut)
    return cut


def appoint_auditor(keeper: Keeper, card: AuditorCard, until: int) -> AuditorAppointment:
    """Appoint an auditor by its card; the same card with another date changes its term."""
    appointment = AuditorAppointment(card.signing_key, card.agreement_key, until)
    if until <= keeper.now():
        raise ConfigurationError("an auditor's term ends in the future")
    keeper.publish(appointment)
    return appointment


def stages(keeper: Keeper) -> list[rounds.Stage]:
    """Return where every stream of every epoch stands."""
    with keeper.view() as board:
        return [
            rounds.stage(board, keeper.group, manifest.epoch, stream)
            for manifest in board.ledger.manifests.values()
            for stream in manifest.streams
        ]


def _check(plan: EpochPlan, indices: Sequence[int]) -> None:
    if not 1 <= plan.threshold <= len(indices):
        raise ConfigurationError(f"a threshold of {plan.threshold} needs as many trustees: {len(indices)} registered")
    if 2 * plan.threshold <= len(indices):
        raise ConfigurationError(
            f"a threshold of {plan.threshold} for {len(indices)} trustees: more than half of them must be needed"
        )
    if plan.shuffler not in indices:
        raise ConfigurationError(
            f"trustee {plan.shuffler} cannot shuffle: registered are {', '.join(map(str, indices)) or 'none'}"
        )
    if set(plan.restricted) - set(plan.streams):
        raise ConfigurationError("a restricted stream is not one of the epoch's streams")
    if len(set(plan.streams)) != len(plan.streams):
        raise ConfigurationError("a stream is named twice")
    if plan.opens >= plan.closes:
        raise ConfigurationError("an epoch closes after it opens")
