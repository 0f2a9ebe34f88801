"""RESULTS.md says what was measured, what missed its target and what was not run; the pictures hold every point."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import charts, results, targets

SVG = "{http://www.w3.org/2000/svg}"


def check(plans: int, records: int, group: float = 15.0, rest: float = 5.0) -> dict[str, object]:
    return {
        "table": "check", "row": plans, "records": records, "back_end": "native", "group": group, "rest": rest,
        "trustee": 6.0, "sent": 10**6, "received": 10**6, "index_bytes": records * 1000, "bytes_per_record": 1000.0,
        "member_seconds": plans / 1000, "slowest_path_seconds": plans / 900, "reference_us": 25.0,
    }  # fmt: skip


FACTS = [
    {"table": "step", "row": "client, whole", "back_end": "native", "in_R": 1.7, "reference_us": 25.0},
    {"table": "step", "row": "trustee, whole", "back_end": "native", "in_R": 0.9, "reference_us": 26.0},
    {
        "table": "log",
        "row": "an append",
        "entries": 100_000,
        "in_R": 12.5,
        "seconds": 0.0625,
        "reference_us": 25.0,
    },
    {
        "table": "pipeline",
        "row": 3_500,
        "back_end": "native",
        "batches": 3,
        "waits": 3.0,
        "serial": 6.0,
        "overlapped": 3.0,
        "cores": 2,
    },
    *[check(plans, records) for plans in (500, 10_000) for records in (23_000, 1_000_000)],
]


def verdicts(facts: list[dict[str, object]]) -> dict[str, tuple[str, str]]:
    return {target.what: (target.reached, target.verdict) for target in targets.targets(facts)}


def test_targets_are_judged_by_the_figures() -> None:
    found = verdicts(FACTS)
    assert found["native core: client, whole evaluation, per element"] == ("1.70 R", "yes")
    assert found["native core: trustee, evaluate and prove, per element"] == ("0.90 R", "**no**")
    assert found["native core: check of 500 plans against 23,000 records, member and a trustee"][1] == "yes"


def test_what_was_not_run_is_not_judged() -> None:
    found = verdicts([])
    assert found["wheel library: client, whole evaluation, per element"] == ("", "not measured")
    assert {verdict for _, verdict in found.values()} == {"not measured"}


@pytest.mark.parametrize(("rest", "verdict"), [(5.0, "yes"), (11.0, "yes"), (13.0, "**no**")])
def test_growth_compares_what_one_more_plan_costs(rest: float, verdict: str) -> None:
    facts = [check(plans, 23_000) for plans in (500, 10_000)]
    facts += [check(plans, 1_000_000, rest=rest) for plans in (500, 10_000)]
    (growth,) = [target for target in targets.targets(facts) if "one more plan" in target.what]
    assert growth.verdict == verdict  # at most log(1,000,000) / log(23,000) = 1.38 times 20 R


def test_the_page_names_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "SOURCE", tmp_path)
    page = results.render(FACTS)
    assert "here 25.0 to 26.0 us" in page
    assert "| client, whole | 1.70 |" in page
    assert "## Peers on the same sets" in page
    assert page.count("Not measured in this run.") == 8
    assert "| an append | 100,000 | 12.50 | 0.062 |" in page
    assert "| native core | 3,500 | 3 | 3.0 | 6.0 | 3.0 | 0.50 | 2 |" in page
    assert "check_by_plans.svg" in page


def test_a_chart_is_a_picture_with_every_point() -> None:
    series = {"a & b": [(10.0, 0.5), (1000.0, 2.0)], "c": [(10.0, 0.4), (100.0, 0.9), (1000.0, 3.0)]}
    root = ElementTree.fromstring(charts.line_chart("growth <fast>", "plans", "seconds", series))
    assert len(root.findall(f"{SVG}polyline")) == 2
    points = [(float(c.get("cx", "")), float(c.get("cy", ""))) for c in root.findall(f"{SVG}circle")]
    assert len(points) == 5
    assert all(0 < x < charts.WIDTH and 0 < y < charts.HEIGHT for x, y in points)
    assert points[0][0] == points[2][0]
    assert points[1][1] > points[4][1]  # more is higher up


def test_one_point_makes_no_curve() -> None:
    assert results.charts([check(500, 23_000)]) == {}
