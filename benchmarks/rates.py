"""Precision and recall of counts over labelled plans, the same for the demonstration and the matching harness."""

from __future__ import annotations


class Rates:
    """What follows from how many overlaps there are, how many were found, and how many others were called one."""

    __slots__ = ()
    overlaps: int
    found: int
    wrong: int

    @property
    def precision(self) -> float:
        """Return found / (found + wrong)."""
        return self.found / (self.found + self.wrong) if self.found + self.wrong else 0.0

    @property
    def recall(self) -> float:
        """Return found / overlaps."""
        return self.found / self.overlaps if self.overlaps else 0.0
