"""What a person sees: fits the terminal, says what to do, and shows foreign text as text."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from tacit_client.checking import CheckReport, ReportRow
from tacit_client.contribution import Contribution
from tacit_client.lists import ListPreview, Problem, read_audited
from tacit_client.member import StreamStatus
from tacit_client.show import (
    SHOWN_ROWS,
    progress_bars,
    show_contribution,
    show_preview,
    show_problems,
    show_report,
    show_status,
)
from tacit_matcher.records import PlannedAudit, Site

EVIL = "[red]x[/] \x1b[2J\x1b]0;owned\x07 [link=http://e]y"
Show = Callable[[Console], None]


def shown(show: Show, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    show(console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def plan(number: int, name: str = "Molkerei Alpenblick GmbH & Co. KG Werk Kempten Süd") -> PlannedAudit:
    return PlannedAudit(f"P{number}", Site(name, "Weg 1", "Kempten", "87435", "DE"))


def row(number: int, status: str = "assessed", scope: str = "site", probability: float = 0.93) -> ReportRow:
    return ReportRow(
        plan(number), status, "2026-Q3", "SMETA 4-pillar", "7.0", scope, "amfori Sustainability Platform",
        "Sedex site code; name word and postcode", probability, "ask the supplier",
    )  # fmt: skip


REPORT = CheckReport(
    "2026-h2", "social-audit", 3, 27_072,
    [*(row(number) for number in range(40)), row(41, "possible", "entity", 0.5), ReportRow(plan(42), "not found")],
)  # fmt: skip
STATUS = [
    StreamStatus("2026-h2", "virtual-assessment", True, 4, 3, 3, 27_072, 98_304, 131_072, date(2027, 5, 28)),
    StreamStatus("2027-h1", "human-rights", False, 1, None, None, 0, 0, 131_072, date(2027, 12, 1)),
]


def preview(problems: list[Problem] | None = None, header: str = "Lieferant") -> ListPreview[object]:
    return ListPreview(
        "list.xlsx", "workbook, sheet 'Liste'", "00", {"name": header, "city": "Ort", "gln": "GLN"}, ("Umsatz",),
        [(5, plan(1))], problems or [], (7, 8), (9,),
    )  # fmt: skip


SCREENS: dict[str, Show] = {
    "preview": lambda console: show_preview(console, preview([Problem(5, "Ort", "why " * 20, "what to do " * 9)])),
    "contribution": lambda console: show_contribution(
        console, Contribution("2026-h2", "virtual-assessment", 3, 23_000, (1,), False), list(range(2, 40))
    ),
    "report": lambda console: show_report(console, REPORT, Path("overlaps.xlsx"), [4]),
    "status": lambda console: show_status(console, "abcdefghijklmnop", STATUS),
}


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_fits_the_terminal(screen: str, width: int) -> None:
    assert max(len(line) for line in shown(SCREENS[screen], width).splitlines()) <= width


@pytest.mark.parametrize("width", [80, 120])
def test_no_status_date_scheme_or_certainty_is_cut_off(width: int) -> None:
    few = CheckReport("2026-h2", "social-audit", 3, 1, [row(1), row(41, "possible", "entity", 0.5)])
    text = shown(lambda console: show_report(console, few, Path("overlaps.xlsx")), width)
    for whole in (
        "assessed 2026-Q3",
        "possible 2026-Q3 (company)",
        "SMETA 4-pillar 7.0",
        "93 % sure",
        "Sedex site code",
    ):
        assert whole in text
    text = shown(SCREENS["status"], width)
    for whole in (
        "virtual-assessment",
        "27,072 records",
        "98,304",
        "of 131,072",
        "2027-05-28",
        "key being made",
        "nothing yet",
    ):
        assert whole in text


def test_a_report_counts_shows_some_and_says_where_the_rest_is() -> None:
    text = shown(SCREENS["report"])
    assert f"and {41 - SHOWN_ROWS} more in overlaps.xlsx" in text
    lines = [line.split()[:2] for line in text.splitlines()]
    assert ["40", "assessed"] in lines and ["1", "possible"] in lines and ["1", "not"] in lines
    assert "of 42 planned audits, against window 3 of 2026-h2/social-audit with 27,072 records" in " ".join(
        text.split()
    )
    assert "row 4" in text.replace("\n", " ")
    assert "contributor" not in text


def test_certainty_is_not_rounded_to_more_than_there_is() -> None:
    report = CheckReport("e", "s", 1, 1, [row(1, probability=0.9999)])
    text = shown(lambda console: show_report(console, report, Path("x.csv")))
    assert "over 99 % sure" in text and "100" not in text


def test_a_preview_shows_the_mapping_an_example_and_what_was_left_out() -> None:
    text = shown(lambda console: show_preview(console, preview()))
    for part in (
        "list.xlsx: workbook, sheet 'Liste'",
        "row 5, as an example",
        "Lieferant",
        "Molkerei Alpenblick",
        "Kempten",
    ):
        assert part in text
    assert "Not used: Umsatz" in text
    assert "1 row to use, 2 left out because older than three years, 1 left out because they repeat" in " ".join(
        text.split()
    )


def test_problems_are_listed_errors_first_and_counted() -> None:
    many = [Problem(row, "Ort", f"warning {row}", "look", "warning") for row in range(2, 30)]
    many.append(Problem(99, "Audit date", "no date", "correct it"))
    text = shown(lambda console: show_problems(console, preview(many)))
    lines = [line for line in text.splitlines() if "│" in line]
    assert "99" in lines[0] and "no date" in lines[0]
    assert f"and {len(many) - SHOWN_ROWS} more" in text
    assert "1 error, 28 warnings" in text


def test_foreign_text_is_shown_as_text() -> None:
    problems = [Problem(2, EVIL, EVIL, EVIL)]
    evil_row = ReportRow(PlannedAudit(EVIL, Site(EVIL)), "assessed", "2026-Q3", EVIL, EVIL, "site", EVIL, EVIL, 0.9)
    report = CheckReport("e", "s", 1, 1, [evil_row])
    for text in (
        shown(lambda console: show_preview(console, preview(problems, header=EVIL)), 400),
        shown(lambda console: show_report(console, report, Path(f"{EVIL[:8]}.csv")), 400),
    ):
        assert "\x1b" not in text and "\x07" not in text
        assert "[red]x[/]" in text and "[link=http://e]y" in text


def test_what_was_contributed_twice_says_so() -> None:
    again = Contribution("2026-h2", "social-audit", 3, 1, (), True)
    assert "nothing was sent again" in " ".join(shown(lambda console: show_contribution(console, again, [])).split())
    once = Contribution("2026-h2", "social-audit", 3, 1, (), False)
    assert "1 site contributed" in shown(lambda console: show_contribution(console, once, []))


def test_before_the_first_epoch_the_status_says_so() -> None:
    assert "opened no epoch yet" in shown(lambda console: show_status(console, "abcdefghijklmnop", []))


def test_progress_is_silent_where_the_output_is_no_terminal() -> None:
    def work(console: Console) -> None:
        with progress_bars(console) as progress:
            for done in range(3):
                progress("sealing", done, 2)

    assert shown(work).strip() == ""


def test_a_preview_of_a_real_list_shows_its_first_row(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("Lieferant,Ort,Land,Datum,Standard,GLN\nKäserei Süß,Ulm,DE,2026-03-04,BSCI,4012345000009\n")
    text = shown(lambda console: show_preview(console, read_audited(path, today=date(2026, 11, 25))))
    for value in ("Käserei Süß", "Ulm", "2026-03-04", "BSCI", "4012345000009"):
        assert value in text
