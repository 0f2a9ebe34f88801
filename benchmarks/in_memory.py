"""A round in memory: the member's real code on one side, trustees, secretariat and shuffler without HTTP on the other.

So what a member's command costs can be taken apart into its group operations, the trustees' work and all the rest.
Everything runs on one thread per call, whose CPU time each party adds up for itself.
"""

from __future__ import annotations

import gc
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from benchmarks.attack import word
from tacit_client.checking import Checker
from tacit_client.contribution import Contributor
from tacit_client.evaluation import Evaluator
from tacit_client.session import StreamContext
from tacit_client.vault import Vault
from tacit_matcher.policy import Policy
from tacit_matcher.records import AuditedSite, PlannedAudit, Site
from tacit_protocol import answers, grants, scalars, signing, wire
from tacit_protocol.answers import Question
from tacit_protocol.dleq import Binding
from tacit_protocol.group import Backend, load_backend
from tacit_protocol.messages import IndexRoot
from tacit_protocol.threshold import ShareAnswer, evaluate_share

EPOCH, STREAM = "bench", "social-audit"
THRESHOLD, INDICES = 2, (1, 2)
T = TypeVar("T")


class Meter:
    """CPU seconds of the threads that enter it, added up."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def running(self) -> Iterator[None]:
        start = time.thread_time()
        try:
            yield
        finally:
            with self._lock:
                self.seconds += time.thread_time() - start


class MeteredBackend:
    """A back end whose calls are metered; what multiplications by blinds give is encoded at once, as callers do."""

    def __init__(self, inner: Backend) -> None:
        self.name, self.meter, self._inner = inner.name, Meter(), inner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = getattr(self._inner, name)

        def metered(*arguments: Any) -> Any:
            with self.meter.running():
                result = operation(*arguments)
                if name == "multiply_each":
                    result.encode()
                return result

        return metered

    # Not metered: the back end does them, but they are no group operations.

    def entry_keys(self, *arguments: Any) -> bytes:
        return self._inner.entry_keys(*arguments)

    def seal_records(self, *arguments: Any) -> bytes:
        return self._inner.seal_records(*arguments)

    def seal_each(self, *arguments: Any) -> bytes:
        return self._inner.seal_each(*arguments)

    def is_sorted(self, *arguments: Any) -> bool:
        return self._inner.is_sorted(*arguments)


@dataclass
class Wire:
    """Bytes that would travel."""

    sent: int = 0
    received: int = 0


@dataclass
class TrusteeInMemory:
    """A trustee that evaluates with a real share and proves it; its CPU time is its own."""

    index: int
    group: Backend
    share: bytes
    wire: Wire
    meter: Meter = field(default_factory=Meter)
    pages: dict[int, bytes] = field(default_factory=dict)
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def party(self) -> str:
        return f"trustee {self.index}"

    @property
    def public(self) -> bytes:
        return self.group.multiply_base(self.share).encode()

    def evaluate(self, group: Backend, epoch: str, stream: str, blinded: bytes) -> ShareAnswer:
        with self.meter.running():
            received = self.group.decode(blinded)
            public = self.group.decode(self.public)
            binding = Binding(epoch, stream, self.index)
            answer = evaluate_share(self.group, self.share, public, received, binding, secrets.token_bytes(64))
            question = Question(epoch, stream, self.index, grants.batch_digest(epoch, stream, blinded))
            body = answers.sign(self.key, question, wire.encode_content(answer))
        self.wire.sent += len(blinded)
        self.wire.received += len(body)
        return answers.open_answer(group, signing.public_bytes(self.key), question, len(received), body)

    def upload_state(self, *_: object) -> SimpleNamespace:
        return SimpleNamespace(pages=list(self.pages))

    def upload_page(self, epoch: str, stream: str, entry: int, number: int, page: bytes) -> None:
        self.wire.sent += len(page)
        self.pages[number] = page

    def complete_upload(self, *_: object) -> None:
        return None


@dataclass
class SecretariatInMemory:
    """Takes grants; the index is in the member's cache already."""

    wire: Wire

    def post(self, message: Any) -> SimpleNamespace:
        self.wire.sent += len(message.body)
        return SimpleNamespace(sequence=1)

    def download_index(self, *_: object) -> None:
        return None


