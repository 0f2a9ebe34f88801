"""How long work reports its progress, without knowing whether anybody looks."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called as work goes on: ``stage`` in plain words, ``done`` of ``total`` units.

    Stages overlap and report from their own threads; a total may be an estimate until the stage is over.
    """

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note."""
        ...


def silent(stage: str, done: int, total: int) -> None:
    """Report to nobody."""
