"""One attempt of a stream's key ceremony as the log tells it: who has sent what, whose turn it is, what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tacit_protocol import keygen, messages
from tacit_protocol.errors import CeremonyError
from tacit_protocol.group import Backend
from tacit_protocol.messages import Round1, Round2, Round3, Round3Answer, Round4
from tacit_protocol.signing import Signed

STEPS: dict[str, type[messages.Message]] = {
    "ceremony-1": Round1,
    "ceremony-2": Round2,
    "ceremony-3": Round3,
    "ceremony-3-answer": Round3Answer,
    "ceremony-4": Round4,
}
BEFORE = {
    "ceremony-2": "ceremony-1",
    "ceremony-3": "ceremony-2",
    "ceremony-3-answer": "ceremony-3",
    "ceremony-4": "ceremony-3-answer",
}
RESTART = "restart"  # a cut with this step gives an attempt up; the next one may then begin


class EquivocationError(CeremonyError):
    """A trustee signed two different messages for one step of one attempt: ``first`` and ``second`` prove it."""

    def __init__(self, ceremony: keygen.Ceremony, sender: int, first: Signed, second: Signed, entry: int) -> None:
        super().__init__(
            f"trustee {sender} sent two different messages in step {second.kind}",
            party=f"trustee {sender}",
            evidence={"entry": entry},
        )
        self.ceremony, self.sender, self.first, self.second = ceremony, sender, first, second


@dataclass
class CeremonyRecord:
    """One attempt of a ceremony: the first message of each kind and sender, in board order, and the cuts."""

    ceremony: keygen.Ceremony
    sent: dict[str, dict[int, keygen.CeremonyMessage]] = field(default_factory=lambda: {kind: {} for kind in STEPS})
    cuts: set[str] = field(default_factory=set)
    signed: dict[tuple[str, int], Signed] = field(default_factory=dict)  # as they came, by kind and sender

    def take_in(self, body: keygen.CeremonyMessage, message: Signed, entry: int) -> None:
        """Take in a message whose signature was verified; the same one again changes nothing.

        Raises :class:`EquivocationError` for another one in a step that its sender has spoken in, and
        :class:`CeremonyError` when it is not its turn.
        """
        kind, sender = message.kind, body.sender
        earlier = self.sent[kind].get(sender)
        if earlier is None:
            self.verify_turn(kind, sender)
            self.sent[kind][sender], self.signed[kind, sender] = body, message
        elif earlier != body:
            raise EquivocationError(self.ceremony, sender, self.signed[kind, sender], message, entry)

    def transcript(self) -> keygen.Transcript:
        """Return the messages of steps 1 to 3 for :mod:`tacit_protocol.keygen`."""
        return keygen.Transcript(
            [m for m in self.sent["ceremony-1"].values() if isinstance(m, Round1)],
            [m for m in self.sent["ceremony-2"].values() if isinstance(m, Round2)],
            [m for m in self.sent["ceremony-3"].values() if isinstance(m, Round3)],
            [m for m in self.sent["ceremony-3-answer"].values() if isinstance(m, Round3Answer)],
        )

    def confirmations(self) -> list[Round4]:
        """Return the messages of step 4."""
        return [m for m in self.sent["ceremony-4"].values() if isinstance(m, Round4)]

    def accused(self) -> set[int]:
        """Return the trustees that have to answer a complaint: those that opened and were accused by another."""
        complaints = (m for m in self.sent["ceremony-3"].values() if isinstance(m, Round3))
        return {index for m in complaints for index in m.accused} & self.sent["ceremony-2"].keys()

    def expected(self, kind: str) -> set[int]:
        """Return whose messages a step waits for: whoever stayed silent in one step is out of the next."""
        if kind == "ceremony-1":
            return set(self.ceremony.signing_keys)
        if kind == "ceremony-3-answer":
            return self.accused()
        return set(self.sent["ceremony-1" if kind == "ceremony-2" else "ceremony-2"])

    def finished(self, kind: str) -> bool:
        """Tell whether a step is over: everybody expected has spoken, or the wait was cut."""
        before = BEFORE.get(kind)
        if before is not None and not self.finished(before):
            return False
        return kind in self.cuts or self.expected(kind) <= self.sent[kind].keys()

    def waited_for(self) -> dict[int, str]:
        """Return who was, or is, waited for in vain, and in which step: it stands on the log by what is missing there.

        A step that was cut, or the one in which the attempt stands or was given up. Step 4 has its own judge,
        :func:`conclude`, because those who were disqualified need not speak in it.
        """
        missing: dict[int, str] = {}
        for kind in (kind for kind in STEPS if kind != "ceremony-4"):
            silent = self.expected(kind) - self.sent[kind].keys()
            for sender in sorted(silent):
                missing.setdefault(sender, kind)
            if silent and kind not in self.cuts:
                break  # it stands here: nobody had to say anything later
        return missing

    def verify_turn(self, kind: str, sender: int) -> None:
        """Raise :class:`CeremonyError` unless ``sender`` may send ``kind`` now; what is over stays as it is.

        A message let in late would change the transcript that the others have already agreed to.
        """
        before, party = BEFORE.get(kind), f"trustee {sender}"
        if RESTART in self.cuts:
            raise CeremonyError("this attempt of the ceremony was given up", party=party)
        if before is not None and not self.finished(before):
            raise CeremonyError(f"{kind} of trustee {sender} comes before {before} is over", party=party)
        if kind in self.cuts:
            raise CeremonyError(f"{kind} of trustee {sender} comes after the wait was cut", party=party)
        if sender not in self.expected(kind):
            raise CeremonyError(f"nothing is expected of trustee {sender} in {kind}", party=party)


@dataclass(frozen=True)
class StreamKeys:
    """The public outcome of a completed ceremony."""

    public_key: bytes
    public_shares: Mapping[int, bytes]
    disqualified: Mapping[int, str]


def conclude(group: Backend, record: CeremonyRecord | None, place: str) -> StreamKeys:
    """Return the keys that a complete attempt gives; raises :class:`CeremonyError` that says what it waits for."""
    if record is None:
        raise CeremonyError(f"the key ceremony of {place} has not begun: try again in a moment")
    if not record.finished("ceremony-3-answer"):
        raise CeremonyError(f"the key ceremony of {place} is under way: try again in a moment")
    outcome = keygen.conclude(group, record.ceremony, record.transcript())
    keygen.verify_agreement(record.ceremony, outcome, record.confirmations())
    return StreamKeys(outcome.public_key, outcome.public_shares, outcome.disqualified)
