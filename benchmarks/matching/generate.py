"""Trials with one true overlap in ten plans, where precision is hard, made from a labelled round.

Two ways. :func:`draws` takes a random subset of plans, few overlaps beside many others. :func:`with_left_out` makes
many more plans that are on no list: a listed site is taken off all lists and becomes a plan.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256

from benchmarks.matching.blocking import block
from benchmarks.matching.data import Plan, Trial, site_identity
from benchmarks.matching.text import prepare

OTHERS_PER_OVERLAP = 9
_NEAR = 5
_SHARE_OF_OVERLAPS = 0.6


def with_left_out(trial: Trial, seed: int = 1) -> Trial:
    """Return the trial with nine plans that are on no list for each that is, most of them listed sites taken off.

    The countries of the new plans are mixed as among the labelled plans that are on no list. Not taken: whatever is
    among the nearest of an overlapping plan (it may be the very site), and a site printed twice in the same words. A
    new plan's id is a hash of its row, so that a site falls into the same part of the split in every run.
    """
    others = [plan for plan in trial.plans if not plan.assessed]
    wanted = OTHERS_PER_OVERLAP * (len(trial.plans) - len(others)) - len(others)
    taken = _choose(trial, Counter(prepare(plan.site).country for plan in others), wanted, random.Random(seed))
    left = [index for index in range(len(trial.sites)) if index not in taken]
    plans = tuple(Plan(_plan_id(trial, index), trial.sites[index], False) for index in sorted(taken))
    sites, lists = tuple(trial.sites[i] for i in left), tuple(trial.lists[i] for i in left)
    return Trial(f"{trial.name}, one overlap in ten", sites, lists, trial.plans + plans)


def draws(plans: Sequence[Plan], seeds: Sequence[int]) -> Iterator[list[Plan]]:
    """Yield for each seed a random subset in which one plan in ten is an overlap."""
    overlaps, others = [plan for plan in plans if plan.assessed], [plan for plan in plans if not plan.assessed]
    count = min(int(_SHARE_OF_OVERLAPS * len(overlaps)), len(others) // OTHERS_PER_OVERLAP)
    for seed in seeds:
        draw = random.Random(seed)
        yield draw.sample(overlaps, count) + draw.sample(others, OTHERS_PER_OVERLAP * count)


def _choose(trial: Trial, mix: Counter[str], wanted: int, draw: random.Random) -> set[int]:
    texts = [prepare(site) for site in trial.sites]
    overlapping = [prepare(plan.site) for plan in trial.plans if plan.assessed]
    printed = Counter((text.country, *sorted(text.words())) for text in texts)
    barred = {site for _, site in block(overlapping, texts, _NEAR)}
    barred.update(i for i, text in enumerate(texts) if printed[text.country, *sorted(text.words())] > 1)
    chosen: set[int] = set()
    for country in sorted(mix):
        free = [i for i, text in enumerate(texts) if text.country == country and i not in barred]
        share = max(0, round(wanted * mix[country] / mix.total()))
        chosen.update(draw.sample(free, min(share, len(free) // 2)))
    return chosen


def _plan_id(trial: Trial, index: int) -> str:
    return "left-out-" + sha256("\x1f".join(site_identity(trial.sites[index])).encode()).hexdigest()[:16]
