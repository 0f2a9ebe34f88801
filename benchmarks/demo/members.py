"""The members of the demonstration: each has its own folder, vault and keys, and uses the SDK as its users do."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass, field
from pathlib import Path

from tacit_client import Member
from tacit_client.transport import HttpTransport


@dataclass
class Outcome:
    """What one member's contribution cost."""

    name: str
    records: int
    seconds: float
    sent: dict[str, int] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    peak_memory: int = 0
    warnings: list[str] = field(default_factory=list)


def join_and_contribute(audited: Path, home: Path, invitation: Path, stream: str, back_end: str) -> Outcome:
    """Create a member, enrol it and contribute its list; runs in a worker process."""
    started = time.monotonic()
    member = Member.create(home, back_end=back_end, threads=1)
    member.enrol(invitation)
    contribution = member.contribute(audited, stream=stream)
    transport = member.transport
    assert isinstance(transport, HttpTransport)
    return Outcome(
        audited.stem,
        contribution.records,
        time.monotonic() - started,
        dict(transport.sent),
        dict(transport.received),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        member.warnings,
    )
