"""What the board says about query audits: who may order one, of which grants, what was answered, what came out.

The rules bound what an auditor can learn: it must be appointed, a batch is audited once, at most
:data:`~tacit_protocol.messages.MAX_POSITIONS` of its elements are opened, and only until the audit period is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tacit_protocol import messages, signing
from tacit_protocol.errors import QueryAuditError
from tacit_protocol.grants import Ledger
from tacit_protocol.messages import (
    AuditorAppointment,
    BoardEntry,
    GrantRequest,
    QueryAuditAnswer,
    QueryAuditOrder,
    QueryAuditResult,
)

KINDS = frozenset({"auditor", "query-audit", "query-audit-answer", "query-audit-result"})
DAY = 86400
AUDIT_PERIOD_SECONDS = 90 * DAY  # after an epoch closes; until then batches can be audited and members keep them
ANSWER_SECONDS = 21 * DAY  # from the order's entry to the answer's

RootAt = Callable[[int], bytes]
# Result -> whether an answer must have come before it.
_AFTER_ANSWER = {"plausible": True, "not-plausible": True, "false": True, "refused": False}


@dataclass(frozen=True, slots=True)
class OrderedAudit:
    """An order as it stands on the board: its entry, when it came, the auditor that signed it."""

    entry: int
    time: int
    auditor: str
    order: QueryAuditOrder

    @property
    def due(self) -> int:
        """Return the time by which the member has to answer (Unix seconds)."""
        return self.time + ANSWER_SECONDS


@dataclass
class AuditLedger:
    """Auditors, orders, answers and results, fed with the board's entries in order."""

    auditors: dict[str, AuditorAppointment] = field(default_factory=dict)
    granted: dict[int, tuple[str, GrantRequest]] = field(default_factory=dict)
    orders: dict[int, OrderedAudit] = field(default_factory=dict)
    answers: dict[int, QueryAuditAnswer] = field(default_factory=dict)
    results: dict[int, QueryAuditResult] = field(default_factory=dict)
    _audited: set[tuple[str, str, str, bytes]] = field(default_factory=set)

    def note_grant(self, entry: BoardEntry) -> None:
        """Remember a grant that the ledger has accepted."""
        self.granted[entry.sequence] = (entry.message.signer, messages.body_of(entry.message, GrantRequest))

    def apply(self, entry: BoardEntry, ledger: Ledger, root_at: RootAt, officials: Iterable[bytes]) -> None:
        """Take in one entry of :data:`KINDS`; raises :class:`QueryAuditError` or a :class:`SignatureError`.

        ``root_at`` gives the log's root at any size so far; ``officials`` the keys of those who must not be auditors.
        That an appointment is signed by the secretariat is checked before.
        """
        message = entry.message
        if message.kind == "auditor":
            self._appoint(messages.body_of(message, AuditorAppointment), ledger, officials)
        elif message.kind == "query-audit":
            self._order(entry, ledger, root_at)
        elif message.kind == "query-audit-answer":
            self._answer(entry, ledger)
        else:
            self._result(entry)

    def key_of(self, auditor: str) -> bytes:
        """Return the signing key of an appointed auditor; raises :class:`QueryAuditError`."""
        if auditor not in self.auditors:
            raise QueryAuditError(
                f"{auditor} is not an auditor: the secretariat appoints one with 'appoint-auditor'", party=auditor
            )
        return self.auditors[auditor].signing_key

    def audited(self, entry: int) -> bool:
        """Tell whether the batch granted in ``entry`` was named in an order."""
        member, grant = self.granted[entry]
        return _batch(member, grant) in self._audited

    def open_orders(self, member: str) -> list[OrderedAudit]:
        """Return the orders that wait for an answer of ``member``, oldest first."""
        return [
            o
            for o in self.orders.values()
            if o.order.member == member and o.entry not in self.answers and o.entry not in self.results
        ]

    def overdue(self, now: int) -> list[OrderedAudit]:
        """Return the orders that were not answered in time; each is reported by the member's name."""
        return [o for o in self.orders.values() if o.due < now and o.entry not in self.answers]

    def _appoint(self, appointment: AuditorAppointment, ledger: Ledger, officials: Iterable[bytes]) -> None:
        # Answers hold what a member asked for. A secretariat that appoints itself would read them.
        keys = {appointment.signing_key, appointment.agreement_key}
        taken = {*officials, *ledger.signing_keys.values()}
        if len(keys) != 2 or keys & taken:
            raise QueryAuditError(
                "an auditor has keys of its own, not those of the secretariat, a trustee or a member",
                party="secretariat",
            )
        self.auditors[signing.pseudonym(appointment.signing_key)] = appointment

    def _order(self, entry: BoardEntry, ledger: Ledger, root_at: RootAt) -> None:
        """Judge an order (SPEC step Q1)."""
        message, auditor = entry.message, entry.message.signer
        signing.verify(self.key_of(auditor), message)
        order = messages.body_of(message, QueryAuditOrder)
        if entry.time >= self.auditors[auditor].until:
            raise QueryAuditError(f"the term of auditor {auditor} is over", party=auditor)
        if not max(order.grants) < order.checkpoint <= entry.sequence or root_at(order.checkpoint) != order.root:
            raise QueryAuditError(
                "the order names no checkpoint of this log that is later than all its grants", party=auditor
            )
        manifest = ledger.manifests.get(order.epoch)
        if manifest is None or entry.time >= manifest.closes + AUDIT_PERIOD_SECONDS:
            raise QueryAuditError(f"the audit period of epoch {order.epoch} is over", party=auditor)
        batches = [self._batch_of(order, number, auditor) for number in order.grants]
        if len(set(batches)) != len(batches) or self._audited & set(batches):
            raise QueryAuditError("a batch is audited once: openings of two orders would add up", party=auditor)
        self._audited |= set(batches)
        self.orders[entry.sequence] = OrderedAudit(entry.sequence, entry.time, auditor, order)

    def _batch_of(self, order: QueryAuditOrder, number: int, auditor: str) -> tuple[str, str, str, bytes]:
        member, grant = self.granted.get(number, ("", None))
        if grant is None or (member, grant.epoch, grant.stream) != (order.member, order.epoch, order.stream):
            raise QueryAuditError(
                f"entry {number} is no grant of member {order.member} in {order.epoch}/{order.stream}", party=auditor
            )
        return _batch(member, grant)

    def _answer(self, entry: BoardEntry, ledger: Ledger) -> None:
        member = entry.message.signer
        answer = messages.body_of(entry.message, QueryAuditAnswer)
        ordered = self.orders.get(answer.order)
        if ordered is None or ordered.order.member != member:
            raise QueryAuditError(f"entry {answer.order} orders no query audit of member {member}", party=member)
        signing.verify(ledger.signing_keys[member], entry.message)
        if answer.order in self.answers or answer.order in self.results:
            raise QueryAuditError(f"the order in entry {answer.order} was answered or concluded already", party=member)
        self.answers[answer.order] = answer

    def _result(self, entry: BoardEntry) -> None:
        """Judge a result (SPEC step Q5)."""
        message, auditor = entry.message, entry.message.signer
        signing.verify(self.key_of(auditor), message)
        result = messages.body_of(message, QueryAuditResult)
        ordered = self.orders.get(result.order)
        if ordered is None or ordered.auditor != auditor or result.order in self.results:
            raise QueryAuditError(f"no order of auditor {auditor} in entry {result.order} is open", party=auditor)
        if _AFTER_ANSWER[result.outcome] and result.order not in self.answers:
            raise QueryAuditError("an audit without an answer has no openings to judge", party=auditor)
        if not _AFTER_ANSWER[result.outcome] and entry.time <= ordered.due:
            raise QueryAuditError(f"member {ordered.order.member} still has time to answer", party=auditor)
        opened = result.plausible + result.implausible + result.padding
        if opened != self._expected(ordered, result):
            raise QueryAuditError("the result counts other openings than the order asked for", party=auditor)
        self.results[result.order] = result

    def _expected(self, ordered: OrderedAudit, result: QueryAuditResult) -> int:
        if result.outcome in ("false", "refused"):
            return 0
        return sum(min(ordered.order.positions, self.granted[n][1].count) for n in ordered.order.grants)


def _batch(member: str, grant: GrantRequest) -> tuple[str, str, str, bytes]:
    return member, grant.epoch, grant.stream, grant.digest
