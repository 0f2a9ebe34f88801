"""A key ceremony whose messages a test may change between the steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from support.vectors import draw_from
from tacit_protocol import keygen
from tacit_protocol.group import Backend
from tacit_protocol.keygen import Ceremony, KeyShare, Outcome, Secret, Transcript
from tacit_protocol.messages import Round1, Round2, Round3, Round3Answer, Round4

EPOCH, STREAM = "2026-h2", "social-audit"


@dataclass
class Table:
    """The trustees of one ceremony and what lies on the table, by sender; steps 1 to 3 are run one by one."""

    group: Backend
    ceremony: Ceremony
    secrets: dict[int, Secret] = field(default_factory=dict)
    round1: dict[int, Round1] = field(default_factory=dict)
    round2: dict[int, Round2] = field(default_factory=dict)
    round3: dict[int, Round3] = field(default_factory=dict)
    answers: dict[int, Round3Answer] = field(default_factory=dict)

    @classmethod
    def opened(
        cls, group: Backend, count: int, needed: int, attempt: int = 1, seed: str = "", stream: str = STREAM
    ) -> Table:
        """Return the table after steps 1 and 2, all honest so far."""
        draw = draw_from(f"ceremony {count} {needed} {seed}")
        signing_keys = {i: draw(32) for i in range(1, count + 1)}
        table = cls(group, Ceremony(EPOCH, stream, attempt, needed, signing_keys))
        for i in signing_keys:
            table.secrets[i], table.round1[i] = keygen.round1(
                group, table.ceremony, i, draw(table.ceremony.random_bytes())
            )
        table.open()
        return table

    def open(self) -> None:
        """Step 2 by everybody who spoke in step 1."""
        for i in self.round1:
            self.round2[i] = keygen.round2(self.ceremony, self.secrets[i], self.transcript)

    @property
    def transcript(self) -> Transcript:
        return Transcript(
            list(self.round1.values()),
            list(self.round2.values()),
            list(self.round3.values()),
            list(self.answers.values()),
        )

    def recommit(self, sender: int, opening: Round2) -> None:
        """Let a cheater put a forged opening on the table together with a hash commitment that fits it."""
        commitment = keygen._opening_digest(self.ceremony, opening)
        message = self.round1[sender]
        self.round1[sender] = msgspec.structs.replace(message, sender=sender, commitment=commitment)
        self.round2[sender] = opening

    def complain(self, *silent: int) -> None:
        """Step 3 by everybody who opened, but for the ``silent``."""
        for i in self.round2:
            if i not in silent:
                self.round3[i] = keygen.round3(self.group, self.ceremony, self.secrets[i], self.transcript)

    def answer(self, *silent: int) -> None:
        """The accused reveal the disputed shares, but for the ``silent``."""
        accused = {index for message in self.round3.values() for index in message.accused}
        for i in sorted(accused & self.secrets.keys() - set(silent)):
            self.answers[i] = keygen.answer(self.ceremony, self.secrets[i], list(self.round3.values()))

    def conclude(self) -> Outcome:
        return keygen.conclude(self.group, self.ceremony, self.transcript)

    def finish(self, index: int) -> tuple[KeyShare, Outcome, Round4]:
        return keygen.round4(self.group, self.ceremony, self.secrets[index], self.transcript)

    def run(self, change: Callable[[Table], None] | None = None) -> Outcome:
        """Run all that remains after ``change`` and return what an outsider concludes."""
        if change is not None:
            change(self)
        self.complain()
        self.answer()
        return self.conclude()
