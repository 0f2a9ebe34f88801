"""What a poorly kept row costs: the plans again with fields left out, as on lists that have no such column.

`tacit lint` states these figures; MATCHING.md has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from benchmarks.matching.data import Plan, Trial
from benchmarks.matching.question import Question
from benchmarks.matching.tacit import Tacit
from tacit_matcher.records import Site

_Change = Callable[[Site, Site], Site]
CHANGES: Mapping[str, _Change] = {
    "as it is": lambda site, _: site,
    "no postcode": lambda site, _: replace(site, postcode=""),
    "no street": lambda site, _: replace(site, address=""),
    "no city": lambda site, _: replace(site, city=""),
    "neither city nor postcode": lambda site, _: replace(site, city="", postcode=""),
    "city only": lambda site, _: replace(site, address="", postcode=""),
    "name only": lambda site, _: replace(site, address="", city="", postcode=""),
    "address of another site": lambda site, other: replace(
        site, address=other.address, city=other.city, postcode=other.postcode
    ),
    "name of trade words only": lambda site, _: replace(site, name="Fleischerei GmbH"),
    "no country": lambda site, _: replace(site, country=""),
}


def shares_found(trial: Trial) -> dict[str, tuple[int, int]]:
    """Return for each change the overlaps found and those tried: the ones found whole that have every field."""
    whole = [plan for plan in trial.plans if plan.assessed and _is_complete(plan.site)]
    kept = _found(trial, whole)
    rows = [plan for plan in whole if plan.plan_id in kept]
    results = {}
    for name, change in CHANGES.items():
        others = rows[1:] + rows[:1]
        changed = [
            Plan(plan.plan_id, change(plan.site, other.site), True) for plan, other in zip(rows, others, strict=True)
        ]
        results[name] = len(_found(trial, changed)), len(rows)
    return results


def _found(trial: Trial, plans: Sequence[Plan]) -> set[str]:
    question = Question.of(Trial(trial.name, trial.sites, trial.lists, tuple(plans)))
    outcome = Tacit(question).judged()
    return {plan.plan_id for plan in plans if outcome.says(plan.plan_id)}


def _is_complete(site: Site) -> bool:
    return all((site.address, site.city, site.postcode, site.country)) and any(map(str.isdigit, site.address))
