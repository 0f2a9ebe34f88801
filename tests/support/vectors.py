"""Published test vectors and repeatable randomness."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parents[1] / "vectors"


def load(name: str) -> Any:
    """Return the vectors in ``tests/vectors/<name>.json``."""
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def unhex(values: list[str]) -> list[bytes]:
    return [bytes.fromhex(value) for value in values]


def draw_from(seed: str) -> Callable[[int], bytes]:
    """Return a source of bytes that look random and are the same in every run."""
    state = {"used": 0}

    def draw(count: int) -> bytes:
        state["used"] += 1
        return hashlib.shake_256(f"{seed}/{state['used']}".encode()).digest(count)

    return draw
