"""What an audit found: findings with who is to blame, what could not be checked, notes; the exit code and the report.

Exit codes of every ``tacit audit`` command: 0 all checked and fine, 1 at least one finding, 2 something could not be
checked (a server that does not answer, a missing file, keys that nobody pinned) and nothing was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

FINDING, UNCHECKED, NOTE = "finding", "unchecked", "note"
EXIT_FINE, EXIT_FINDING, EXIT_UNCHECKED = 0, 1, 2


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing to report. ``parties`` are to blame, by the names that everybody uses; ``entry`` is where it stands."""

    severity: str
    check: str
    text: str
    parties: tuple[str, ...] = ()
    entry: int | None = None
    evidence: dict[str, str | int] = {}


class CheckCount(msgspec.Struct):
    """How many things a check looked at, and how many of them failed."""

    name: str
    checked: int = 0
    failed: int = 0


class StreamFacts(msgspec.Struct, frozen=True):
    """What the log comes to for one stream."""

    epoch: str
    stream: str
    public_key: str  # hexadecimal; empty when the ceremony is not complete
    members_granted: int
    evaluations: int
    quota: int
    uploads: int
    index_window: int
    index_records: int


class WitnessFacts(msgspec.Struct, frozen=True):
    """When a trustee cosigned the checkpoint (Unix seconds), and how many seconds ago; None when it did not."""

    trustee: int
    time: int | None
    age: int | None


@dataclass
class Report:
    """Everything that an audit of the log came to."""

    source: str
    size: int = 0
    head: str = ""
    findings: list[Finding] = field(default_factory=list)
    checks: dict[str, CheckCount] = field(default_factory=dict)
    streams: list[StreamFacts] = field(default_factory=list)
    witnesses: list[WitnessFacts] = field(default_factory=list)

    def checked(self, name: str, count: int = 1) -> None:
        """Count what a check looked at."""
        self.checks.setdefault(name, CheckCount(name)).checked += count

    def add(
        self,
        severity: str,
        check: str,
        text: str,
        *parties: str | None,
        entry: int | None = None,
        evidence: Mapping[str, str | int] | None = None,
    ) -> None:
        """Report something."""
        named = tuple(dict.fromkeys(party for party in parties if party))
        self.findings.append(Finding(severity, check, text, named, entry, dict(evidence or {})))
        if severity == FINDING:
            self.checks.setdefault(check, CheckCount(check)).failed += 1

    def of(self, severity: str) -> list[Finding]:
        """Return the findings of one severity."""
        return [finding for finding in self.findings if finding.severity == severity]

    @property
    def exit_code(self) -> int:
        """Return the exit code that the report comes to."""
        if self.of(FINDING):
            return EXIT_FINDING
        return EXIT_UNCHECKED if self.of(UNCHECKED) else EXIT_FINE

    def to_json(self) -> bytes:
        """Return the report as JSON, for programs."""
        return msgspec.json.format(
            msgspec.json.encode(
                {
                    "version": 1,
                    "verdict": {0: "fine", 1: "findings", 2: "not everything could be checked"}[self.exit_code],
                    "source": self.source,
                    "entries": self.size,
                    "head": self.head,
                    "checks": list(self.checks.values()),
                    "witnesses": self.witnesses,
                    "streams": self.streams,
                    "findings": self.findings,
                }
            ),
            indent=2,
        )
