"""Failure classes: in what a planned site and the listed site nearest to it differ. A plan can be in several."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.matching.data import Plan
from benchmarks.matching.outcome import BestSites, Outcome
from benchmarks.matching.question import Question
from benchmarks.matching.text import Text, alike
from tacit_matcher.words import CONCEPTS, GIVEN_NAMES, LEGAL_FORMS

_ALIKE = 0.6


@dataclass(frozen=True, slots=True)
class ClassCount:
    """How a scheme fared with the plans of one class."""

    overlaps: int
    found: int
    others: int
    wrong: int


def by_class(question: Question, plans: Sequence[Plan], nearest: BestSites, outcome: Outcome) -> dict[str, ClassCount]:
    """Count per class; ``nearest`` says which listed site each plan is compared with."""
    positions = {plan_id: index for index, plan_id in enumerate(question.plan_ids)}
    chains = Counter((text.country, _core(text), text.city) for text in question.listed_texts)
    groups: dict[str, list[Plan]] = defaultdict(list)
    for plan in plans:
        text = question.planned_texts[positions[plan.plan_id]]
        best = nearest.get(plan.plan_id)
        if best is None:
            groups["nothing alike on any list"].append(plan)
            continue
        listed = question.listed_texts[best[1]]
        for name in classes_of(text, listed, plan.assessed, chains[listed.country, _core(listed), listed.city]):
            groups[name].append(plan)
    return {name: _count(groups[name], outcome) for name in sorted(groups)}


def by_country(plans: Sequence[Plan], countries: Mapping[str, str], outcome: Outcome) -> dict[str, ClassCount]:
    """Count per country, the most plans first."""
    groups: dict[str, list[Plan]] = defaultdict(list)
    for plan in plans:
        groups[countries[plan.plan_id]].append(plan)
    ordered = sorted(groups, key=lambda country: (-len(groups[country]), country))
    return {country: _count(groups[country], outcome) for country in ordered}


def classes_of(plan: Text, listed: Text, is_overlap: bool, in_town: int) -> Iterator[str]:
    """Yield the classes of a pair; ``in_town`` is how many listed sites have that name in that town."""
    if plan == listed:
        yield "written identically"
        return
    name, street = alike(plan.name, listed.name), alike(plan.address, listed.address)
    same_name = name >= _ALIKE or (_core(plan) == _core(listed) and bool(_core(plan)))
    same_place = plan.postcode == listed.postcode != "" or plan.city == listed.city != ()
    same_door = street >= _ALIKE and bool(set(plan.numbers) & set(listed.numbers))
    if same_door and not same_name:
        yield "renamed company at the same address" if is_overlap else "other company at the same address"
    if same_name and same_place and not same_door and plan.address and listed.address:
        yield "same name, other address in the town"
    if same_name and not same_place and plan.city and listed.city:
        yield "same name in another town"
    if in_town > 1 and same_name:
        yield "several plants of the company in the town"
    if sorted(plan.name) == sorted(listed.name) and plan.name != listed.name:
        yield "name in another order"
    if _person(plan) or _person(listed):
        yield "personal name"
    if same_name and plan.name != listed.name and _meaning(plan) & _meaning(listed) - {*plan.name} - {*listed.name}:
        yield "trade word in other words or another language"
    if street >= _ALIKE and plan.numbers != listed.numbers:
        yield "house number in another form or a range"
    if not (plan.postcode and listed.postcode) and not (plan.numbers and listed.numbers):
        yield "no postcode and no number on one side"
    if not same_name and not same_door:
        yield "neither name nor address alike"
    elif same_name and same_place:
        yield "spelling, legal form or words added"


def _count(plans: Sequence[Plan], outcome: Outcome) -> ClassCount:
    overlaps = [plan for plan in plans if plan.assessed]
    others = [plan for plan in plans if not plan.assessed]
    return ClassCount(
        len(overlaps),
        sum(outcome.says(plan.plan_id) for plan in overlaps),
        len(others),
        sum(outcome.says(plan.plan_id) for plan in others),
    )


def _core(text: Text) -> tuple[str, ...]:
    return tuple(sorted(word for word in text.name if word not in LEGAL_FORMS))


def _person(text: Text) -> bool:
    core = _core(text)
    return len(core) == 2 and any(word in GIVEN_NAMES for word in core)


def _meaning(text: Text) -> set[str]:
    return {CONCEPTS[word] for word in text.name if word in CONCEPTS}
