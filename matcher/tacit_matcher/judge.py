"""Judge on the member's machine whether an opened record is of the same site as the planned audit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tacit_matcher.keys import KEY_TYPES, KeyClass
from tacit_matcher.payload import Scope
from tacit_matcher.records import Site
from tacit_matcher.sketch import compare

ASSESSED_FROM = 0.8
POSSIBLE_FROM = 0.4
_BIAS, _WEIGHTS = -7.0, {"name": 5.0, "address": 2.5, "exact": 4.0, "keys": 0.5}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The probability that it is the same site, the verdict at the usual thresholds, and the reasons in words."""

    probability: float
    verdict: str
    scope: Scope
    reasons: tuple[str, ...]


def judge(key: bytes, sketch: bytes, planned: Site, agreed: Sequence[str], scope: Scope) -> Judgement:
    """Compare sketch and plan; ``agreed`` are the types of the keys that opened the record."""
    classes = {KEY_TYPES[name].key_class for name in agreed}
    if KeyClass.SITE_IDENTIFIER in classes:
        probability = max(KEY_TYPES[name].confidence for name in agreed)
    else:
        features = compare(key, sketch, planned)
        score = _BIAS + sum(_WEIGHTS[name] * value for name, value in features.items())
        score += _WEIGHTS["keys"] * min(len(agreed), 6)
        probability = 1 / (1 + math.exp(-score))
    if classes == {KeyClass.ENTITY_IDENTIFIER}:
        scope = Scope.ENTITY
    verdict = (
        "assessed" if probability >= ASSESSED_FROM else "possible" if probability >= POSSIBLE_FROM else "different"
    )
    return Judgement(probability, verdict, scope, tuple(f"{name} agrees" for name in agreed))
