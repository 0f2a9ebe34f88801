"""Judge an answer to a query audit: read it, verify every opening against the log, tell plausible from not plausible.

What the cryptography shows is certain: these inputs were blinded in that batch. What it means is a judgement, and the
rule is this. Padding is declared and counts neither way. An input that is no match key of a known kind is not
plausible. A key that a sign of trawling marks is not plausible until the member explains it on the worksheet. A key
that the worksheet asks for and the member does not explain is not plausible.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tacit_client.audit import worksheet
from tacit_client.audit.trawling import Sign, find_signs
from tacit_client.opened_keys import KEY, PADDING, UNKNOWN, OpenedKey, read_opened
from tacit_protocol import query_audit
from tacit_protocol.audit_ledger import AuditLedger, OrderedAudit
from tacit_protocol.errors import QueryAuditError
from tacit_protocol.group import ELEMENT_BYTES, Backend
from tacit_protocol.messages import QueryAuditResult

TOLERANCE = 0.05  # share of real keys that may stay unexplained: lists age, suppliers change their names
CONFIDENCE = 0.95
Explained = Mapping[tuple[int, int], bool]


@dataclass(frozen=True, slots=True)
class Judged:
    """One opening: where it stands, what it is, and why it is not plausible ("" when it is)."""

    grant: int
    position: int
    key: OpenedKey
    why: str


@dataclass(frozen=True)
class Judgement:
    """What an answer comes to."""

    ordered: OrderedAudit
    openings: Sequence[Judged]
    signs: Sequence[Sign]
    asked: int  # elements in the audited batches
    repeated: int  # openings whose input was opened before: canaries, or a retry
    tolerance: float = TOLERANCE
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def implausible(self) -> int:
        """Return how many openings are not plausible."""
        return sum(bool(opening.why) for opening in self.openings)

    @property
    def padding(self) -> int:
        """Return how many openings are declared padding."""
        return sum(opening.key.kind == PADDING for opening in self.openings)

    @property
    def plausible(self) -> int:
        """Return how many openings are plausible keys."""
        return len(self.openings) - self.implausible - self.padding

    @property
    def outcome(self) -> Literal["plausible", "not-plausible"]:
        """Return the verdict under the tolerance."""
        real = self.plausible + self.implausible
        return "not-plausible" if self.implausible > self.tolerance * real else "plausible"

    @property
    def unseen_share(self) -> float:
        """Return the share of not plausible elements that this sample would miss once in twenty times at most.

        With no such opening among k, a share p goes unseen with (1 - p)^k; solved for 1 - :data:`CONFIDENCE`.
        """
        return 1.0 - math.exp(math.log(1.0 - CONFIDENCE) / max(1, len(self.openings)))

    def result(self) -> QueryAuditResult:
        """Return the message for the log."""
        return QueryAuditResult(self.ordered.entry, self.outcome, self.plausible, self.implausible, self.padding)

    def questions(self) -> list[worksheet.Row]:
        """Return the rows of the worksheet: every opened key that is one."""
        return [
            worksheet.Row(o.grant, o.position, o.key.label, o.key.value, o.why or "drawn at random")
            for o in self.openings
            if o.key.kind == KEY
        ]


def judge(
    group: Backend,
    audits: AuditLedger,
    ordered: OrderedAudit,
    private_key: X25519PrivateKey,
    sealed: bytes,
    *,
    explained: Explained | None = None,
    tolerance: float = TOLERANCE,
) -> Judgement:
    """Open, verify and judge a sealed answer; raises :class:`QueryAuditError` naming the member when it is false."""
    order = ordered.order
    logged = audits.answers.get(ordered.entry)
    if logged is None or logged.digest != query_audit.answer_digest(sealed):
        raise QueryAuditError(
            f"this file is not the answer that member {order.member} signed on the log: ask it for that one",
            party=order.member,
        )
    answer = query_audit.open_answer(private_key, order, sealed)
    if answer.order != ordered.entry or tuple(batch.grant for batch in answer.batches) != order.grants:
        raise QueryAuditError(
            f"member {order.member} opened other batches than the order names",
            party=order.member,
            evidence={"order": ordered.entry},
        )
    openings: list[tuple[int, int, bytes]] = []
    for batch in answer.batches:
        query_audit.verify_openings(group, order.member, audits.granted[batch.grant][1], order, batch)
        openings += [(batch.grant, opening.position, opening.value) for opening in batch.openings]
    asked = sum(len(batch.blinded) // ELEMENT_BYTES for batch in answer.batches)
    return _judge(ordered, openings, asked, explained, tolerance)


def _judge(
    ordered: OrderedAudit,
    openings: Sequence[tuple[int, int, bytes]],
    asked: int,
    explained: Explained | None,
    tolerance: float,
) -> Judgement:
    keys = [read_opened(value) for _, _, value in openings]
    # A canary stands in several batches on purpose: it must not look like a row of equal numbers.
    first = {value: i for i, (_, _, value) in reversed(list(enumerate(openings)))}
    once = [
        key if first[value] == i else OpenedKey(PADDING)
        for i, (key, (_, _, value)) in enumerate(zip(keys, openings, strict=True))
    ]
    signs = find_signs(once, asked)
    marked = {i: sign.name for sign in signs for i in sign.marked}
    judged = []
    for key, (grant, position, value) in zip(keys, openings, strict=True):
        sign = marked.get(first[value])
        judged.append(Judged(grant, position, key, _why(key, sign, explained, (grant, position))))
    counts = Counter(key.label for key in keys)
    return Judgement(ordered, judged, signs, asked, len(openings) - len(first), tolerance, counts)


def _why(key: OpenedKey, sign: str | None, explained: Explained | None, place: tuple[int, int]) -> str:
    if key.kind == PADDING:
        return ""
    if key.kind == UNKNOWN:
        return "no match key of a known kind"
    if explained is not None:
        return "" if explained.get(place, False) else "the member shows no purchase relation"
    return sign or ""
