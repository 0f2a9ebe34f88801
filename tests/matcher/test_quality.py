"""Keys and judgement together, on made-up lists: what is found, what is claimed wrongly, what is opened for nothing.

The full measurement with references is ``make matching``. ``TACIT_LISTS`` may name a folder of labelled real lists.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from benchmarks.demo.generator import generate
from benchmarks.matching.data import Trial, load

from tacit_matcher.judge import ASSESSED_FROM, judge
from tacit_matcher.keys import match_keys
from tacit_matcher.payload import Scope
from tacit_matcher.sketch import make_sketch

LISTS = os.environ.get("TACIT_LISTS")


@dataclass
class Counts:
    overlaps: int = 0
    found: int = 0
    wrong: int = 0
    reached: int = 0
    candidates: int = 0
    plans: int = 0


def recognise(trial: Trial) -> Counts:
    """Count as benchmarks/demo/truth.py does, with equal keys in place of the blinded round."""
    listed = defaultdict(list)
    for index, site in enumerate(trial.sites):
        for key in match_keys(site):
            listed[key.encode()].append(index)
    counts = Counts()
    for plan in trial.plans:
        agreed = defaultdict(list)
        for key in match_keys(plan.site):
            for index in listed.get(key.encode(), ()):
                agreed[index].append(key.key_type)
        assessed = any(_is_assessed(trial, index, plan.site, types) for index, types in agreed.items())
        counts.plans += 1
        counts.overlaps += plan.assessed
        counts.found += plan.assessed and assessed
        counts.wrong += assessed and not plan.assessed
        counts.reached += plan.assessed and bool(agreed)
        counts.candidates += len(agreed)
    return counts


def _is_assessed(trial: Trial, index: int, planned: object, types: list[str]) -> bool:
    key = index.to_bytes(32, "big")
    judgement = judge(key, make_sketch(key, trial.sites[index]), planned, types, Scope.SITE)  # type: ignore[arg-type]
    return judgement.probability >= ASSESSED_FROM and judgement.scope is Scope.SITE


def test_made_up_lists(tmp_path: Path) -> None:
    generate(tmp_path, seed=5, members=6, records=2400, plans=400, today=date(2026, 11, 25))
    counts = recognise(load(tmp_path))
    assert counts.plans == 400 and counts.overlaps >= 100
    assert counts.found / (counts.found + counts.wrong) >= 0.95
    assert counts.found / counts.overlaps >= 0.88
    assert counts.reached / counts.overlaps >= 0.95


@pytest.mark.skipif(LISTS is None, reason="TACIT_LISTS names no folder of labelled lists")
def test_real_lists() -> None:
    counts = recognise(load(Path(str(LISTS))))
    assert counts.found / (counts.found + counts.wrong) >= 0.98
    assert counts.found / counts.overlaps >= 0.88
    assert counts.reached / counts.overlaps >= 0.95
