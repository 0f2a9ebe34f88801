"""Judge on the member's machine whether an opened record is of the same site as the planned audit.

A logistic model over the sketch's features, calibrated on labelled lists (MATCHING.md); its coefficients are
constants in :mod:`tacit_matcher.judge_model`, so every member judges alike and no learning library is needed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tacit_matcher.judge_model import BIAS, WEIGHTS
from tacit_matcher.keys import KEY_TYPES, KeyClass
from tacit_matcher.payload import Scope
from tacit_matcher.records import Site
from tacit_matcher.sketch import compare

ASSESSED_FROM = 0.7
POSSIBLE_FROM = 0.35
FEATURES = (
    "name_alike", "name_agree", "name_differ", "name_same", "name_weight", "figure_agree", "figure_differ",
    "address_alike", "address_known", "house_agree", "house_differ", "number_agree", "number_differ", "number_same",
    "postcode_agree", "postcode_differ", "area_agree", "area_differ", "city_agree", "city_differ", "keys",
)  # fmt: skip
_MANY_KEYS = 6
_WORDS = {
    "name_same": "the names have the same words",
    "postcode_agree": "the postcodes agree",
    "house_agree": "the house numbers agree",
    "city_agree": "the cities agree",
    "name_differ": "the names have no word in common",
    "postcode_differ": "the postcodes differ",
    "house_differ": "the house numbers differ",
    "city_differ": "the cities differ",
    "figure_differ": "a number in the names differs",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The probability that it is the same site, the verdict at the usual thresholds, the scope, and reasons in words."""

    probability: float
    verdict: str  # "assessed", "possible" or "different"
    scope: Scope
    reasons: tuple[str, ...]


def judge(key: bytes, sketch: bytes, planned: Site, agreed: Sequence[str], scope: Scope) -> Judgement:
    """Compare a record's sketch with the plan; ``agreed`` are the types of the keys that opened the record.

    A site's own identifier decides. An entity's identifier never says that this site was assessed: where nothing
    else agreed, the judgement's scope is the entity.
    """
    classes = {KEY_TYPES[name].key_class for name in agreed}
    features = features_of(key, sketch, planned, agreed)
    probability = 1 / (1 + math.exp(-BIAS - sum(WEIGHTS[name] * features[name] for name in FEATURES)))
    if KeyClass.SITE_IDENTIFIER in classes:
        sure = (KEY_TYPES[name] for name in agreed)
        probability = max(kind.confidence for kind in sure if kind.key_class is KeyClass.SITE_IDENTIFIER)
    elif KeyClass.ENTITY_IDENTIFIER in classes and probability < ASSESSED_FROM:
        scope = Scope.ENTITY
        probability = max(KEY_TYPES[name].confidence for name in agreed)
    verdict = (
        "assessed" if probability >= ASSESSED_FROM else "possible" if probability >= POSSIBLE_FROM else "different"
    )
    reasons = [f"same {KEY_TYPES[name].label}" for name in agreed]
    reasons += [words for name, words in _WORDS.items() if features[name] == 1.0]
    return Judgement(probability, verdict, scope, tuple(reasons))


def features_of(key: bytes, sketch: bytes, planned: Site, agreed: Sequence[str]) -> dict[str, float]:
    """Return the model's features by name."""
    return {**compare(key, sketch, planned), "keys": min(len(agreed), _MANY_KEYS) / _MANY_KEYS}
