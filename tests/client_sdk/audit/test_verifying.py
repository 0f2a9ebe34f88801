"""`tacit audit verify` alone reaches the right verdict, whoever cheated, and blames nobody on an honest log."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from support.audits import Case
from support.boards import CLOSES, EPOCH, STREAM, MadeBoard
from tacit_client.audit.findings import FINDING, NOTE, UNCHECKED, Report
from tacit_client.audit.sources import FolderSource
from tacit_client.audit.verifying import ERASURE_SECONDS, Verification
from tacit_protocol import messages
from tacit_protocol.audit_ledger import ANSWER_SECONDS
from tacit_protocol.messages import (
    CeremonyCut,
    Erasure,
    GrantRequest,
    Handover,
    IndexRoot,
    Manifest,
    QueryAuditAnswer,
    QueryAuditResult,
    WindowClose,
)


def test_an_honest_log_is_fine(case: Case) -> None:
    result, report = case.command()
    assert result.exit_code == 0, result.output
    assert report["verdict"] == "fine" and report["findings"] == []
    counts = {check["name"]: (check["checked"], check["failed"]) for check in report["checks"]}
    assert counts["entries in sequence"] == (len(case.made.entries), 0)
    assert counts["signatures and rules"] == (len(case.made.entries), 0)
    assert counts["key ceremonies"] == counts["index files"] == (1, 0)
    (stream,) = report["streams"]
    assert stream["public_key"] == case.made.board().stream_keys(case.made.group, EPOCH, STREAM).public_key.hex()
    assert (stream["members_granted"], stream["evaluations"], stream["uploads"]) == (2, 4096, 2)


# --- who cheats, and who is blamed --------------------------------------------------------------------------


def forged_signature(case: Case) -> None:
    case.change(case.find("grant"), signature=bytes(64))


def changed_body(case: Case) -> None:
    number = case.find("upload")
    body = case.made.entries[number].message.body.replace(b'"count":64', b'"count":32')
    case.change(number, body=body)


def over_quota(case: Case) -> None:
    for _ in range(case.made.quota // 8192):
        case.made.grant_any(case.members[0], 8192)


def more_records_than_handed_over(case: Case) -> None:
    case.made.window(*case.members, extra=1)


def handover_of_nothing(case: Case) -> None:
    case.made.add(case.made.secretariat, WindowClose(EPOCH, STREAM, 2))
    case.made.add(case.made.trustees[3], Handover(EPOCH, STREAM, 2, (1, 9999), 128, bytes(64)))


def dropped_contributor(case: Case) -> None:
    case.made.window(case.members[0])


def missing_entry(case: Case) -> None:
    del case.made.entries[case.find("upload")]


def removed_entry(case: Case) -> None:
    del case.made.entries[case.find("upload")]
    case.resequence()


def repeated_entry(case: Case) -> None:
    case.made.entries.append(case.made.entries[-1])


def stranger_gets_a_grant(case: Case) -> None:
    case.made.grant_any(case.made.signing_key())


def other_index_than_announced(case: Case) -> None:
    data = bytearray(case.made.files[1])
    data[-1] ^= 1
    case.made.files[1] = bytes(data)


def swapped_index_file(case: Case) -> None:
    case.made.window(*case.members)
    case.made.files[1], case.made.files[2] = case.made.files[2], case.made.files[1]


def index_without_handover(case: Case) -> None:
    case.made.add(case.made.secretariat, IndexRoot(EPOCH, STREAM, 2, bytes(32), 4096, 64, 896))


def second_index_for_a_window(case: Case) -> None:
    case.made.add(case.made.secretariat, IndexRoot(EPOCH, STREAM, 1, bytes(32), 4096, 64, 896))


def somebody_else_publishes(case: Case) -> None:
    case.made.add(case.made.trustees[1], IndexRoot(EPOCH, STREAM, 2, bytes(32), 4096, 64, 896))


def other_trustees(case: Case) -> None:
    manifest = case.made.manifest()
    mine = msgspec.structs.replace(manifest.trustees[0], signing_key=case.made.secretariat_key)
    changed = msgspec.structs.replace(manifest, epoch="2027-h1", trustees=(mine, *manifest.trustees[1:]))
    case.made.add(case.made.secretariat, changed)


def grant_after_the_end(case: Case) -> None:
    case.made.time = CLOSES + 60
    case.made.grant_any(case.members[0])


def backdated_grant(case: Case) -> None:
    case.made.time -= 86400
    case.made.grant_any(case.members[0])
    case.made.time += 86400


def auditor_from_the_house(case: Case) -> None:
    agreement = case.made.manifest().agreement_key
    case.made.add(case.made.secretariat, msgspec.structs.replace(case.made.appointment(), agreement_key=agreement))


def equivocation(case: Case) -> None:
    other = MadeBoard("another ceremony").open()
    body = next(e for e in other.entries if e.message.kind == "ceremony-2").message.body
    case.made.add(case.made.trustees[1], messages.decode(body, messages.Round2))


def late_confirmation(case: Case) -> None:
    case.made.add(case.made.trustees[1], messages.Round4(EPOCH, STREAM, 2, 1, bytes(64)))


def a_cut_by_a_trustee(case: Case) -> None:
    case.made.add(case.made.trustees[1], CeremonyCut(EPOCH, STREAM, 1, "restart"))


SECRETARIAT, SHUFFLER, FIRST = "secretariat", "trustee 3", "member 0"
CHEATS: dict[str, tuple[Callable[[Case], None], str, set[str]]] = {
    "a forged signature": (forged_signature, "does not verify", {SECRETARIAT}),
    "a signed message changed": (changed_body, "does not verify", {SECRETARIAT}),
    "a grant over the quota": (over_quota, "quota of member", {FIRST, SECRETARIAT}),
    "an index with more records than handed over": (more_records_than_handed_over, "other counts", {SECRETARIAT}),
    "a hand-over of an upload that does not exist": (handover_of_nothing, "no upload to it", {SHUFFLER, SECRETARIAT}),
    "a hand-over that drops a contributor": (dropped_contributor, "leaves out 1 members", {SHUFFLER, SECRETARIAT}),
    "a missing entry": (missing_entry, "are missing", {SECRETARIAT}),
    "an entry removed and the rest renumbered": (removed_entry, "no upload to it", {SHUFFLER, SECRETARIAT}),
    "an entry shown twice": (repeated_entry, "comes again", {SECRETARIAT}),
    "a grant for somebody who is not enrolled": (stranger_gets_a_grant, "not enrolled", {"a stranger", SECRETARIAT}),
    "an index file with one bit changed": (other_index_than_announced, "not the one announced", {SECRETARIAT}),
    "two index files swapped": (swapped_index_file, "not the one announced", {SECRETARIAT}),
    "an index out of nowhere": (index_without_handover, "is not due", {SECRETARIAT}),
    "a second index for one window": (second_index_for_a_window, "is not due", {SECRETARIAT}),
    "an index signed by a trustee": (somebody_else_publishes, "signed in the name of", {SECRETARIAT}),
    "the secretariat's own machine as a trustee": (other_trustees, "another key than the one pinned", {SECRETARIAT}),
    "a grant after the epoch's end": (grant_after_the_end, "epoch closed", {SECRETARIAT}),
    "a backdated grant": (backdated_grant, "dated before", {SECRETARIAT}),
    "two messages of a trustee in one step": (equivocation, "two different messages", {"trustee 1", SECRETARIAT}),
    "a confirmation for an attempt that is none": (late_confirmation, "is in attempt", {"trustee 1", SECRETARIAT}),
    "a ceremony cut off by a trustee": (a_cut_by_a_trustee, "signed in the name of", {SECRETARIAT}),
    "the secretariat as its own auditor": (auditor_from_the_house, "keys of its own", {SECRETARIAT}),
}


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_is_found_and_its_author_named(case: Case, cheat: str) -> None:
    do, words, parties = CHEATS[cheat]
    do(case)
    result, report = case.command()
    assert result.exit_code == 1, result.output
    found = [finding for finding in report["findings"] if words in finding["text"]]
    assert found, report["findings"]
    named = {"member 0": case.name(0), "a stranger": case.made.entries[-1].message.signer}
    assert set(found[0]["parties"]) == {named.get(party, party) for party in parties}


@pytest.mark.parametrize("cheat", [name for name in CHEATS if name not in ("a missing entry",)])
def test_the_rest_of_the_log_is_still_read(case: Case, cheat: str) -> None:
    CHEATS[cheat][0](case)
    case.made.member()
    report = case.verify()
    assert report.checks["entries in sequence"].checked == len(case.made.entries)
    assert report.of(FINDING)


def test_a_wrong_public_key_is_found_and_the_trustee_named(tmp_path: Path) -> None:
    def prepare(made: MadeBoard) -> None:
        made.add(made.secretariat, made.manifest())
        made.ceremony(wrong=2)

    result, report = Case(tmp_path, prepare).command()
    assert result.exit_code == 1, result.output
    (finding,) = [f for f in report["findings"] if f["check"] == "key ceremonies"]
    assert finding["parties"] == ["trustee 2"]
    assert report["streams"][0]["public_key"] == ""


def test_an_opening_exchanged_in_the_ceremony_changes_what_the_others_signed(tmp_path: Path) -> None:
    case = Case(tmp_path)
    number = case.find("ceremony-1")
    other = MadeBoard("another ceremony").open()
    body = next(e for e in other.entries if e.message.kind == "ceremony-1").message.body
    signer = case.made.trustees[1]
    case.made.entries[number] = msgspec.structs.replace(
        case.made.entries[number],
        message=case.made.sign(signer, messages.decode(body, messages.Round1)),
    )
    report = case.verify()
    assert any(f.check == "key ceremonies" and f.parties for f in report.of(FINDING))


# --- what cannot be checked ---------------------------------------------------------------------------------


def test_without_pinned_keys_not_everything_is_checked(case: Case) -> None:
    from typer.testing import CliRunner

    from tacit_client.cli import app

    result = CliRunner().invoke(app, ["audit", "verify", "--folder", str(case.write())])
    assert result.exit_code == 2
    assert "no key was given for trustee 1, 2, 3" in result.output.replace("\n", " ")


def test_a_missing_index_file_is_not_a_pass(case: Case) -> None:
    case.made.files.clear()
    result, report = case.command()
    assert result.exit_code == 2
    (finding,) = report["findings"]
    assert finding["severity"] == UNCHECKED and "was not there" in finding["text"]


def test_a_folder_without_a_log_is_not_a_pass(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from tacit_client.cli import app

    assert CliRunner().invoke(app, ["audit", "verify", "--folder", str(tmp_path)]).exit_code == 2
    (tmp_path / "board.jsonl").touch()
    assert CliRunner().invoke(app, ["audit", "verify", "--folder", str(tmp_path)]).exit_code == 2


def as_lines(case: Case, folder: Path) -> list[bytes]:
    """Return the entries as a member's program keeps them, one a line."""
    folder.mkdir()
    (folder / "indexes").symlink_to(case.write() / "indexes")
    (folder / "checkpoint").write_bytes(case.note.encode())
    return [messages.encode(entry) + b"\n" for entry in case.made.entries]


