"""A member's own acceptance rules: how old, which schemes, which scope, how sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tacit_matcher.judge import ASSESSED_FROM, POSSIBLE_FROM, Judgement
from tacit_matcher.payload import Payload, Scope, quarter_of


@dataclass(frozen=True, slots=True)
class Policy:
    """What a member accepts. No member is ever obliged to recognise."""

    max_age_quarters: int = 12
    accepted_schemes: frozenset[str] | None = None  # None: all
    min_probability: float = ASSESSED_FROM
    possible_probability: float = POSSIBLE_FROM


@dataclass(frozen=True, slots=True)
class Hit:
    """One opened record for a planned audit, with its judgement."""

    payload: Payload
    judgement: Judgement
    agreed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The one answer for a planned audit; ``hit`` is the best accepted one, None when nothing was found."""

    status: str  # "assessed", "possible" or "not found"
    hit: Hit | None


def apply(policy: Policy, hits: Sequence[Hit], today: date) -> Result:
    """Make one result of all hits: the latest quarter among the acceptable ones; how many there were is not shown."""
    fitting = [hit for hit in hits if _acceptable(policy, hit.payload, today)]
    for status, bound in (("assessed", policy.min_probability), ("possible", policy.possible_probability)):
        sure = [hit for hit in fitting if hit.judgement.probability >= bound]
        if status == "assessed":
            # A company that was assessed says nothing about this site.
            sure = [hit for hit in sure if hit.judgement.scope is Scope.SITE]
        if sure:
            return Result(status, max(sure, key=lambda hit: (hit.payload.assessed, hit.judgement.probability)))
    return Result("not found", None)


def _acceptable(policy: Policy, payload: Payload, today: date) -> bool:
    if policy.accepted_schemes is not None and payload.scheme not in policy.accepted_schemes:
        return False
    if payload.expires is not None and payload.expires < quarter_of(today):
        return False
    (year, quarter), (now_year, now_quarter) = payload.assessed, quarter_of(today)
    return 4 * (now_year - year) + now_quarter - quarter <= policy.max_age_quarters
