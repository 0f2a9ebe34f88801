"""`make demo`: a whole recognition round on this machine, on generated lists or on a folder of real ones."""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from benchmarks.demo import report
from benchmarks.demo.processes import Parties
from benchmarks.demo.round import Round, add, traffic
from benchmarks.demo.search import Patterns
from benchmarks.demo.truth import compare, read_statuses, read_truth
from tacit_client.lists import read_audited, read_planned
from tacit_protocol.group import load_backend

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "build" / "demo"
TRUSTEES, THRESHOLD = 3, 2


def main() -> int:
    """Run the demonstration and return the exit code."""
    options = _options()
    console = Console()
    started = time.monotonic()
    shutil.rmtree(options.folder, ignore_errors=True)
    options.folder.mkdir(parents=True)
    back_end = load_backend(options.back_end).name
    lists = options.lists or _generate(options, console)
    members = sorted(path for path in (lists / "members").glob("*") if path.suffix in (".csv", ".xlsx"))
    planned = next((lists / name for name in ("planned.csv", "planned.xlsx") if (lists / name).exists()), None)
    if not members or planned is None:
        console.print(f"[red]{lists} holds no members/*.csv or no planned.csv[/]")
        return 2
    console.print(
        f"{len(members)} members, a secretariat, {TRUSTEES} trustees ({THRESHOLD} needed), group operations: {back_end}"
    )
    parties = Parties(options.folder, THRESHOLD, TRUSTEES, options.back_end)
    round_ = Round(options.folder, lists, parties, options.back_end, console)
    try:
        facts = _run(round_, members, planned, console)
    finally:
        parties.stop()
    facts |= {"back_end": back_end, "seconds_total": round(time.monotonic() - started, 1)}
    report.write_summary(options.folder / "summary.json", facts)
    console.print(f"Whole demo: {facts['seconds_total']} s. Overlaps: {_shown(options.folder / 'overlaps.xlsx')}, "
                  f"figures: {_shown(options.folder / 'summary.json')}")  # fmt: skip
    return 0 if facts["identifiers_found_at_secretariat"] == 0 else 1


def _run(round_: Round, members: list[Path], planned: Path, console: Console) -> dict[str, object]:
    with round_.phase("servers start, trustees make the key"):
        round_.parties.start()
        round_.ceremony()
        invitations = round_.invitations(len(members) + 1)
        planner = round_.planner(invitations[0])
    patterns = Patterns(_identifiers([*members, planned]))
    own_words = report.words_of_servers(round_, patterns)
    with round_.phase("members contribute (blind, evaluate, seal, upload)") as phase:
        round_.contribute(members, invitations[1:], phase)
    with round_.phase("shuffle and publish") as phase:
        before = traffic(planner)
        round_.publish(planner)
        add(phase.sent, {p: n - before[0].get(p, 0) for p, n in traffic(planner)[0].items()})
        add(phase.received, {p: n - before[1].get(p, 0) for p, n in traffic(planner)[1].items()})
    overlaps = round_.folder / "overlaps.xlsx"
    with round_.phase("check of the planned audits") as phase:
        round_.check(planned, overlaps, phase)
        counted = json.loads((round_.folder / "traffic.json").read_text())
        add(phase.sent, counted["sent"])
        add(phase.received, counted["received"])
    return _conclude(round_, members, patterns, own_words, console)


def _conclude(
    round_: Round, members: list[Path], patterns: Patterns, own_words: dict[str, set[bytes]], console: Console
) -> dict[str, object]:
    assert round_.index is not None
    facts: dict[str, object] = {
        "members": len(members),
        "records": sum(outcome.records for outcome in round_.outcomes),
        "index": {"records": round_.index.records, "bytes": round_.index.size},
        "index_bytes_per_record": round(round_.index.size / round_.index.records, 1),
    }
    report.show_phases(console, round_.phases)
    truth = round_.lists / "truth.csv"
    if truth.exists():
        comparison = compare(read_statuses(round_.folder / "overlaps.xlsx"), read_truth(truth))
        report.show_comparison(console, comparison)
        facts |= {
            "plans": comparison.plans, "overlaps": comparison.overlaps, "found": comparison.found,
            "missed": comparison.missed, "wrong": comparison.wrong,
            "possible_right": comparison.possible_right, "possible_wrong": comparison.possible_wrong,
            "precision": round(comparison.precision, 4), "recall": round(comparison.recall, 4),
        }  # fmt: skip
    rows = report.holdings(round_, patterns, own_words)
    report.show_holdings(console, rows, patterns, _control(members, patterns), own_words)
    facts |= {
        "identifiers_found_at_secretariat": rows[0]["identifiers_found"],
        "held": rows,
        "phases": {name: vars(phase) for name, phase in round_.phases.items()},
        "peak_memory_bytes": {
            **{server.name: server.peak_memory() for server in round_.parties.servers()},
            "largest member contributing": max(outcome.peak_memory for outcome in round_.outcomes),
            "member checking": round_.check_peak_memory,
        },
    }
    for warning in sorted({warning for outcome in round_.outcomes for warning in outcome.warnings}):
        console.print(f"[yellow]note[/] {warning}")
    return facts


def _identifiers(paths: list[Path]) -> Iterator[str]:
    """Yield every supplier's name, address and identifier on the lists, and every match key's value."""
    from tacit_matcher.keys import match_keys

    today = datetime.datetime.now(datetime.UTC).date()
    for path in paths:
        preview = read_planned(path) if path.stem == "planned" else read_audited(path, today=today, years=100)
        for _, record in preview.rows:
            site = record.site
            yield from (site.name, site.address, *site.identifiers.values())
            yield from (key.value for key in match_keys(site))


def _control(members: list[Path], patterns: Patterns) -> int:
    return max(len(patterns.hits(path)) for path in members if path.suffix == ".csv" or path is members[-1])


def _generate(options: argparse.Namespace, console: Console) -> Path:
    from benchmarks.demo.generator import generate

    folder: Path = options.folder / "lists"
    with console.status("writing the members' lists"):
        generate(
            folder, seed=options.seed, members=options.members, records=options.records, plans=options.plans,
            today=datetime.datetime.now(datetime.UTC).date(),
        )  # fmt: skip
    console.print(
        f"[green]✓[/] {options.records:,} records of {options.members} members, {options.plans} planned audits "
        f"(seed {options.seed})"
    )
    return folder


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--lists", type=Path, help="folder with members/*.csv|xlsx, planned.csv and perhaps truth.csv")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where everything is written (emptied first)")
    parser.add_argument("--back-end", default="auto", choices=["auto", "native", "libsodium"])
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--members", type=int, default=45)
    parser.add_argument("--records", type=int, default=23_000)
    parser.add_argument("--plans", type=int, default=500)
    return parser.parse_args()


def _shown(path: Path) -> str:
    """Return the path below the working folder where that is possible."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    sys.exit(main())
