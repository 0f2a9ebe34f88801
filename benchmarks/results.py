"""The figures of the last run as RESULTS.md and pictures: into build/bench, or with --publish into benchmarks/.

Everything in it comes from the files that the other programs left in build/bench; what was not run is named as
missing, never filled in.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.charts import line_chart
from benchmarks.targets import targets

SOURCE = Path("build/bench")
PUBLISHED = Path("benchmarks")
NOTES = PUBLISHED / "NOTES.md"
BACK_ENDS = {"libsodium": "wheel library", "native": "native core"}
Facts = dict[str, Any]


def main() -> None:
    """Render what is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--publish", action="store_true", help="write benchmarks/RESULTS.md and benchmarks/results/")
    target = PUBLISHED if parser.parse_args().publish else SOURCE
    pictures = target / "results"
    pictures.mkdir(parents=True, exist_ok=True)
    facts = [entry["extra_info"] for entry in (_load("results.json") or {"benchmarks": []})["benchmarks"]]
    for name, picture in charts(facts).items():
        (pictures / f"{name}.svg").write_text(picture, encoding="utf-8")
    (target / "RESULTS.md").write_text(render(facts), encoding="utf-8")
    print(f"written: {target / 'RESULTS.md'}")


def render(facts: list[Facts]) -> str:
    """Return RESULTS.md."""
    references = sorted(fact["reference_us"] for fact in facts if "reference_us" in fact)
    sections = [
        "# What it costs",
        _REFERENCE.format(f"{references[0]:.1f} to {references[-1]:.1f} us" if references else "not measured"),
        _section("Targets", _targets(facts)),
        _section("Operations", _by_back_end(facts, "operation"), "R per element, batches of 2,048."),
        _section("A blind evaluation", _by_back_end(facts, "step"), "R per element, batches of 2,048, two trustees."),
        _section("A contribution", _contributions(facts), _CONTRIBUTION),
        _section("Stages at the same time", _pipeline(facts), _PIPELINE),
        _section("A check", _checks(facts), _CHECK),
        _section("A check over HTTP", _loopback(facts), _LOOPBACK),
        _pictures(facts),
        _section("The log", _log(facts), _LOG),
        _section("Memory", _memory(facts), _MEMORY),
        _section("Where the time goes", _parts(_load("parts.json")), _PARTS),
        _section("Instructions per element", _instructions(_load("instructions.json")), _INSTRUCTIONS),
        _section("Does time tell of the secret?", _timing(_load("timing_leak.json")), _TIMING),
        _section("Peers on the same sets", _peers(_load("peers.json")), _PEERS),
        NOTES.read_text(encoding="utf-8").strip(),
    ]
    return "\n\n".join(sections) + "\n"


def charts(facts: list[Facts]) -> dict[str, str]:
    """Return the growth curves by file name; of none where there are fewer than two points."""
    checks = [fact for fact in _of(facts, "check") if fact["back_end"] == "native"]
    by_plans: dict[str, list[tuple[float, float]]] = {}
    by_records: dict[str, list[tuple[float, float]]] = {}
    for check in sorted(checks, key=lambda c: (c["records"], c["row"])):
        by_plans.setdefault(f"{check['records']:,} records", []).append((check["row"], check["member_seconds"]))
        by_records.setdefault(f"{check['row']:,} plans", []).append((check["records"], check["member_seconds"]))
    made = {
        "check_by_plans": ("A check as the plans grow", "planned audits", by_plans),
        "check_by_records": ("A check as the index grows", "records in the index", by_records),
    }
    return {
        name: line_chart(f"{title} (native core, one thread)", x_label, "the member's CPU seconds", series)
        for name, (title, x_label, series) in made.items()
        if any(len(points) > 1 for points in series.values())
    }


def _targets(facts: list[Facts]) -> str:
    rows = [(target.what, target.limit, target.reached, target.verdict) for target in targets(facts)]
    return _table(("target", "at most", "reached", ""), rows)


def _by_back_end(facts: list[Facts], table: str) -> str:
    found = {(fact["row"], fact["back_end"]): fact["in_R"] for fact in _of(facts, table)}
    present = [name for name in BACK_ENDS if any(back_end == name for _, back_end in found)]
    rows = [
        (row, *(f"{found[row, name]:.2f}" if (row, name) in found else "" for name in present))
        for row in dict.fromkeys(row for row, _ in found)
    ]
    return _table(("", *(BACK_ENDS[name] for name in present)), rows)


