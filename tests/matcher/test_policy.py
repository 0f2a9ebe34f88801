"""A member's acceptance rules."""

from __future__ import annotations

from datetime import date

import pytest

from tacit_matcher.judge import Judgement, verdict_of
from tacit_matcher.payload import Payload, Scope
from tacit_matcher.policy import Hit, Policy, apply

TODAY = date(2026, 11, 25)


def hit(
    probability: float = 0.99,
    assessed: tuple[int, int] = (2026, 1),
    scheme: str = "SMETA 4-pillar",
    expires: tuple[int, int] | None = None,
    scope: Scope = Scope.SITE,
) -> Hit:
    payload = Payload(scheme, "7.0", scope, assessed, expires, "Sedex", bytes(200))
    return Hit(payload, Judgement(probability, verdict_of(probability), scope, ()), ("name",))


def test_no_hit_is_not_found() -> None:
    assert apply(Policy(), [], TODAY).status == "not found"


def test_the_latest_of_several_acceptable_hits_is_shown_as_one() -> None:
    hits = [hit(assessed=(2025, 2)), hit(assessed=(2026, 3), probability=0.8), hit(assessed=(2024, 4))]
    result = apply(Policy(), hits, TODAY)
    assert result.status == "assessed" and result.hit is hits[1]


def test_of_one_quarter_the_surest_is_shown() -> None:
    hits = [hit(0.8), hit(0.95), hit(0.9)]
    assert apply(Policy(), hits, TODAY).hit is hits[1]


@pytest.mark.parametrize(("probability", "status"), [(0.9, "assessed"), (0.4, "possible"), (0.1, "not found")])
def test_status_by_probability(probability: float, status: str) -> None:
    assert apply(Policy(), [hit(probability)], TODAY).status == status


def test_the_member_sets_the_threshold() -> None:
    assert apply(Policy(min_probability=0.95), [hit(0.9)], TODAY).status == "possible"
    assert apply(Policy(possible_probability=0.05), [hit(0.1)], TODAY).status == "possible"


@pytest.mark.parametrize(("assessed", "found"), [((2023, 4), True), ((2023, 3), False)])
def test_age_in_quarters(assessed: tuple[int, int], found: bool) -> None:
    assert (apply(Policy(), [hit(assessed=assessed)], TODAY).status == "assessed") is found


@pytest.mark.parametrize(("expires", "found"), [((2026, 4), True), ((2026, 3), False), (None, True)])
def test_an_expired_assessment_is_not_accepted(expires: tuple[int, int] | None, found: bool) -> None:
    assert (apply(Policy(), [hit(expires=expires)], TODAY).status == "assessed") is found


def test_only_accepted_schemes() -> None:
    policy = Policy(accepted_schemes=frozenset({"amfori BSCI"}))
    assert apply(policy, [hit()], TODAY).status == "not found"
    assert apply(policy, [hit(), hit(scheme="amfori BSCI")], TODAY).status == "assessed"


def test_an_entity_is_possible_at_most_however_sure() -> None:
    result = apply(Policy(), [hit(1.0, scope=Scope.ENTITY)], TODAY)
    assert result.status == "possible" and result.hit is not None and result.hit.judgement.scope is Scope.ENTITY