def verify_folder(case: Case, folder: Path) -> Report:
    report, made = Report("x"), case.made
    checks = Verification(made.group, FolderSource(folder), report, made.time, made.secretariat_key, made.trustee_keys)
    checks.read_entries()
    return checks.conclude()


def test_what_a_members_program_keeps_can_be_verified(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "member"
    lines = as_lines(case, folder)
    (folder / "board.jsonl").write_bytes(b"".join(lines))
    assert verify_folder(case, folder).exit_code == 0
    (folder / "board.jsonl").write_bytes(b"".join(lines[:-1]))
    assert any("is not of the" in f.text for f in verify_folder(case, folder).of(FINDING))
    (folder / "checkpoint").unlink()
    assert verify_folder(case, folder).exit_code == 2  # the index, too, is not announced any more


def test_a_line_that_is_no_entry_is_a_finding(case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "member"
    lines = as_lines(case, folder)
    (folder / "board.jsonl").write_bytes(b"".join([*lines[:5], b'{"sequence":5}\n', *lines[6:]]))
    found = verify_folder(case, folder).of(FINDING)
    assert "line 6" in found[0].text and found[0].entry == 5


def test_a_ceremony_under_way_is_a_note(tmp_path: Path) -> None:
    made = MadeBoard("young")
    made.add(made.secretariat, made.manifest())
    case = Case.__new__(Case)
    case.folder, case.made = tmp_path, made
    report = case.verify()
    assert report.exit_code == 0
    assert [finding.severity for finding in report.findings] == [NOTE]


# --- query audits -------------------------------------------------------------------------------------------


def ordered(case: Case) -> int:
    return case.made.add(case.made.auditor, case.made.order(case.members[0], case.find("grant")))


def test_a_member_that_does_not_answer_is_named_once_it_is_overdue(case: Case) -> None:
    entry = ordered(case)
    assert case.verify().exit_code == 0
    report = case.verify(now=case.made.time + ANSWER_SECONDS)
    (finding,) = report.of(FINDING)
    assert finding.parties == (case.name(0),) and finding.entry == entry


@pytest.mark.parametrize(
    ("outcome", "counts", "code"),
    [("plausible", (10, 0, 6), 0), ("not-plausible", (1, 9, 6), 1), ("false", (0, 0, 0), 1)],
)
def test_results_are_reported(case: Case, outcome: str, counts: tuple[int, int, int], code: int) -> None:
    entry = ordered(case)
    case.made.add(case.members[0], QueryAuditAnswer(entry, bytes(64)))
    case.made.add(case.made.auditor, QueryAuditResult(entry, outcome, *counts))  # type: ignore[arg-type]
    report = case.verify()
    assert report.exit_code == code
    assert [f.parties for f in report.of(FINDING)] == [(case.name(0),)] * code


def test_an_answer_that_was_of_no_use_is_reported_once_like_none(case: Case) -> None:
    entry = ordered(case)
    case.made.add(case.members[0], QueryAuditAnswer(entry, bytes(64)))
    case.made.time += ANSWER_SECONDS + 60
    case.made.add(case.made.auditor, QueryAuditResult(entry, "refused", 0, 0, 0))
    (finding,) = case.verify().of(FINDING)
    assert "no usable answer" in finding.text and finding.parties == (case.name(0),)


def test_a_refusal_is_reported_once(case: Case) -> None:
    entry = ordered(case)
    case.made.time += ANSWER_SECONDS + 60
    case.made.add(case.made.auditor, QueryAuditResult(entry, "refused", 0, 0, 0))
    (finding,) = case.verify().of(FINDING)
    assert "did not answer" in finding.text


def test_an_order_by_nobody_appointed_is_the_secretariats_to_explain(case: Case) -> None:
    stranger = case.made.signing_key()
    case.made.add(stranger, case.made.order(case.members[0], case.find("grant")))
    (finding,) = case.verify().of(FINDING)
    assert "is not an auditor" in finding.text and "secretariat" in finding.parties


def test_rows_of_an_index_out_of_order_are_found(case: Case) -> None:
    from tacit_protocol import index_file
    from tacit_protocol.sealed_index import RECORD_BYTES

    data = case.made.files[1]
    data = data[: -2 * RECORD_BYTES] + data[-RECORD_BYTES:] + data[-2 * RECORD_BYTES : -RECORD_BYTES]
    case.made.files[1] = data
    number = case.find("index")
    root = messages.body_of(case.made.entries[number].message, IndexRoot)
    changed = msgspec.structs.replace(root, root=index_file.root_of(index_file.chunks(data)))
    case.made.entries[number] = msgspec.structs.replace(
        case.made.entries[number], message=case.made.sign(case.made.secretariat, changed)
    )
    (finding,) = case.verify().of(FINDING)
    assert "out of order" in finding.text


def test_the_report_never_depends_on_who_is_asked(case: Case) -> None:
    assert case.verify().to_json() == case.verify().to_json()


def test_two_manifests_of_one_epoch_are_found(case: Case) -> None:
    manifest: Manifest = msgspec.structs.replace(case.made.manifest(), quota=10**6)
    case.made.add(case.made.secretariat, manifest)
    (finding,) = case.verify().of(FINDING)
    assert "opened twice" in finding.text


def test_the_same_digest_with_another_count_is_found(case: Case) -> None:
    digest = hashlib.sha512(b"one batch").digest()
    for count in (2048, 4096):
        case.made.add(case.members[0], GrantRequest(EPOCH, STREAM, count, digest))
    (finding,) = case.verify().of(FINDING)
    assert "granted with 2048 elements" in finding.text and case.name(0) in finding.parties


# --- the end of an epoch ------------------------------------------------------------------------------------


def test_a_trustee_that_does_not_erase_is_named_after_a_while(case: Case) -> None:
    for index in (1, 3):
        case.made.add(case.made.trustees[index], Erasure(EPOCH, index))
    case.made.time = CLOSES + 86400
    report = case.verify()
    assert report.exit_code == 0
    assert [(f.severity, f.parties) for f in report.findings] == [(NOTE, ("trustee 2",))]
    case.made.time = CLOSES + ERASURE_SECONDS + 60
    report = case.verify()
    assert [f.parties for f in report.of(FINDING)] == [("trustee 2",)]
    case.made.add(case.made.trustees[2], Erasure(EPOCH, 2))
    assert case.verify().exit_code == 0


def test_an_erasure_in_anothers_name_is_found(case: Case) -> None:
    case.made.add(case.made.trustees[1], Erasure(EPOCH, 2))
    assert case.verify().exit_code == 1
