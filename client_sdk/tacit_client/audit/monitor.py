"""Follow the log and alarm: each turn verifies everything anew and tells only what was not told before."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from tacit_client.audit import silences
from tacit_client.audit.findings import FINDING, UNCHECKED, Finding, Report
from tacit_client.errors import VaultError
from tacit_client.vault import write_atomically

STATE = "monitor.json"


class MonitorState(msgspec.Struct):
    """What was told already, and how far the log had come."""

    version: int = 1
    size: int = 0
    told: set[str] = msgspec.field(default_factory=set)
    open_findings: bool = False
    cosigned: dict[int, int] = msgspec.field(default_factory=dict)  # trustee: when it was last seen to (Unix seconds)


def load(folder: Path) -> MonitorState:
    """Read the state; a monitor that runs for the first time has none."""
    path = folder / STATE
    if not path.exists():
        return MonitorState()
    try:
        return msgspec.json.decode(path.read_bytes(), type=MonitorState)
    except (msgspec.MsgspecError, OSError) as error:
        raise VaultError(f"{STATE} is damaged: remove it, and everything is told once more") from error


def take_turn(folder: Path, report: Report, now: int) -> list[Finding]:
    """Return what is new in a report and remember it; ``now`` is the time of the look (Unix seconds).

    A log that shrank is a finding of its own, and so is a trustee that no look has seen cosigning for a day.
    """
    state = load(folder)
    silences.report_absent(report, state.cosigned, now)
    if report.size < state.size:
        text = f"the log had {state.size} entries and is now shown with {report.size}"
        report.add(FINDING, "one history", text, "secretariat")
    fresh = [finding for finding in _loud(report.findings) if _mark(finding) not in state.told]
    state.told |= {_mark(finding) for finding in fresh if finding.severity == FINDING}
    state.size = max(state.size, report.size)
    state.open_findings = bool(report.of(FINDING))
    write_atomically(folder / STATE, msgspec.json.encode(state))
    return fresh


def _loud(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity in (FINDING, UNCHECKED)]


def _mark(finding: Finding) -> str:
    return hashlib.sha256(msgspec.json.encode(finding)).hexdigest()[:32]