def _contributions(facts: list[Facts]) -> str:
    rows = [
        (
            BACK_ENDS[c["back_end"]], f"{c['row']:,}", f"{c['group']:.1f}", f"{c['rest']:.1f}", f"{c['trustee']:.1f}",
            f"{c['sent']:,.0f}", f"{c['received']:,.0f}", f"{c['member_seconds']:.1f}",
        )
        for c in _of(facts, "contribution")
    ]  # fmt: skip
    header = (
        "", "records", "member: group", "member: all else", "each trustee", "bytes sent", "bytes received", "member, s",
    )  # fmt: skip
    return _table(header, rows)


def _pipeline(facts: list[Facts]) -> str:
    rows = [
        (
            BACK_ENDS[p["back_end"]], f"{p['row']:,}", p["batches"], f"{p['waits']:.1f}", f"{p['serial']:.1f}",
            f"{p['overlapped']:.1f}", f"{p['overlapped'] / p['serial']:.2f}", p["cores"],
        )
        for p in _of(facts, "pipeline")
    ]  # fmt: skip
    header = ("", "records", "batches", "waits, s", "one by one, s", "overlapped, s", "ratio", "cores")
    return _table(header, rows)


def _checks(facts: list[Facts]) -> str:
    rows = [
        (
            BACK_ENDS[c["back_end"]], f"{c['row']:,}", f"{c['records']:,}", f"{c['group']:.1f}", f"{c['rest']:.1f}",
            f"{c['trustee']:.1f}", f"{c['member_seconds']:.2f}", f"{c['slowest_path_seconds']:.2f}",
            f"{(c['sent'] + c['received']) / 1e6:.1f}", f"{c['index_bytes'] / 1e6:,.0f}",
        )
        for c in sorted(_of(facts, "check"), key=lambda c: (c["back_end"], c["records"], c["row"]))
    ]  # fmt: skip
    header = (
        "", "plans", "records", "member: group", "member: all else", "each trustee", "member, s",
        "member and a trustee, s", "wire, MB", "index, MB",
    )  # fmt: skip
    return _table(header, rows)


def _loopback(facts: list[Facts]) -> str:
    rows = [
        (
            BACK_ENDS[c["back_end"]], c["row"], f"{c['member']:.2f}", f"{c['wall']:.1f}",
            *(f"{seconds:.2f}" for seconds in c["servers"].values()),
        )
        for c in _of(facts, "loopback")
    ]  # fmt: skip
    names = [name for c in _of(facts, "loopback") for name in c["servers"]]
    return _table(("", "plans", "member, s", "on the wall, s", *(f"{name}, s" for name in names)), rows)


def _log(facts: list[Facts]) -> str:
    rows = [
        (fact["row"], f"{fact['entries']:,}", f"{fact['in_R']:.2f}", f"{fact['seconds']:.3f}")
        for fact in _of(facts, "log")
    ]
    return _table(("", "entries in the log", "R for each", "all of it, s"), rows)


def _memory(facts: list[Facts]) -> str:
    rows = [
        (fact["row"], BACK_ENDS[fact["back_end"]], f"{fact['peak'] / 1e6:,.0f}", f"{fact['own'] / 1e6:,.0f}")
        for fact in _of(facts, "memory")
    ]
    return _table(("command", "", "peak, MB", "without mapped files, MB"), rows)


def _parts(parts: Facts | None) -> str:
    if parts is None:
        return ""
    names = sorted(parts["contribution"], key=lambda name: -parts["contribution"][name])
    names += [name for name in parts["check"] if name not in names]
    rows = [
        (
            name,
            *(f"{parts[command][name]:.2f}" if name in parts[command] else "" for command in ("contribution", "check")),
        )
        for name in names
    ]
    rows.append(("all", *(f"{sum(parts[command].values()):.1f}" for command in ("contribution", "check"))))
    sizes = parts["sizes"]
    header = (
        "", f"contribution of {sizes['records']:,}, R per record",
        f"check of {sizes['plans']:,} against {sizes['index']:,}, R per plan",
    )  # fmt: skip
    return _table(header, rows)


