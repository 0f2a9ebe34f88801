"""Nothing that goes wrong repeats what a list holds: not an error's message or evidence, not a warning, not a log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from benchmarks.demo.search import Patterns, find_hits

from support.command import Shell
from support.world import World, audited, meddle
from tacit_client import Member
from tacit_client.lists import ListError, read_audited
from tacit_matcher.keys import match_keys
from tacit_matcher.records import AuditedSite, PlannedAudit, Site
from tacit_protocol.errors import TacitError

PLANTED = Site(
    "Geheimwerk Zuckerbäcker GmbH",
    "Verschwiegenheitsgasse 17",
    "Stillenhausen",
    "98765",
    "DE",
    {"gln": "4012345000009", "lei": "5493001KJTIIGC8Y1R12"},
)
KEYS = [key.encode() for key in match_keys(PLANTED)]
WORDS = [
    "Geheimwerk",
    "Zuckerb",
    "Verschwiegenheit",
    "Stillenhausen",
    "4012345000009",
    "5493001KJTIIGC8Y1R12",
    "geheimwerk",
]
RECORD = AuditedSite(PLANTED, audited(1).audit_date, "SMETA 4-pillar")
PLAN = PlannedAudit("P1", PLANTED)

Fault = Callable[[str, str, bytes], bytes]
FAULTS: dict[str, Fault] = {
    "answers garbage": lambda party, url, body: b"\x00" * len(body),
    "answers nothing": lambda party, url, body: b"",
    "answers a web page": lambda party, url, body: b"<html>",
    "answers one byte less": lambda party, url, body: body[:-1],
    "answers with its last byte changed": lambda party, url, body: body[:-1] + bytes([body[-1] ^ 1]) if body else body,
}
TARGETS = ["/v1/board", "/evaluations", "/v1/indexes/", "/uploads/", "/complete"]


@pytest.fixture(scope="module")
def published(world: World) -> World:
    contributor = world.member("contributor")
    contributor.contribute([audited(number) for number in range(3)])
    world.close_window(contributor)
    return world


def everything_in(error: BaseException | None) -> Iterator[str]:
    """What an error, and each error it came from, would show to whoever prints or logs it."""
    while error is not None:
        yield from (str(error), repr(error), repr(error.args))
        if isinstance(error, TacitError):
            yield error.diagnostics()
            yield repr(error.evidence)
        error = error.__cause__ or error.__context__


def assert_silent(text: str) -> None:
    found = [word for word in WORDS if word in text]
    found += ["a match key" for key in KEYS if key in text.encode() or key.hex() in text or repr(key)[2:-1] in text]
    assert not found


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("target", TARGETS)
def test_errors_after_faults_of_servers_name_nobody(
    fault: str, target: str, published: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    member = published.member(f"silent-{TARGETS.index(target)}-{list(FAULTS).index(fault)}")
    meddle(member).change = lambda party, url, body: FAULTS[fault](party, url, body) if target in url else body
    failed = 0
    for attempt in (lambda: member.contribute([RECORD]), lambda: member.check([PLAN])):
        try:
            attempt()
        except TacitError as error:
            failed += 1
            for text in everything_in(error):
                assert_silent(text)
    assert failed  # the fault was noticed, and as an error of the protocol
    assert_silent("\n".join(member.warnings))
    assert_silent(caplog.text)
    assert_silent("".join(capfd.readouterr()))


def test_refusals_and_their_logs_name_nobody(published: World) -> None:
    stranger = Member.create(published.folder / "stranger")
    enrolled = published.member("enrolled")
    (stranger.home / "config.json").write_bytes((enrolled.home / "config.json").read_bytes())
    for attempt in (lambda: stranger.contribute([RECORD]), lambda: stranger.check([PLAN])):
        with pytest.raises(TacitError, match="tacit enrol") as caught:
            attempt()
        for text in everything_in(caught.value):
            assert_silent(text)


def test_what_the_servers_keep_and_log_names_nobody_after_a_whole_round(published: World) -> None:
    member = published.member("whole")
    member.contribute([RECORD])
    published.close_window(member)
    other = published.member("asks")
    assert other.check([PLAN]).rows[0].status == "assessed"
    patterns = Patterns([*WORDS, *(key.decode("latin-1") for key in KEYS)])
    servers = [published.parties.home, *(server.home for server in published.parties.trustees)]
    for home in servers:
        assert find_hits(home, patterns)[0] == set()
    for log in published.folder.glob("*.log"):
        assert log.stat().st_size > 0
        assert patterns.hits(log) == set()
    (published.folder / "planted.txt").write_text("x" + WORDS[0])
    assert len(patterns.hits(published.folder / "planted.txt")) == 1  # the search can find


BAD_CELLS = ["never", "=A1", "#N/A", "31.02.2026", "99/99/9999", "x" * 3000, "\x1b[31m"]


@pytest.mark.parametrize("column", range(8))
def test_errors_about_a_list_repeat_no_cell(column: int, tmp_path: Path) -> None:
    header = ["Supplier name", "Address", "City", "Postcode", "Country", "Audit date", "Scheme", "GLN"]
    good = [PLANTED.name, PLANTED.address, PLANTED.city, PLANTED.postcode, "DE", "2026-01-01", "SMETA", "4012345000009"]
    path = tmp_path / "list.csv"
    seen = 0
    for bad in [*BAD_CELLS, ""]:
        for value in (bad, f"{PLANTED.name} {bad}"):
            row = [*good[:column], value, *good[column + 1 :]]
            path.write_text(",".join(header) + "\n" + ",".join(f'"{cell}"' for cell in row) + "\n")
            try:
                preview = read_audited(path, today=RECORD.audit_date.replace(year=2027))
                for problem in preview.problems:
                    seen += 1
                    assert_silent(f"{problem.why} {problem.what_to_do} {problem.column}")
                preview.raise_for_errors()
            except ListError as error:
                for text in everything_in(error):
                    assert_silent(text)
    assert seen


def test_a_vault_holds_no_name_in_the_clear(published: World, tmp_path: Path) -> None:
    member = published.member("vault")
    member.contribute([RECORD])
    member.check([PLAN])
    patterns = Patterns([*WORDS, *(key.decode("latin-1") for key in KEYS)])
    assert find_hits(member.home, patterns)[0] == set()


def test_a_failing_command_prints_no_traceback_and_no_name(published: World, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.run("init")
    shell.run("enrol", published.invitations.pop())
    (tmp_path / "list.csv").write_text(f"Supplier name,City,Country\n{PLANTED.name},{PLANTED.city},DE\n")
    for index in (1, 2):
        published.kill(index)
    try:
        printed = shell.run("check", "list.csv", "--yes", code=1)
    finally:
        for index in (1, 2):
            published.revive(index)
    assert "Traceback" not in printed
    # The preview shows the member its own first row; nothing after it repeats the list.
    assert_silent(printed.partition("row to use")[2])
    assert printed.partition("row to use")[2]
