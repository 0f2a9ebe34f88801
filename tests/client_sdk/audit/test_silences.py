"""Silent trustees: named by what is missing on the log, and no sooner than that says something."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from support.audits import Case
from support.boards import CLOSES, DAY, EPOCH, START, STREAM, MadeBoard
from tacit_client.audit.findings import FINDING, NOTE, Finding, Report
from tacit_client.audit.monitor import take_turn
from tacit_protocol import keygen
from tacit_protocol.keygen import Ceremony, Transcript
from tacit_protocol.messages import CeremonyCut, Round4

HOUR = 3600


def of(report: Report, check: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(f.severity, f.parties) for f in report.findings if f.check == check]


# --- as witnesses -------------------------------------------------------------------------------------------


def report_of(case: Case, cosigners: tuple[int, ...], now: int) -> Report:
    """Verify the case's log as it would look at ``now``, cosigned a moment ago by ``cosigners``."""
    folder = case.write()
    root = case.made.board().tree.root()
    note = case.signed(len(case.made.entries), root, cosigners, time=now - 60)
    (folder / "log" / "checkpoint").write_bytes(note.encode())
    write, case.write = case.write, lambda: folder  # type: ignore[method-assign]
    try:
        return case.verify(now)
    finally:
        case.write = write  # type: ignore[method-assign]


def test_one_missing_cosignature_is_a_note_that_names_its_trustee(case: Case) -> None:
    report = report_of(case, (1, 2), case.made.time)
    assert report.exit_code == 0
    assert of(report, "cosignatures") == [(NOTE, ("trustee 3",))]
    assert of(report_of(case, (1, 2, 3), case.made.time), "cosignatures") == []


def test_the_monitor_finds_a_trustee_that_no_look_has_seen_cosigning_for_a_day(case: Case, tmp_path: Path) -> None:
    start = case.made.time

    def look(cosigners: tuple[int, ...], hours: int) -> list[Finding]:
        now = start + hours * HOUR
        return take_turn(tmp_path, report_of(case, cosigners, now), now)

    assert look((1, 2, 3), 0) == []
    assert look((1, 2), 1) == [] == look((1, 2), 23)
    (finding,) = look((1, 2), 26)
    assert finding.severity == FINDING and finding.parties == ("trustee 3",)
    assert look((1, 2), 50) == []  # told once
    assert look((1, 2, 3), 51) == [] == look((1, 3), 52)
    (finding,) = look((1, 3), 77)
    assert finding.parties == ("trustee 2",)


def test_a_trustee_that_was_never_seen_to_cosign_counts_from_the_first_look(case: Case, tmp_path: Path) -> None:
    start = case.made.time
    assert take_turn(tmp_path, report_of(case, (1, 2), start), start) == []
    later = start + 25 * HOUR
    (finding,) = take_turn(tmp_path, report_of(case, (1, 2), later), later)
    assert finding.parties == ("trustee 3",)


def test_an_old_cosignature_beside_fresh_ones_is_a_finding(case: Case) -> None:
    """A log at rest is cosigned anew all the time: who stopped keeps its last cosignature on the checkpoint."""
    folder, root, now = case.write(), case.made.board().tree.root(), case.made.time + 30 * HOUR
    old = case.signed(len(case.made.entries), root, (3,))
    fresh = case.signed(len(case.made.entries), root, (1, 2), time=now - 60)
    note = fresh.with_signatures(list(old.signatures[-1:]))
    (folder / "log" / "checkpoint").write_bytes(note.encode())
    case.write = lambda: folder  # type: ignore[method-assign]
    report = case.verify(now)
    assert report.exit_code == 1 and of(report, "cosignatures") == [(FINDING, ("trustee 3",))]


def test_nobody_counts_on_a_trustee_of_a_closed_epoch(case: Case) -> None:
    assert of(report_of(case, (1, 2), CLOSES + DAY), "cosignatures") == []


# --- in a key ceremony --------------------------------------------------------------------------------------


