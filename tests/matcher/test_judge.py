"""The judge: near-namesakes apart, ten scripts together, identifiers by their scope, and a model that is all there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.sites import NEAR_NAMESAKES, TEN_SCRIPTS
from tacit_matcher.judge import ASSESSED_FROM, POSSIBLE_FROM, TERMS, Judgement, features_of, judge, terms_of, verdict_of
from tacit_matcher.judge_model import WEIGHTS
from tacit_matcher.keys import KEY_TYPES, KeyClass, match_keys
from tacit_matcher.payload import Scope
from tacit_matcher.records import IDENTIFIER_KINDS, Site
from tacit_matcher.sketch import SKETCH_BYTES, make_sketch

KEY = bytes(range(32))
DAIRY = Site("Molkerei Alpsee GmbH", "Seestraße 10", "Füssen", "87629", "DE")


def judged(listed: Site, planned: Site, *more: str) -> Judgement:
    """Judge as a member does that opened the record by the keys the two have in common."""
    equal = set(match_keys(listed)) & set(match_keys(planned))
    agreed = [*more, *(key.key_type for key in match_keys(planned) if key in equal)]
    return judge(KEY, make_sketch(KEY, listed), planned, agreed, Scope.SITE)


def test_the_model_has_a_weight_for_every_term() -> None:
    assert list(WEIGHTS) == list(TERMS)
    features = features_of(KEY, make_sketch(KEY, DAIRY), DAIRY, ["name"])
    assert all(0 <= value <= 1 for value in terms_of(features))


@pytest.mark.parametrize("why", NEAR_NAMESAKES)
def test_near_namesakes_stay_apart(why: str) -> None:
    one, two = NEAR_NAMESAKES[why]
    for listed, planned in ((one, two), (two, one)):
        assert judged(listed, planned).verdict != "assessed"


@pytest.mark.parametrize("why", NEAR_NAMESAKES)
def test_each_namesake_is_itself(why: str) -> None:
    for site in NEAR_NAMESAKES[why]:
        shouted = Site(site.name.upper(), site.address.upper(), site.city.upper(), site.postcode, site.country)
        assert judged(site, shouted).verdict == "assessed"


@pytest.mark.parametrize("script", TEN_SCRIPTS)
def test_ten_scripts_are_recognised(script: str) -> None:
    own, latin = TEN_SCRIPTS[script]
    assert judged(own, latin).verdict == judged(latin, own).verdict == "assessed"


@pytest.mark.parametrize(
    "planned",
    [
        Site("MOLKEREI ALPSEE", "Seestr. 10", "Füssen", "87629", "DE"),
        Site("Alpsee Molkerei GmbH & Co. KG", "Seestraße 10 a", "Fuessen/Allgäu", "87629", "DE"),
        Site("Alpsee Dairy", "Seestrasse 10-12", "Füssen", "", "Germany"),
        Site("Molkerei Alpsee GmbH", "", "Füssen", "87629", "DE"),
    ],
)
def test_another_hand_is_recognised(planned: Site) -> None:
    judgement = judged(DAIRY, planned)
    assert judgement.verdict == "assessed" and judgement.scope is Scope.SITE


def test_the_same_name_at_another_address_says_so() -> None:
    moved = judged(DAIRY, Site("Molkerei Alpsee GmbH", "Ziegeleiweg 81", "Füssen", "87629", "DE"))
    assert "the streets have no word in common" in moved.reasons and "the house numbers differ" in moved.reasons
    assert moved.probability < judged(DAIRY, DAIRY).probability - 0.05


def test_reasons_name_the_keys_that_agreed() -> None:
    reasons = judged(DAIRY, DAIRY).reasons
    assert "same postcode, street and house number" in reasons and "the names have the same words" in reasons


@pytest.mark.parametrize(
    "kind", [name for name in IDENTIFIER_KINDS if KEY_TYPES[name].key_class is KeyClass.SITE_IDENTIFIER]
)
def test_a_sites_own_identifier_decides(kind: str) -> None:
    other = Site("Quite Another Name", "Elsewhere 1", "Kiel", "24103", "DE")
    judgement = judged(DAIRY, other, kind)
    assert judgement.verdict == "assessed" and judgement.scope is Scope.SITE
    assert judgement.probability == KEY_TYPES[kind].confidence


@pytest.mark.parametrize(
    "kind", [name for name in IDENTIFIER_KINDS if KEY_TYPES[name].key_class is KeyClass.ENTITY_IDENTIFIER]
)
def test_an_entitys_identifier_never_says_that_the_site_was_assessed(kind: str) -> None:
    other = Site("Quite Another Name", "Elsewhere 1", "Kiel", "24103", "DE")
    assert judged(DAIRY, other, kind).scope is Scope.ENTITY
    abroad = Site(DAIRY.name, DAIRY.address, DAIRY.city, DAIRY.postcode, "AT")
    assert judged(DAIRY, abroad, kind).scope is Scope.ENTITY
    # Where name and address say it is this site, the identifier does not take that away.
    assert judged(DAIRY, DAIRY, kind).scope is Scope.SITE


def test_countries_that_differ_are_never_the_same_site() -> None:
    abroad = Site(DAIRY.name, DAIRY.address, DAIRY.city, DAIRY.postcode, "AT")
    assert judged(DAIRY, abroad).probability == 0.0


def test_verdicts_at_the_thresholds() -> None:
    assert 0 < POSSIBLE_FROM < ASSESSED_FROM < 1
    assert verdict_of(ASSESSED_FROM) == "assessed"
    assert verdict_of(ASSESSED_FROM - 1e-9) == verdict_of(POSSIBLE_FROM) == "possible"
    assert verdict_of(POSSIBLE_FROM - 1e-9) == "different"


@given(st.binary(min_size=SKETCH_BYTES, max_size=SKETCH_BYTES))
def test_a_contributors_rubbish_gives_a_probability_and_no_error(sketch: bytes) -> None:
    judgement = judge(KEY, sketch, DAIRY, ["street"], Scope.SITE)
    assert 0.0 <= judgement.probability <= 1.0


def test_a_sketch_with_every_bit_set_does_not_match_everything() -> None:
    # A contributor could fill the filters so that every bigram seems to be there.
    assert judge(KEY, b"\xff" * SKETCH_BYTES, DAIRY, ["word+place"], Scope.SITE).verdict != "assessed"
