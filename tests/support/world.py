"""A secretariat and three trustees as real processes on loopback, and members that use the SDK."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from benchmarks.attack import word
from benchmarks.demo.processes import Parties, Server, run, wait_until_healthy

from tacit_client import Member
from tacit_client.transport import HttpTransport, Transport
from tacit_matcher.records import AuditedSite, PlannedAudit, Site
from tacit_protocol.errors import TacitError

EPOCH, STREAM = "2026-h2", "social-audit"
WAIT_SECONDS = 180.0
BACK_END = "auto"


@dataclass
class World:
    """Everybody in one folder."""

    folder: Path
    parties: Parties
    invitations: list[Path] = field(default_factory=list)

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        quota: int = 131_072,
        minimum: int = 1,
        invitations: int = 40,
        streams: tuple[str, ...] = (STREAM,),
    ) -> World:
        world = cls(folder, Parties(folder, 2, 3, BACK_END))
        world.parties.start()
        world.open_epoch(EPOCH, quota=quota, minimum=minimum, streams=streams)
        target = folder / "invitations"
        run("secretariat", "invite", "--home", world.parties.home, "--count", str(invitations), "-o", target)
        world.invitations = sorted(target.glob("*.json"))
        return world

    def open_epoch(
        self, epoch: str, *, quota: int = 131_072, minimum: int = 1, streams: tuple[str, ...] = (STREAM,)
    ) -> None:
        named = [argument for stream in streams for argument in ("--stream", stream)]
        self.command(
            "open-epoch", "--epoch", epoch, *named, "--threshold", "2", "--shuffler", "3",
            "--quota", str(quota), "--minimum-contributors", str(minimum),
        )  # fmt: skip

    def stop(self) -> None:
        self.parties.stop()

    def member(self, name: str) -> Member:
        """Create and enrol a member; waits until the trustees have made the key."""
        member = Member.create(self.folder / name, back_end=BACK_END)
        member.enrol(self.invitations.pop())
        self.wait_for_key(member)
        return member

    def wait_for_key(self, member: Member, epoch: str = EPOCH, stream: str = STREAM) -> None:
        self.wait(lambda: member.board().stream_keys(member.group, epoch, stream))

    def close_window(self, member: Member, epoch: str = EPOCH, stream: str = STREAM) -> None:
        """Close the open window and wait until its index is published."""
        window = member.board().open_window(epoch, stream)
        self.command("close-window", "--epoch", epoch, "--stream", stream)

        def published() -> None:
            board = member.board()
            handover = board.handovers.get((epoch, stream, window))
            if handover is None or (handover.entries and (epoch, stream, window) not in board.indexes):
                raise TacitError("not yet")

        self.wait(published)

    def command(self, *arguments: str) -> str:
        """Run a command of the secretariat's operator."""
        return run("secretariat", arguments[0], "--home", self.parties.home, *arguments[1:])

    def trustee(self, index: int) -> Server:
        return self.parties.trustees[index - 1]

    def kill(self, index: int) -> None:
        """Kill a trustee without warning."""
        self.trustee(index).process.send_signal(signal.SIGKILL)
        self.trustee(index).process.wait()

    def revive(self, index: int) -> None:
        """Start a killed trustee again on its old port."""
        dead = self.trustee(index)
        self.parties.trustees[index - 1] = self.parties.restart(dead)
        wait_until_healthy([self.trustee(index)])

    @contextmanager
    def frozen(self, *indices: int) -> Iterator[None]:
        """Let trustees hang, as a server does that is overloaded or paged out: connected and silent."""
        for index in indices:
            self.trustee(index).process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            for index in indices:
                self.trustee(index).process.send_signal(signal.SIGCONT)

    @staticmethod
    def wait(until: Callable[[], object]) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                until()
            except TacitError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return


class Meddler:
    """A transport that lets a test change what a party answers, or act before a request goes out."""

    def __init__(self, inner: HttpTransport) -> None:
        self.inner = inner
        self.before: Callable[[str, str, str], None] = lambda party, method, url: None
        self.change: Callable[[str, str, bytes], bytes] = lambda party, url, body: body
        self.requests: list[tuple[str, str, str]] = []

    def request(
        self,
        party: str,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = 2**24,
    ) -> bytes:
        self.requests.append((party, method, url))
        self.before(party, method, url)
        return self.change(party, url, self.inner.request(party, method, url, body, headers=headers, limit=limit))


def meddle(member: Member) -> Meddler:
    """Put a :class:`Meddler` between a member and everybody else."""
    inner: Transport = member.transport
    assert isinstance(inner, HttpTransport)
    meddler = Meddler(inner)
    member.transport = meddler
    return meddler


def site(number: int, **changes: str) -> Site:
    """Return one of many different sites."""
    fields = {
        "name": f"Molkerei {word(number)} GmbH",
        "address": f"{word(number * 7 + 3)}strasse {number % 90 + 1}",
        "city": "Kempten",
        "postcode": f"{87000 + number}",
        "country": "DE",
    }
    return Site(**{**fields, **changes})


def audited(number: int, days_ago: int = 100, **changes: str) -> AuditedSite:
    return AuditedSite(
        site(number, **changes), date.today() - timedelta(days=days_ago), "SMETA 4-pillar", "7.0", "Sedex"
    )


def planned(*numbers: int) -> list[PlannedAudit]:
    return [PlannedAudit(f"P{number}", site(number)) for number in numbers]
