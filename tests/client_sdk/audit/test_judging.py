"""An answer is verified to the last opening; what it means follows from rules that are written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pytest

from support.boards import Batch, MadeBoard
from tacit_client.audit import worksheet
from tacit_client.audit.judging import Judgement, judge
from tacit_client.list_cells import ListError
from tacit_matcher.keys import MatchKey
from tacit_protocol import query_audit, signing
from tacit_protocol.errors import QueryAuditError
from tacit_protocol.messages import QueryAuditAnswer
from tacit_protocol.query_audit import AuditAnswer, OpenedBatch

FAR = "bdfhjlnprtvxzacegikmoqsuwy"  # initials far apart


def honest_keys(number: int, start: int = 0) -> list[bytes]:
    """Return keys of names all over the alphabet."""
    kinds = ("word+place", "word+postcode", "street", "numbers")
    return [
        MatchKey(kinds[i % 4], f"DE|{FAR[i % 26]}name{i}|{(i * 7919) % 90000 + 10000}").encode()
        for i in range(start, start + number)
    ]


@dataclass
class Audit:
    """One member, its batches, an order over them and its answer on the log."""

    made: MadeBoard = field(default_factory=lambda: MadeBoard("judging").open())

    def __post_init__(self) -> None:
        self.member = self.made.member()
        self.name = signing.pseudonym(signing.public_bytes(self.member))
        self.batches: dict[int, Batch] = {}

    def asks(self, inputs: list[bytes]) -> Batch:
        batch = self.made.batch(inputs)
        self.batches[self.made.grant(self.member, batch.blinded)] = batch
        return batch

    def order(self, positions: int = 64) -> None:
        message = self.made.order(self.member, *self.batches, positions=positions)
        self.entry = self.made.add(self.made.auditor, message)
        self.ordered = self.made.board().audits.orders[self.entry]

    def opened(self) -> tuple[OpenedBatch, ...]:
        granted = self.made.board().audits.granted
        return tuple(
            query_audit.open_batch(
                self.made.group, n, b.inputs, b.blinds, query_audit.positions_of(self.ordered.order, granted[n][1])
            )
            for n, b in self.batches.items()
        )

    def answer(self, *opened: OpenedBatch) -> bytes:
        answer = AuditAnswer(self.entry, opened or self.opened())
        public = self.made.auditor_agreement.public_key().public_bytes_raw()
        sealed = query_audit.seal_answer(public, self.ordered.order, answer)
        self.made.add(self.member, QueryAuditAnswer(self.entry, query_audit.answer_digest(sealed)))
        return sealed

    def judge(self, sealed: bytes, explained: dict[tuple[int, int], bool] | None = None) -> Judgement:
        audits = self.made.board().audits
        return judge(self.made.group, audits, self.ordered, self.made.auditor_agreement, sealed, explained=explained)


@pytest.fixture
def audit() -> Audit:
    return Audit()


def test_an_honest_answer_is_plausible_and_counts_add_up(audit: Audit) -> None:
    audit.asks(honest_keys(1500))
    audit.order()
    judgement = audit.judge(audit.answer())
    assert judgement.outcome == "plausible" and judgement.implausible == 0 and judgement.signs == []
    assert judgement.plausible + judgement.padding == 64
    assert 30 < judgement.plausible < 60  # 1,500 of 2,048 are keys
    assert 0.04 < judgement.unseen_share < 0.05  # 1 - 0.05 ** (1 / 64)
    audit.made.add(audit.made.auditor, judgement.result())
    assert audit.made.board().audits.results[audit.entry].outcome == "plausible"


def test_all_padding_is_declared_and_fine(audit: Audit) -> None:
    audit.asks([])
    audit.order()
    judgement = audit.judge(audit.answer())
    assert (judgement.plausible, judgement.implausible, judgement.padding) == (0, 0, 64)
    assert judgement.outcome == "plausible" and judgement.questions() == []


def test_numbers_in_a_row_are_not_plausible_until_explained(audit: Audit) -> None:
    audit.asks([MatchKey("duns", f"{400000000 + i}").encode() for i in range(2040)])
    audit.order()
    sealed = audit.answer()
    judgement = audit.judge(sealed)
    assert judgement.outcome == "not-plausible" and judgement.implausible == 64 - judgement.padding
    assert {sign.name for sign in judgement.signs} == {"one kind of identifier", "numbers in a row"}
    explained = {(row.grant, row.position): True for row in judgement.questions()}
    assert audit.judge(sealed, explained).outcome == "plausible"
    assert audit.judge(sealed, {}).outcome == "not-plausible"


def test_a_few_unexplained_suppliers_are_tolerated(audit: Audit) -> None:
    audit.asks(honest_keys(2040))
    audit.order(positions=128)
    sealed = audit.answer()
    rows = audit.judge(sealed).questions()
    answers = {(row.grant, row.position): i >= 5 for i, row in enumerate(rows)}
    judgement = audit.judge(sealed, answers)
    assert judgement.implausible == 5 and judgement.outcome == "plausible"
    answers = {(row.grant, row.position): i >= 10 for i, row in enumerate(rows)}
    assert audit.judge(sealed, answers).outcome == "not-plausible"


def test_inputs_that_are_no_match_keys_are_not_plausible(audit: Audit) -> None:
    audit.asks([b"ask me anything %d" % i for i in range(500)])
    audit.order()
    judgement = audit.judge(audit.answer())
    assert judgement.outcome == "not-plausible"
    assert {o.why for o in judgement.openings if o.why} == {"no match key of a known kind"}


def test_canaries_are_counted_once_as_what_they_are(audit: Audit) -> None:
    canary = MatchKey("duns", "400000001").encode()
    for start in (0, 2000):
        audit.asks([*honest_keys(1000, start), *[canary] * 500])  # far more than a client puts in
    audit.order()
    judgement = audit.judge(audit.answer())
    assert judgement.repeated > 5 and judgement.signs == [] and judgement.outcome == "plausible"


def test_another_input_for_the_same_element_is_false(audit: Audit) -> None:
    audit.asks(honest_keys(1500))
    audit.order()
    (opened,) = audit.opened()
    import msgspec

    first = msgspec.structs.replace(opened.openings[0], value=honest_keys(1)[0])
    sealed = audit.answer(OpenedBatch(opened.grant, opened.blinded, (first, *opened.openings[1:])))
    with pytest.raises(QueryAuditError, match="does not give the element") as caught:
        audit.judge(sealed)
    assert caught.value.party == audit.name and caught.value.evidence


def test_the_answer_of_another_batch_is_false(audit: Audit) -> None:
    audit.asks(honest_keys(1500))
    spare = audit.made.batch(honest_keys(1500))
    audit.order()
    (opened,) = audit.opened()
    positions = [opening.position for opening in opened.openings]
    replayed = query_audit.open_batch(audit.made.group, opened.grant, spare.inputs, spare.blinds, positions)
    with pytest.raises(QueryAuditError, match="not those that were granted") as caught:
        audit.judge(audit.answer(replayed))
    assert caught.value.party == audit.name


def test_an_answer_to_an_earlier_order_does_not_open_under_a_later_one(audit: Audit) -> None:
    audit.asks(honest_keys(100))
    audit.order()
    earlier = audit.answer()
    audit.batches.clear()
    audit.asks(honest_keys(100, 100))
    audit.order()
    audit.made.add(audit.member, QueryAuditAnswer(audit.entry, query_audit.answer_digest(earlier)))
    with pytest.raises(QueryAuditError, match="another order"):
        audit.judge(earlier)


def test_batches_left_out_are_noticed(audit: Audit) -> None:
    for start in (0, 2000):
        audit.asks(honest_keys(100, start))
    audit.order()
    with pytest.raises(QueryAuditError, match="other batches"):
        audit.judge(audit.answer(audit.opened()[0]))


def test_only_the_file_that_was_signed_counts(audit: Audit) -> None:
    audit.asks(honest_keys(100))
    audit.order()
    sealed = audit.answer()
    with pytest.raises(QueryAuditError, match="not the answer that member") as caught:
        audit.judge(sealed + b"x")
    assert not caught.value.evidence  # a wrong file proves nothing against the member


# --- the worksheet ------------------------------------------------------------------------------------------

ROWS = [
    worksheet.Row(7, 11, "GLN", "4012345000009", "drawn at random"),
    worksheet.Row(7, 12, "name and city", "=cmd|' /C calc'!A0", "alphabetical"),
    worksheet.Row(9, 3, "name", "DE|müller", "drawn at random"),
]


def fill(path: Path, answers: list[tuple[str, str]]) -> None:
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    for number, (relation, reference) in enumerate(answers, 2):
        sheet.cell(number, 7).value = relation
        sheet.cell(number, 8).value = reference
    book.save(path)


def test_a_worksheet_goes_out_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "questions.xlsx"
    worksheet.write(path, ROWS, "abcdefghijklmnop", 44)
    fill(path, [("yes", "PO 4711"), ("no", ""), ("Planned", "offer of May")])
    assert worksheet.read(path) == {(7, 11): True, (7, 12): False, (9, 3): True}


def test_a_yes_without_a_reference_explains_nothing(tmp_path: Path) -> None:
    path = tmp_path / "questions.xlsx"
    worksheet.write(path, ROWS, "abcdefghijklmnop", 44)
    fill(path, [("yes", ""), ("yes", "  "), ("", "PO 1")])
    assert not any(worksheet.read(path).values())


def test_an_answer_that_is_none_names_its_row(tmp_path: Path) -> None:
    path = tmp_path / "questions.xlsx"
    worksheet.write(path, ROWS, "abcdefghijklmnop", 44)
    fill(path, [("yes", "PO"), ("perhaps", "")])
    with pytest.raises(ListError, match="row 3"):
        worksheet.read(path)


def test_no_key_becomes_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "questions.xlsx"
    worksheet.write(path, ROWS, "abcdefghijklmnop", 44)
    cell = openpyxl.load_workbook(path).worksheets[0].cell(3, 5)
    assert cell.data_type == "s" and cell.value == ROWS[1].value


def test_another_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.xlsx"
    book = openpyxl.Workbook()
    book.active["A1"] = "Supplier"
    book.save(path)
    with pytest.raises(ListError, match="has no column"):
        worksheet.read(path)