def _instructions(rows: list[Facts] | None) -> str:
    if rows is None:
        return ""
    return _table(
        ("", "step", "instructions per element"),
        [(BACK_ENDS[row["back_end"]], row["step"], f"{row['per_element']:,}") for row in rows],
    )


def _timing(rows: list[Facts] | None) -> str:
    if rows is None:
        return ""
    return _table(
        ("", "operation", "fixed secret", "samples", "largest t"),
        [
            (BACK_ENDS[row["back_end"]], row["operation"], row["fixed"], f"{row['samples']:,}", f"{row['t']:.2f}")
            for row in rows
        ],
    )


def _peers(rows: list[Facts] | None) -> str:
    if rows is None:
        return ""
    return _table(
        ("", "records", "queries", "off line, R", "on line, R", "what differs"),
        [
            (
                row["peer"], f"{row['records']:,}", row["queries"], f"{row['off_line']:,.0f}", f"{row['on_line']:,.0f}",
                row["note"],
            )
            for row in sorted(rows, key=lambda row: (row["records"], row["peer"]))
        ],
    )  # fmt: skip


def _pictures(facts: list[Facts]) -> str:
    return "\n\n".join(f"![{name.replace('_', ' ')}](results/{name}.svg)" for name in charts(facts))


def _section(title: str, body: str, text: str = "") -> str:
    return "\n\n".join(filter(None, (f"## {title}", text, body or "Not measured in this run.")))


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join([f"| {' | '.join(header)} |", "|" + "---|" * len(header), *lines]) if lines else ""


def _of(facts: list[Facts], table: str) -> list[Facts]:
    return [fact for fact in facts if fact.get("table") == table]


def _load(name: str) -> Any:
    path = SOURCE / name
    return json.loads(path.read_text()) if path.exists() else None


_REFERENCE = (
    "Written by `make bench`; do not edit. R is one X25519 load-and-exchange through `cryptography`, in CPU time of "
    "the same run and taken in turns with the work (here {}). Every figure is CPU time of one thread: the least of "
    "several rounds, but for whole commands, which run once."
)
_CONTRIBUTION = (
    "R per record, about seven keys each. Parties in one process without HTTP; all else is keys, payloads, sealing, "
    "shuffling, the vault and the upload's pages."
)
_CHECK = (
    "R per plan. The index is in the cache; it is hashed and compared with the announced root in every check. Two "
    "trustees work at the same time, so the seconds of the member and of one trustee add up to the longest path."
)
_PIPELINE = (
    "Evaluation of all keys of so many records, on the wall: keys, blinding, two trustees, verification, in one "
    "process. One of the trustees waits a second before each answer. Once everything runs one after the other, once as "
    "members do it; the least of three rounds each, in turns."
)
_LOOPBACK = (
    "CPU seconds of each process and seconds on the wall, servers on loopback, two trustees answering and all three "
    "following the log; the index holds 50 records and dummies. The wall also counts whatever else the machine did."
)
_LOG = (
    "CPU of one thread, for each entry, request or proof; forcing a commit to disk is not in it. A log of so many "
    "entries is some decades of the round as it is today. The seconds are those of the one run that was timed: a "
    "whole verification, or as many appends, cosignatures and proofs as the benchmark makes."
)
_MEMORY = "One process that holds member, trustees and what was uploaded. Pages of the index are mapped, not copied."
_PARTS = "Native core, everything in one thread; wrapping the functions adds to each."
_INSTRUCTIONS = (
    "Counted by valgrind, which knows no AVX-512: the native core runs its AVX2 code here. Client: blind, verify two "
    "answers, combine, unblind, finalise."
)
_TIMING = (
    "Welch's t between the CPU times of evaluations with a fixed and with random secrets, on whole and on cropped "
    "samples. Above 4.5 is a leak; below none was seen, which is no proof. The control is a sum in variable time that "
    "no secret ever enters: it shows that the check would see one."
)
_PEERS = (
    "CPU of all parties. Off line is before the queries are known. One item for each record: Tacit's own contribution "
    "has up to 14 keys for each, and seals records. None of the peers splits the key over trustees or serves a member "
    "that is away; none finds a site under another spelling."
)


if __name__ == "__main__":
    main()