def without_trustee_3(made: MadeBoard, attempt: int = 1, *, cut: str | None = "ceremony-1") -> None:
    """Append a ceremony of trustees 1 and 2; the wait for trustee 3 is cut, or the attempt given up."""
    keys = made.trustee_keys
    ceremony = Ceremony(EPOCH, STREAM, attempt, 2, keys)
    drawn = {i: keygen.round1(made.group, ceremony, i, made.draw(ceremony.random_bytes())) for i in (1, 2)}
    begun = Transcript([message for _, message in drawn.values()], [])
    for message in begun.round1:
        made.add(made.trustees[message.sender], message)
    if cut is None:
        return
    made.add(made.secretariat, CeremonyCut(EPOCH, STREAM, attempt, cut))
    if cut == "restart":
        return
    opened = Transcript(begun.round1, [keygen.round2(ceremony, state, begun) for state, _ in drawn.values()])
    complaints = [keygen.round3(made.group, ceremony, state, opened) for state, _ in drawn.values()]
    for message in (*opened.round2, *complaints):
        made.add(made.trustees[message.sender], message)
    whole = Transcript(opened.round1, opened.round2, complaints)
    for i, (state, _) in drawn.items():
        confirmation: Round4 = keygen.round4(made.group, ceremony, state, whole)[2]
        made.add(made.trustees[i], confirmation)


def case_of(folder: Path, ceremony: Callable[[MadeBoard], None]) -> Case:
    made = MadeBoard("silent")
    made.add(made.secretariat, made.manifest())
    ceremony(made)
    case = Case.__new__(Case)
    case.folder, case.made = folder, made
    return case


def test_a_trustee_that_was_cut_off_is_a_finding(tmp_path: Path) -> None:
    report = case_of(tmp_path, without_trustee_3).verify()
    assert report.exit_code == 1 and report.streams[0].public_key
    assert set(of(report, "key ceremonies")) == {(FINDING, ("trustee 3",))}
    texts = [f.text for f in report.of(FINDING)]
    assert "trustee 3 stayed silent in ceremony-1" in texts[0] and "sent no commitment" in texts[1]


def test_a_trustee_disqualified_for_what_it_sent_is_a_finding(tmp_path: Path) -> None:
    """It is the log's transcript that proves it: anybody concludes the same from it, so no file is needed."""

    def ceremony(made: MadeBoard) -> None:
        one = Ceremony(EPOCH, STREAM, 1, 2, made.trustee_keys)
        drawn = {i: keygen.round1(made.group, one, i, made.draw(one.random_bytes())) for i in (1, 2, 3)}
        begun = Transcript([message for _, message in drawn.values()], [])
        openings = [keygen.round2(one, state, begun) for state, _ in drawn.values()]
        openings[2] = msgspec.structs.replace(openings[2], possession=bytes(64))  # not what it committed to
        opened = Transcript(begun.round1, openings)
        complaints = [keygen.round3(made.group, one, state, opened) for state, _ in drawn.values()]
        whole = Transcript(begun.round1, openings, complaints)
        agreed = [keygen.round4(made.group, one, drawn[i][0], whole)[2] for i in (1, 2)]
        for message in (*begun.round1, *openings, *complaints, *agreed):
            made.add(made.trustees[message.sender], message)

    report = case_of(tmp_path, ceremony).verify()
    assert report.exit_code == 1 and of(report, "key ceremonies") == [(FINDING, ("trustee 3",))]
    assert "was disqualified in the ceremony" in report.of(FINDING)[0].text


def test_whoever_is_waited_for_is_named_and_after_a_day_found(tmp_path: Path) -> None:
    case = case_of(tmp_path, lambda made: without_trustee_3(made, cut=None))
    report = case.verify()
    assert report.exit_code == 0 and of(report, "key ceremonies") == [(NOTE, ("trustee 3",))]
    report = case.verify(now=START + DAY + HOUR)
    assert report.exit_code == 1 and of(report, "key ceremonies") == [(FINDING, ("trustee 3",))]


def test_an_attempt_that_was_given_up_is_a_note(tmp_path: Path) -> None:
    def ceremony(made: MadeBoard) -> None:
        without_trustee_3(made, cut="restart")
        made.ceremony(attempt=2)

    report = case_of(tmp_path, ceremony).verify()
    assert report.exit_code == 0 and of(report, "key ceremonies") == [(NOTE, ("trustee 3",))]
    assert "attempt 1 was given up" in report.findings[0].text


def test_an_attempt_begun_after_the_key_is_in_force_waits_for_nobody(case: Case) -> None:
    case.made.add(case.made.secretariat, CeremonyCut(EPOCH, STREAM, 1, "restart"))
    without_trustee_3(case.made, attempt=2, cut=None)
    report = case.verify(now=START + 2 * DAY)
    assert of(report, "key ceremonies") == [] and report.streams[0].public_key


def test_in_an_honest_ceremony_nobody_is_named(case: Case) -> None:
    assert of(case.verify(), "key ceremonies") == []
