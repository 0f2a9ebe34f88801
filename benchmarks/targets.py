"""The targets for cost, and what a run reached of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

Facts = dict[str, Any]


@dataclass(frozen=True)
class Target:
    """One line of the table; ``reached`` is empty where the run did not measure it."""

    what: str
    limit: str
    reached: str
    verdict: str


def targets(facts: list[Facts]) -> list[Target]:
    """Judge the facts of a run."""
    lines = []
    for back_end, label, client, trustee, seconds in (
        ("libsodium", "wheel library", 12.5, 3.6, 15.0),
        ("native", "native core", 2.2, 0.85, 3.0),
    ):
        mine = [fact for fact in facts if fact.get("back_end") == back_end]
        lines += [
            _line(f"{label}: client, whole evaluation, per element", client, "R", _step(mine, "client, whole")),
            _line(f"{label}: trustee, evaluate and prove, per element", trustee, "R", _step(mine, "trustee, whole")),
            _line(f"{label}: outside the group operations, per contributed record", 8, "R", _rest(mine)),
            _line(
                f"{label}: check of 500 plans against 23,000 records, member and a trustee",
                seconds, "s of CPU", _check(mine, 500, 23_000, "slowest_path_seconds"),
            ),
        ]  # fmt: skip
    checks = [fact for fact in facts if fact.get("table") == "check"]
    memory = [fact for fact in facts if fact.get("table") == "memory" and fact["row"] in _MEMORY_ROWS]
    lines += [
        _line("index, per record", 1024, "bytes", max((c["bytes_per_record"] for c in checks), default=None)),
        _line(
            "peak memory, 23,000 records, one process", 1000, "MB", max((m["peak"] / 1e6 for m in memory), default=None)
        ),
        _growth(checks),
    ]
    return lines


_GROWTH = (23_000, 1_000_000)
_MEMORY_ROWS = ("contribution 23000", "check 500 23000")


def _growth(checks: list[Facts]) -> Target:
    """Compare what one more plan costs in a small and in a large index, and with what each of few plans costs."""
    what = "native core: one more plan, 1,000,000 records against 23,000 (linear in plans, logarithmic in records)"
    marginal = {records: _marginal(checks, 500, 10_000, records) for records in _GROWTH}
    small, large = (marginal[records] for records in _GROWTH)
    limit = math.log(_GROWTH[1]) / math.log(_GROWTH[0])
    if small is None or large is None:
        return Target(what, f"{limit:.2f} times", "", "not measured")
    reached = f"{large / small:.2f} times ({large:.1f} R and {small:.1f} R)"
    return Target(what, f"{limit:.2f} times", reached, _verdict(large / small <= limit))


def _marginal(checks: list[Facts], few: int, many: int, records: int) -> float | None:
    """Return what each plan beyond ``few`` costs the member, in R."""
    costs = [_check(checks, plans, records, "group", "rest") for plans in (few, many)]
    if costs[0] is None or costs[1] is None:
        return None
    return (costs[1] * many - costs[0] * few) / (many - few)


def _step(facts: list[Facts], row: str) -> float | None:
    return next((fact["in_R"] for fact in facts if (fact.get("table"), fact.get("row")) == ("step", row)), None)


def _rest(facts: list[Facts]) -> float | None:
    found = [fact for fact in facts if fact.get("table") == "contribution"]
    return max(found, key=lambda fact: fact["row"])["rest"] if found else None


def _check(facts: list[Facts], plans: int, records: int, *names: str) -> float | None:
    for fact in facts:
        if (fact.get("table"), fact.get("row"), fact.get("records")) != ("check", plans, records):
            continue
        if fact["back_end"] == "native" or len(names) == 1:
            return sum(fact[name] for name in names)
    return None


def _line(what: str, limit: float, unit: str, reached: float | None) -> Target:
    if reached is None:
        return Target(what, f"{limit:g} {unit}", "", "not measured")
    return Target(what, f"{limit:g} {unit}", f"{reached:.2f} {unit}", _verdict(reached <= limit))


def _verdict(held: bool) -> str:
    return "yes" if held else "**no**"
