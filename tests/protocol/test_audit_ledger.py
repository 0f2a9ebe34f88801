"""Who may order a query audit, of what, how often, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from support.boards import CLOSES, DAY, MadeBoard
from tacit_protocol import audit_ledger, signing
from tacit_protocol.errors import QueryAuditError, SignatureError, TacitError
from tacit_protocol.messages import AuditorAppointment, QueryAuditAnswer, QueryAuditOrder, QueryAuditResult


class Scene:
    """A member with two granted batches, an auditor and another member."""

    def __init__(self) -> None:
        self.made = MadeBoard("ledger").open()
        self.member, self.other = self.made.member(), self.made.member()
        self.grants = [self.made.grant_any(self.member, 2048), self.made.grant_any(self.member, 4096)]
        self.others_grant = self.made.grant_any(self.other)

    def order(self, *numbers: int, **changes: object) -> QueryAuditOrder:
        return self.made.order(self.member, *(numbers or self.grants), **changes)

    def ordered(self) -> int:
        return self.made.add(self.made.auditor, self.order())

    def answered(self) -> int:
        entry = self.ordered()
        self.made.add(self.member, QueryAuditAnswer(entry, bytes(64)))
        return entry


@pytest.fixture
def scene() -> Scene:
    return Scene()


def name(key: Ed25519PrivateKey) -> str:
    return signing.pseudonym(signing.public_bytes(key))


def test_an_audit_from_order_to_result(scene: Scene) -> None:
    entry = scene.ordered()
    audits = scene.made.board().audits
    assert [o.entry for o in audits.open_orders(name(scene.member))] == [entry]
    assert audits.audited(scene.grants[0]) and not audits.audited(scene.others_grant)
    assert audits.overdue(audits.orders[entry].due + 1) == [audits.orders[entry]]
    scene.made.add(scene.member, QueryAuditAnswer(entry, bytes(64)))
    audits = scene.made.board().audits
    assert audits.open_orders(name(scene.member)) == [] and audits.overdue(2**39) == []
    scene.made.add(scene.made.auditor, QueryAuditResult(entry, "plausible", 20, 0, 12))
    assert scene.made.board().audits.results[entry].plausible == 20


def test_silence_is_reported_by_name_and_concluded_only_when_due(scene: Scene) -> None:
    entry = scene.ordered()
    refused = QueryAuditResult(entry, "refused", 0, 0, 0)
    early = MadeBoard.board(scene.made)
    scene.made.add(scene.made.auditor, refused)
    with pytest.raises(QueryAuditError, match="still has time"):
        scene.made.board()
    scene.made.entries.pop()
    scene.made.time += audit_ledger.ANSWER_SECONDS
    scene.made.add(scene.made.auditor, refused)
    assert scene.made.board().audits.results[entry].outcome == "refused"
    assert [o.order.member for o in early.audits.overdue(scene.made.time)] == [name(scene.member)]


BAD_ORDERS: dict[str, tuple[Callable[[Scene], QueryAuditOrder], str]] = {
    "a grant of another member": (lambda s: s.order(s.others_grant), "is no grant of member"),
    "an entry that is no grant": (lambda s: s.order(0), "is no grant of member"),
    "an entry that does not exist": (lambda s: s.order(10_000), "no checkpoint"),
    "a grant twice": (lambda s: s.order(s.grants[0], s.grants[0]), "audited once"),
    "another root": (lambda s: s.order(root=bytes(32)), "no checkpoint"),
    "a checkpoint before the grant": (
        lambda s: s.order(checkpoint=s.grants[1], root=s.made.board().tree.root(s.grants[1])),
        "no checkpoint",
    ),
    "a checkpoint in the future": (lambda s: s.order(checkpoint=len(s.made.entries) + 1), "no checkpoint"),
    "an unknown epoch": (lambda s: s.order(epoch="2031-h1"), "audit period"),
    "another stream": (lambda s: s.order(stream="ecovadis"), "is no grant of member"),
    "too many positions": (lambda s: s.order(positions=257), "positions"),
    "no positions": (lambda s: s.order(positions=0), "positions"),
    "no grants": (lambda s: msgspec.structs.replace(s.order(), grants=()), "grants"),
}


@pytest.mark.parametrize("fault", BAD_ORDERS)
def test_an_order_that_asks_for_more_than_the_rules_allow_is_refused(scene: Scene, fault: str) -> None:
    make, why = BAD_ORDERS[fault]
    scene.made.add(scene.made.auditor, make(scene))
    with pytest.raises(TacitError, match=why):
        scene.made.board()


def test_a_batch_is_audited_once(scene: Scene) -> None:
    scene.ordered()
    scene.made.add(scene.made.auditor, scene.made.order(scene.member, scene.grants[0]))
    with pytest.raises(QueryAuditError, match="audited once"):
        scene.made.board()


def test_a_batch_granted_twice_is_still_one_batch(scene: Scene) -> None:
    first = scene.made.entries[scene.grants[0]].message
    again = scene.made.append(first)
    scene.ordered()
    scene.made.add(scene.made.auditor, scene.made.order(scene.member, again))
    with pytest.raises(QueryAuditError, match="audited once"):
        scene.made.board()


def test_orders_end_with_the_audit_period(scene: Scene) -> None:
    order = scene.order()
    scene.made.time = CLOSES + audit_ledger.AUDIT_PERIOD_SECONDS
    scene.made.add(scene.made.auditor, order)
    with pytest.raises(QueryAuditError, match="period of epoch"):
        scene.made.board()


def test_orders_end_with_the_auditors_term(scene: Scene) -> None:
    appointment = msgspec.structs.replace(scene.made.appointment(), until=scene.made.time)
    scene.made.add(scene.made.secretariat, appointment)
    scene.ordered()
    with pytest.raises(QueryAuditError, match="term of auditor"):
        scene.made.board()


@pytest.mark.parametrize("who", ["secretariat", "member", "trustee", "stranger"])
def test_only_an_auditor_orders(scene: Scene, who: str) -> None:
    keys = {
        "secretariat": scene.made.secretariat,
        "member": scene.member,
        "trustee": scene.made.trustees[1],
        "stranger": scene.made.signing_key(),
    }
    scene.made.add(keys[who], scene.order())
    with pytest.raises(QueryAuditError, match="is not an auditor"):
        scene.made.board()


@pytest.mark.parametrize("whose", ["secretariat", "trustee", "trustee's agreement", "member"])
def test_the_keys_of_another_role_are_no_auditors_keys(scene: Scene, whose: str) -> None:
    agreement = scene.made.agreements[1].public_key().public_bytes_raw()
    signing_keys = {
        "secretariat": scene.made.secretariat_key,
        "trustee": scene.made.trustee_keys[2],
        "member": signing.public_bytes(scene.member),
    }
    good = scene.made.appointment()
    appointment = AuditorAppointment(
        signing_keys.get(whose, good.signing_key),
        agreement if whose == "trustee's agreement" else good.agreement_key,
        good.until,
    )
    scene.made.add(scene.made.secretariat, appointment)
    with pytest.raises(QueryAuditError, match="keys of its own") as caught:
        scene.made.board()
    assert caught.value.party == "secretariat"


def test_only_the_secretariat_appoints(scene: Scene) -> None:
    scene.made.add(scene.made.auditor, scene.made.appointment())
    with pytest.raises(SignatureError):
        scene.made.board()


def test_only_the_member_answers_and_once(scene: Scene) -> None:
    entry = scene.ordered()
    scene.made.add(scene.other, QueryAuditAnswer(entry, bytes(64)))
    with pytest.raises(QueryAuditError, match="orders no query audit of member"):
        scene.made.board()
    scene.made.entries.pop()
    for _ in range(2):
        scene.made.add(scene.member, QueryAuditAnswer(entry, bytes(64)))
    with pytest.raises(QueryAuditError, match="already"):
        scene.made.board()


def test_an_answer_signed_in_the_members_name_by_another_is_refused(scene: Scene) -> None:
    entry = scene.ordered()
    signed = scene.made.sign(scene.other, QueryAuditAnswer(entry, bytes(64)))
    scene.made.append(msgspec.structs.replace(signed, signer=name(scene.member)))
    with pytest.raises(SignatureError):
        scene.made.board()


@pytest.mark.parametrize(
    ("outcome", "counts", "why"),
    [
        ("plausible", (31, 0, 0), "other openings"),
        ("plausible", (33, 0, 0), "other openings"),
        ("not-plausible", (0, 0, 0), "other openings"),
        ("false", (1, 0, 0), "other openings"),
        ("refused", (0, 0, 0), "still has time"),
        ("innocent", (32, 0, 0), "outcome"),
    ],
)
def test_results_that_do_not_follow_from_the_answer_are_refused(
    scene: Scene, outcome: str, counts: tuple[int, int, int], why: str
) -> None:
    entry = scene.answered()
    scene.made.add(scene.made.auditor, QueryAuditResult(entry, outcome, *counts))  # type: ignore[arg-type]
    with pytest.raises(TacitError, match=why):
        scene.made.board()


def test_no_openings_are_judged_without_an_answer(scene: Scene) -> None:
    scene.made.add(scene.made.auditor, QueryAuditResult(scene.ordered(), "not-plausible", 0, 32, 0))
    with pytest.raises(QueryAuditError, match="without an answer"):
        scene.made.board()


def test_another_auditor_does_not_conclude_an_audit(scene: Scene) -> None:
    entry = scene.answered()
    second = scene.made.signing_key()
    agreement = scene.made.draw(32)
    scene.made.add(
        scene.made.secretariat, AuditorAppointment(signing.public_bytes(second), agreement, CLOSES + 365 * DAY)
    )
    scene.made.add(second, QueryAuditResult(entry, "plausible", 32, 0, 0))
    with pytest.raises(QueryAuditError, match="is open"):
        scene.made.board()


def test_a_result_stands(scene: Scene) -> None:
    entry = scene.answered()
    for outcome in ("plausible", "not-plausible"):
        scene.made.add(scene.made.auditor, QueryAuditResult(entry, outcome, 16, 16, 0))
    with pytest.raises(QueryAuditError, match="is open"):
        scene.made.board()
