"""Judge on the member's machine whether an opened record is of the same site as the planned audit.

A logistic model over the sketch's features and some products of them, calibrated on labelled lists (MATCHING.md). Its
coefficients are constants in :mod:`tacit_matcher.judge_model`, so every member judges alike and no learning library is
needed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tacit_matcher.judge_model import BIAS, WEIGHTS
from tacit_matcher.keys import KEY_TYPES, KeyClass
from tacit_matcher.normalise import NormalSite
from tacit_matcher.payload import Scope
from tacit_matcher.records import Site
from tacit_matcher.sketch import compare

ASSESSED_FROM = 0.5
POSSIBLE_FROM = 0.2
TERMS = (
    "name_alike", "name_least", "name_most", "name_top", "name_agree", "name_differ", "name_same", "name_elsewhere",
    "trade_agree", "trade_differ", "figure_agree", "figure_apart", "figure_alone",
    "street_alike", "street_least", "street_most", "street_agree", "street_differ", "street_known",
    "house_agree", "house_differ", "number_agree", "number_differ", "number_same",
    "postcode_agree", "postcode_differ", "area_agree", "area_differ", "city_agree", "city_differ", "keys",
    "name_least*place", "name_most*place", "name_most*street_most", "name_least*street_most",
    "name_least*street_least", "name_most*street_most*house_agree", "street_most*house_agree",
    "name_least*street_unknown", "name_least*name_least", "name_most*name_most", "street_most*street_most",
    "name_least*house_differ", "name_most*house_differ", "name_least*city_differ", "name_most*postcode_differ",
    "street_most*house_agree*name_differ", "name_same*place", "name_same*place*street_unknown",
    "name_same*street_unknown", "name_least*place*street_unknown", "name_same*street_most", "name_top*place",
    "name_top*street_most", "name_top*house_differ", "trade_differ*street_most*house_agree",
    "trade_agree*street_most*house_agree", "name_most*street_differ",
)  # fmt: skip
"""The model's inputs: features of :func:`tacit_matcher.sketch.compare`, ``place`` (city or postcode agree),
``street_unknown``, ``keys`` (how many kinds of key agreed), and products of these."""
_FACTORS = {term: tuple(term.split("*")) for term in TERMS}
_MANY_KEYS = 6
_WORDS = {
    "name_same": "the names have the same words",
    "postcode_agree": "the postcodes agree",
    "house_agree": "the house numbers agree",
    "city_agree": "the cities agree",
    "name_differ": "the names have no word in common",
    "street_differ": "the streets have no word in common",
    "postcode_differ": "the postcodes differ",
    "house_differ": "the house numbers differ",
    "city_differ": "the cities differ",
    "figure_apart": "a number in the names differs",
    "country_differ": "the countries differ",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The probability that it is the same site, the verdict at the usual thresholds, the scope, reasons in words."""

    probability: float
    verdict: str  # "assessed", "possible" or "different"
    scope: Scope
    reasons: tuple[str, ...]


def judge(key: bytes, sketch: bytes, planned: Site | NormalSite, agreed: Sequence[str], scope: Scope) -> Judgement:
    """Compare a record's sketch with the plan; ``agreed`` are the types of the keys that opened the record.

    A site's own identifier decides. An entity's identifier never says that this site was assessed: where nothing
    else agreed, the judgement's scope is the entity.
    """
    features = features_of(key, sketch, planned, agreed)
    # No composite key is equal across countries; a record that an entity's identifier opened may be of another one.
    alike = 0.0 if features["country_differ"] else probability_of(features)
    if _is_apart(features):
        alike = min(alike, ASSESSED_FROM - 0.01)
    probability, scope = _with_identifiers(alike, agreed, scope)
    reasons = [f"same {KEY_TYPES[name].label}" for name in agreed]
    reasons += [words for name, words in _WORDS.items() if features[name] == 1.0]
    return Judgement(probability, verdict_of(probability), scope, tuple(reasons))


def verdict_of(probability: float) -> str:
    """Return the verdict at the usual thresholds."""
    if probability >= ASSESSED_FROM:
        return "assessed"
    return "possible" if probability >= POSSIBLE_FROM else "different"


def features_of(key: bytes, sketch: bytes, planned: Site | NormalSite, agreed: Iterable[str]) -> dict[str, float]:
    """Return the features of which the model's terms are products, each between 0 and 1."""
    features = compare(key, sketch, planned)
    features["place"] = max(features["city_agree"], features["postcode_agree"])
    features["street_unknown"] = 1.0 - features["street_known"]
    features["keys"] = min(len(set(agreed)), _MANY_KEYS) / _MANY_KEYS
    return features


def terms_of(features: Mapping[str, float]) -> list[float]:
    """Return the value of each of :data:`TERMS`."""
    return [math.prod(features[name] for name in factors) for factors in _FACTORS.values()]


def probability_of(features: Mapping[str, float]) -> float:
    """Return the model's probability that the two are the same site."""
    # fsum: the same last bit on every machine and in every order.
    score = math.fsum((BIAS, *(WEIGHTS[term] * value for term, value in zip(TERMS, terms_of(features), strict=True))))
    return 1 / (1 + math.exp(-score))


def _is_apart(features: Mapping[str, float]) -> bool:
    """Return whether something says another site that no likeness of the rest outweighs: then a person has to look.

    Another unit, hall or number of one company; a plant with a number at another address than the one without; at one
    address, a company with no word in common and in another trade. On development plans this costs nothing.
    """
    elsewhere = features["house_differ"] or features["street_differ"]
    return bool(
        features["figure_apart"]
        or (features["figure_alone"] and elsewhere)
        or (features["name_differ"] and features["trade_differ"])
    )


def _with_identifiers(probability: float, agreed: Sequence[str], scope: Scope) -> tuple[float, Scope]:
    kinds = [KEY_TYPES[name] for name in agreed]
    if sites := [kind.confidence for kind in kinds if kind.key_class is KeyClass.SITE_IDENTIFIER]:
        return max(sites), scope
    entities = [kind.confidence for kind in kinds if kind.key_class is KeyClass.ENTITY_IDENTIFIER]
    if entities and probability < ASSESSED_FROM:
        return max(entities), Scope.ENTITY
    return probability, scope
