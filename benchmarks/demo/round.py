"""One recognition round, phase by phase, with real processes and real cryptography in between."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.demo.members import Outcome, join_and_contribute
from benchmarks.demo.processes import Parties, run
from tacit_client import Member
from tacit_client.transport import HttpTransport
from tacit_protocol.errors import TacitError
from tacit_protocol.messages import IndexRoot

EPOCH = "2026-h2"
STREAM = "social-audit"
SHUFFLER = 3
WAIT_SECONDS = 180.0


@dataclass
class Phase:
    """Seconds of one phase and the bytes that members sent to and received from each party in it."""

    seconds: float = 0.0
    sent: dict[str, int] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)


@dataclass
class Round:
    """State of the demonstration; ``folder`` holds everybody's files."""

    folder: Path
    lists: Path
    parties: Parties
    back_end: str
    console: Console
    phases: dict[str, Phase] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    index: IndexRoot | None = None
    check_peak_memory: int = 0

    @contextmanager
    def phase(self, name: str) -> Iterator[Phase]:
        """Time a phase and print its line."""
        phase = self.phases.setdefault(name, Phase())
        started = time.monotonic()
        yield phase
        phase.seconds = time.monotonic() - started
        self.console.print(f"[green]✓[/] {name} [dim]{phase.seconds:.1f} s[/]")

    def ceremony(self) -> None:
        """Open the epoch and wait until every trustee has agreed to the key ceremony's transcript."""
        run(
            "secretariat", "open-epoch", "--home", self.parties.home, "--epoch", EPOCH, "--stream", STREAM,
            "--threshold", str(self.parties.threshold), "--shuffler", str(SHUFFLER),
        )  # fmt: skip

    def invitations(self, count: int) -> list[Path]:
        """Have the secretariat write invitations."""
        folder = self.folder / "invitations"
        run("secretariat", "invite", "--home", self.parties.home, "--count", str(count), "-o", folder)
        return sorted(folder.glob("*.json"))

    def planner(self, invitation: Path) -> Member:
        """Create and enrol the member that plans audits, and wait for the trustees' key with it."""
        member = Member.create(self.folder / "planner", back_end=self.back_end)
        member.enrol(invitation)
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                board = member.board()
                board.stream_keys(member.group, EPOCH, STREAM)
            except TacitError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return member

    def contribute(self, lists: list[Path], invitations: list[Path], phase: Phase) -> None:
        """Let all members enrol and contribute, one worker process for each core."""
        context = multiprocessing.get_context("spawn")
        columns = (TextColumn("  members"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        with (
            ProcessPoolExecutor(os.cpu_count() or 1, mp_context=context) as pool,
            Progress(*columns, TimeElapsedColumn(), console=self.console, transient=True) as progress,
        ):
            task = progress.add_task("", total=len(lists))
            running = [
                pool.submit(
                    join_and_contribute,
                    audited, self.folder / "members" / audited.stem, invitation, STREAM, self.back_end,
                )
                for audited, invitation in zip(lists, invitations, strict=True)
            ]  # fmt: skip
            for done in as_completed(running):
                outcome = done.result()
                self.outcomes.append(outcome)
                add(phase.sent, outcome.sent)
                add(phase.received, outcome.received)
                records = sum(each.records for each in self.outcomes)
                progress.update(task, advance=1, description=f"{records:,} records sealed")

    def publish(self, planner: Member) -> None:
        """Close the window; the shuffler hands over, the secretariat opens, sorts and publishes."""
        run("secretariat", "close-window", "--home", self.parties.home, "--epoch", EPOCH, "--stream", STREAM)
        deadline = time.monotonic() + WAIT_SECONDS
        while self.index is None:
            self.index = planner.board().latest_index(EPOCH, STREAM)
            if self.index is None:
                if time.monotonic() > deadline:
                    raise RuntimeError("no index was published: read the logs of secretariat and trustee 3")
                time.sleep(0.3)

    def check(self, planned: Path, report: Path, phase: Phase) -> None:
        """Check the planned audits with the command that a sourcing manager would type."""
        command = [
            sys.executable, "-m", "tacit_client.cli", "check", str(planned), "-o", str(report), "--yes", "--overwrite",
            "--home", str(self.folder / "planner"), "--back-end", self.back_end,
            "--traffic", str(self.folder / "traffic.json"),
        ]  # fmt: skip
        process = subprocess.Popen(command)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise RuntimeError("tacit check failed: see its message above")
        self.check_peak_memory = usage.ru_maxrss * 1024


def add(total: dict[str, int], part: dict[str, int]) -> None:
    """Add the counts of ``part`` to ``total``."""
    for party, count in part.items():
        total[party] = total.get(party, 0) + count


def traffic(member: Member) -> tuple[dict[str, int], dict[str, int]]:
    """Return what a member has sent and received so far, by party."""
    transport = member.transport
    assert isinstance(transport, HttpTransport)
    return dict(transport.sent), dict(transport.received)
