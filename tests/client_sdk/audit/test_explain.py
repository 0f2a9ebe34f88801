"""Every kind of entry has its words, and none of them is beyond a person without the specification."""

from __future__ import annotations

import pytest

from support.boards import MadeBoard
from tacit_client.audit.explain import _WORDS, explain
from tacit_protocol import messages
from tacit_protocol.messages import (
    AccessRules,
    BoardEntry,
    CeremonyCut,
    Eligibility,
    Erasure,
    Handover,
    Message,
    QueryAuditAnswer,
    QueryAuditResult,
    Round3,
    Round3Answer,
    StatementSignature,
    TallyAnnouncement,
    TallyInput,
    TallyRelease,
)
from tacit_protocol.signing import Signed

E, S = "2026-h2", "social-audit"


def test_every_kind_has_words() -> None:
    assert set(_WORDS) == set(messages.KINDS.values())


def test_a_whole_board_is_explained() -> None:
    made = MadeBoard("explain").open()
    member = made.member()
    grant = made.grant_any(member)
    made.window(member)
    order = made.add(made.auditor, made.order(member, grant))
    made.add(member, QueryAuditAnswer(order, bytes(64)))
    made.add(made.auditor, QueryAuditResult(order, "plausible", 10, 0, 6))
    made.board()
    for entry in made.entries:
        head, *sentences = explain(entry)
        assert head.startswith(f"Entry {entry.sequence}, taken in 2026-")
        assert sentences and all(sentence.endswith(".") for sentence in sentences)
    text = " ".join(sentence for entry in made.entries for sentence in explain(entry))
    for part in ("opens epoch 2026-h2", "joins", "2,048 blinded elements", "appoints auditor", "10 plausible"):
        assert part in text


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            Round3(E, S, 2, 1, (2,)),
            "accuses trustee 2: its share did not fit (key ceremony of 2026-h2/social-audit, att",
        ),
        (Round3Answer(E, S, 1, 2, ()), "answers an accusation"),
        (CeremonyCut(E, S, 1, "restart"), "gives attempt 1"),
        (CeremonyCut(E, S, 1, "ceremony-2"), "waits no longer"),
        (Handover(E, S, 3, (), 0, bytes(64)), "their records wait"),
        (Erasure(E, 2), "Trustee 2 says that it has erased"),
        (AccessRules(E, (S,), "I will"), "let in by name: social-audit"),
        (AccessRules(E, (), ""), "nothing to sign"),
        (Eligibility(E, S, "a" * 16, True), "lets member aaaaaaaaaaaaaaaa into"),
        (Eligibility(E, S, "a" * 16, False), "no longer lets member"),
        (StatementSignature(E, bytes(32)), "signs the statement of epoch"),
        (TallyAnnouncement("avoided", E, 2, ("a" * 16,) * 5), "Trustee 2 decrypts their sum"),
        (TallyInput(3, bytes(64)), "submitted to the tally of entry 3"),
        (TallyRelease(3, bytes(64)), "releases the sum of the tally of entry 3"),
        (QueryAuditResult(7, "refused", 0, 0, 0), "no usable answer came in time"),
        (QueryAuditResult(7, "not-plausible", 1, 2, 3), "looks as if a directory was trawled"),
    ],
)
def test_the_rarer_messages(message: Message, words: str) -> None:
    made = MadeBoard("rare")
    made.add(made.secretariat, message)
    assert words in " ".join(explain(made.entries[0]))


def test_what_cannot_be_read_is_said() -> None:
    unknown = BoardEntry(0, 0, Signed("new kind", "abcdefghijklmnop", b"{}", bytes(64)))
    assert "update" in explain(unknown)[1]
    broken = BoardEntry(0, 0, Signed("grant", "abcdefghijklmnop", b"{}", bytes(64)))
    assert "cannot be read" in explain(broken)[1]