@dataclass
class BoardInMemory:
    """What a contribution and a check ask of the board."""

    root: IndexRoot | None = None
    handovers: dict[object, object] = field(default_factory=dict)

    def open_window(self, *_: object) -> int:
        return 1

    def latest_index(self, *_: object) -> IndexRoot | None:
        return self.root


class RoundInMemory:
    """One member and two trustees, all on the back end of one name."""

    def __init__(self, back_end: str, home: Path) -> None:
        self.group = MeteredBackend(load_backend(back_end))
        self.wire = Wire()
        slope, constant = scalars.reduce(secrets.token_bytes(64)), scalars.reduce(secrets.token_bytes(64))
        shares_of = {i: scalars.add(constant, scalars.multiply(scalars.from_int(i), slope)) for i in INDICES}
        trustee_group = load_backend(back_end)
        self.trustees = [TrusteeInMemory(i, trustee_group, share, self.wire) for i, share in shares_of.items()]
        public = trustee_group.multiply_base(constant).encode()
        shares = {trustee.index: trustee.public for trustee in self.trustees}
        self.context = StreamContext(EPOCH, STREAM, THRESHOLD, public, shares)
        self.agreement_key = X25519PrivateKey.generate()
        self.home = home
        self.vault = Vault.create(home)

    @property
    def evaluator(self) -> Evaluator:
        secretariat: Any = SecretariatInMemory(self.wire)
        trustees: Any = self.trustees
        group: Any = self.group
        key = Ed25519PrivateKey.generate()
        return Evaluator(group, self.vault, self.context, secretariat, trustees, key, logged=lambda _: None)

    def contribute(self, sites: Sequence[AuditedSite]) -> None:
        manifest: Any = SimpleNamespace(agreement_key=self.agreement_key.public_key().public_bytes_raw(), epoch=EPOCH)
        shuffler: Any = self.trustees[0]
        contributor = Contributor(
            self.vault, self.evaluator, self.context, manifest, shuffler, Ed25519PrivateKey.generate()
        )
        board: Any = BoardInMemory()
        contributor.contribute(board, sites)

    def check(self, plans: Sequence[PlannedAudit], root: IndexRoot, cache: Path) -> Any:
        board: Any = BoardInMemory(root)
        checker = Checker(self.vault, self.evaluator, self.context, cache, Policy())
        return checker.check(board, plans, date.today())

    def reset_meters(self) -> None:
        self.group.meter.seconds = 0.0
        self.wire.sent = self.wire.received = 0
        for trustee in self.trustees:
            trustee.meter.seconds = 0.0


@dataclass(frozen=True)
class Costs:
    """CPU seconds of one command by who spent them, and what would have travelled."""

    member_group: float
    member_rest: float
    per_trustee: float
    sent: int
    received: int

    @property
    def member(self) -> float:
        return self.member_group + self.member_rest


@contextmanager
def _collecting() -> Iterator[None]:
    """Collect garbage as a member's own command does: the benchmarks of single operations run without."""
    before = gc.isenabled()
    gc.enable()
    try:
        yield
    finally:
        if not before:
            gc.disable()


def costs_of(round_: RoundInMemory, command: Callable[[], T]) -> tuple[Costs, T]:
    """Run a member's command and say who spent what."""
    round_.reset_meters()
    with _collecting():
        start = time.process_time()
        result = command()
        total = time.process_time() - start
    trustees = sum(trustee.meter.seconds for trustee in round_.trustees)
    group = round_.group.meter.seconds
    rest = total - trustees - group
    return Costs(group, rest, trustees / len(round_.trustees), round_.wire.sent, round_.wire.received), result


def site(number: int) -> Site:
    """Return one of 65,536 different sites; every third one gives identifiers too."""
    return Site(
        f"{word(number)} Foods (Plant {number % 7 + 1}) GmbH",
        f"{word(number * 7 + 3)}strasse {number % 90 + 1}",
        word(number % 97),
        f"{10000 + number}",
        "DE",
        {"gln": _gln(number), "duns": f"{number + 10**8}"} if number % 3 == 0 else {},
    )


def audited(numbers: range) -> list[AuditedSite]:
    day = date.today() - timedelta(days=100)
    return [AuditedSite(site(number), day, "SMETA 4-pillar", "7.0", "Sedex") for number in numbers]


def planned(numbers: range) -> list[PlannedAudit]:
    return [PlannedAudit(f"P{number}", site(number)) for number in numbers]


def _gln(number: int) -> str:
    digits = f"40{number + 10**9:010d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return digits + str(-total % 10)
