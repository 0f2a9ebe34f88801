"""The split of the plans: tuning and training see the development half only, by a hash that nobody chose."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Literal

Part = Literal["development", "held-out", "all"]
PARTS: tuple[Part, ...] = ("development", "held-out", "all")


def part_of(plan_id: str) -> Part:
    """Return ``development`` when SHA-256 of the plan's id, read as a number, is even, else ``held-out``."""
    return "held-out" if int(sha256(plan_id.encode()).hexdigest(), 16) % 2 else "development"


def in_part(plan_ids: Iterable[str], part: Part) -> list[str]:
    """Return the ids that are in ``part``, in their order."""
    return [plan_id for plan_id in plan_ids if part in ("all", part_of(plan_id))]
