"""From match-key inputs to PRF outputs: batches, grants, trustees; resumable without spending quota again.

Order of writes: a batch is in the vault before its grant is asked for, its outputs are in the vault before anything
uses them. A crash at any point leaves a batch that the next run finishes under the same grant.

Stages overlap (:mod:`tacit_client.pipeline`): while the trustees work on some batches and answers are verified and
combined as they come, the keys of the next batch are derived and blinded. Only the calling thread writes to the vault
and asks for grants, so that after an interrupt nothing is stored or spent behind the next run's back.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tacit_client import pipeline, session
from tacit_client.errors import PartyUnavailable, Refused
from tacit_client.parties import Secretariat, TrusteeServer
from tacit_client.progress import Progress, silent
from tacit_client.session import Batch, StreamContext
from tacit_client.vault import Vault
from tacit_protocol import messages, signing
from tacit_protocol.answers import WrongAnswerError
from tacit_protocol.errors import EncodingError, ProofError, QuorumError, SignatureError, TacitError
from tacit_protocol.group import OUTPUT_BYTES, Backend, Elements
from tacit_protocol.messages import BoardEntry
from tacit_protocol.threshold import ShareAnswer
from tacit_protocol.witnessing import WitnessError

# Batches granted and not finished: one waits for the witnesses to cosign its grant, one is being evaluated, and the
# answers to one are being verified and combined.
FLIGHTS = 3


class _StoredBatch(msgspec.Struct):
    """A batch in the vault; ``outputs`` is empty until the trustees have answered."""

    inputs: list[bytes]
    blinds: bytes
    outputs: bytes = b""


def batches_folder(epoch: str, stream: str) -> str:
    """Return where in the vault the batches of a stream are."""
    return f"batches/{epoch}/{stream}"


def refused_folder(epoch: str, stream: str) -> str:
    """Return where in the vault the batches are whose grant was refused."""
    return f"refused/{epoch}/{stream}"


def batch_names(vault: Vault, epoch: str, stream: str) -> list[str]:
    """Return the names of all batches of a stream, answered, waiting or refused."""
    folders = (batches_folder(epoch, stream), refused_folder(epoch, stream))
    return [name for folder in folders for name in vault.names(folder)]


def stored_batches(vault: Vault, epoch: str, stream: str) -> Iterator[Batch]:
    """Yield all batches of a stream with their blinds, answered or not: what a query audit opens."""
    for name in batch_names(vault, epoch, stream):
        stored = msgspec.msgpack.decode(vault.get(name), type=_StoredBatch)
        yield Batch(tuple(stored.inputs), stored.blinds)


@dataclass(frozen=True, slots=True)
class _Job:
    """A batch on its way to the trustees; ``name`` is its item in the vault, None as long as it has none."""

    name: str | None
    batch: Batch


@dataclass(frozen=True, slots=True)
class _InFlight:
    name: str
    batch: Batch
    finished: Future[tuple[bytes, list[int]]]  # packed outputs, and which trustees answered


@dataclass
class Evaluator:
    """Evaluates inputs in one (epoch, stream) for one member."""

    group: Backend
    vault: Vault
    context: StreamContext
    secretariat: Secretariat
    trustees: Sequence[TrusteeServer]
    signing_key: Ed25519PrivateKey
    logged: Callable[[BoardEntry], None]  # returns once an entry is on the witnessed log
    # keeps the evidence of a signed wrong answer to a granted batch (grant, blinded batch, error)
    accuse: Callable[[BoardEntry, bytes, WrongAnswerError], Path | None] = lambda grant, blinded, error: None
    warnings: list[str] = field(default_factory=list)

    def outputs(self, needed: Iterable[bytes], progress: Progress = silent) -> dict[bytes, bytes]:
        """Return the output of every needed input, asking the trustees only for what is not in the vault yet.

        ``needed`` is drawn in another thread, as far as the next batch reaches and no further: the first batches are
        with the trustees while later inputs are still being made.
        """
        known, stored = self._load()
        wanted: dict[bytes, None] = {}
        self._run(self._jobs(needed, wanted, known, stored), known, progress)
        return {value: known[value] for value in wanted}

    def _jobs(
        self,
        needed: Iterable[bytes],
        wanted: dict[bytes, None],
        known: Mapping[bytes, bytes],
        stored: Mapping[str, Batch],
    ) -> Iterator[_Job]:
        """Yield the unfinished batches that hold a needed input, and new batches for the rest; fills ``wanted``."""
        holders = {value: name for name, batch in stored.items() for value in batch.inputs}
        found: dict[str, None] = {}  # unfinished batches that are needed
        done = 0

        def unplanned() -> Iterator[bytes]:
            for value in needed:
                if value not in holders:
                    yield value
                    continue
                wanted[value] = None
                if value not in known:  # a canary that is known is no reason to finish its batch
                    found[holders[value]] = None

        def resumed() -> Iterator[_Job]:
            nonlocal done
            names = list(found)[done:]
            done += len(names)
            return (_Job(name, stored[name]) for name in names)

        left = [value for value in holders if not session.is_dummy(value)]
        fresh = unplanned() if holders else needed
        for batch in session.plan_batches(self.group, fresh, known, secrets.token_bytes, left, wanted):
            yield from resumed()
            yield _Job(None, batch)
        yield from resumed()

    def _blinded(self, jobs: Iterable[_Job]) -> Iterator[tuple[_Job, Elements]]:
        for job in jobs:
            blinded = job.batch.blinded(self.group)
            blinded.encode()  # here, because the back end keeps it
            yield job, blinded

    def _run(self, jobs: Iterable[_Job], known: dict[bytes, bytes], progress: Progress) -> None:
        """Keep up to :data:`FLIGHTS` batches with the trustees, and one more ready to go."""
        done = total = 0
        pool = ThreadPoolExecutor(FLIGHTS * (1 + len(self.trustees)), "tacit-evaluate")
        flying: deque[_InFlight] = deque()

        def land(most: int) -> None:
            nonlocal done
            while len(flying) > most:
                done += self._land(flying.popleft(), known)
                progress("blind evaluation", done, total)

        try:
            with closing(pipeline.ahead(self._blinded(jobs))) as ready:
                for job, blinded in ready:
                    total += len(blinded)
                    progress("blind evaluation", done, total)
                    flying.append(self._launch(pool, job, blinded))
                    land(FLIGHTS - 1)
            land(0)
        except Exception:
            # What was granted and is answered is kept, also when the quota does not reach for the rest.
            for flight in flying:
                with suppress(TacitError):
                    self._land(flight, known)
            raise
        finally:
            # No waiting for trustees after an interrupt: their answers would be asked for again in any case.
            pool.shutdown(wait=False, cancel_futures=True)

    def _launch(self, pool: ThreadPoolExecutor, job: _Job, blinded: Elements) -> _InFlight:
        name = job.name
        if name is None:
            name = f"{self._folder()}/{secrets.token_hex(16)}"
            self._store(name, job.batch)
        request = session.grant_request(self.context, blinded)
        try:
            grant = signing.sign(self.signing_key, messages.kind_of(request), messages.encode(request))
            entry = self.secretariat.post(grant)
        except Refused as refusal:
            if refusal.kind == "grant":
                # By the secretariat's word it was never granted: the next run plans anew. Its blinds are kept, because
                # the signed request is out, and one that gets onto the log all the same can be audited. Any other
                # refusal, of a wrong clock for example, may meet a batch that was granted before.
                folder = refused_folder(self.context.epoch, self.context.stream)
                self._store(f"{folder}/{name.rpartition('/')[2]}", job.batch)
                self.vault.drop(name)
            raise
        return _InFlight(name, job.batch, pool.submit(self._finish, pool, job.batch, blinded, entry))

    def _finish(
        self, pool: ThreadPoolExecutor, batch: Batch, blinded: Elements, entry: BoardEntry
    ) -> tuple[bytes, list[int]]:
        answers = self._ask(pool, blinded, entry)
        outputs = session.combine_answers(self.group, self.context, batch, answers)
        return outputs, [answer.trustee for answer in answers]

    def _land(self, flight: _InFlight, known: dict[bytes, bytes]) -> int:
        outputs, trustees = flight.finished.result()
        by_input = session.accept_outputs(self.context, flight.batch, outputs, trustees, known)
        self._store(flight.name, flight.batch, outputs)
        known.update(by_input)
        return len(flight.batch.inputs)

    def _ask(self, pool: ThreadPoolExecutor, blinded: Elements, grant: BoardEntry) -> list[ShareAnswer]:
        """Collect t verified answers; a trustee that fails is replaced by the next, and named."""
        with suppress(WitnessError):  # then the trustees say themselves who is away and who waits for whom
            self.logged(grant)  # before it is witnessed no trustee answers
        waiting = list(self.trustees)
        packed = blinded.encode()
        answers: list[ShareAnswer] = []
        failures: dict[str, str] = {}
        while len(answers) < self.context.threshold and waiting:
            missing = self.context.threshold - len(answers)
            chosen, waiting = waiting[:missing], waiting[missing:]
            tries = {pool.submit(self._ask_one, trustee, blinded, packed): trustee for trustee in chosen}
            for attempt in as_completed(tries):
                try:
                    answers.append(attempt.result())
                except (PartyUnavailable, EncodingError, ProofError, Refused, SignatureError) as error:
                    if isinstance(error, WrongAnswerError):
                        self._accuse(grant, packed, error)
                    self._note_failure(tries[attempt].party, error, failures)
        if len(answers) < self.context.threshold:
            raise QuorumError(
                f"{self.context.threshold} trustees must answer, {len(answers)} did. Nothing is lost: run the command "
                "again later, it goes on where it stopped and spends no quota twice",
                party=", ".join(failures),
                evidence=failures,
            )
        return answers

    def _ask_one(self, trustee: TrusteeServer, blinded: Elements, packed: bytes) -> ShareAnswer:
        answer = trustee.evaluate(self.group, self.context.epoch, self.context.stream, packed)
        session.check_answer(self.group, self.context, blinded, answer)
        return answer

    def _accuse(self, grant: BoardEntry, packed: bytes, error: WrongAnswerError) -> None:
        path = self.accuse(grant, packed, error)
        if path is not None:
            error.message += f" (evidence for the auditor: {path})"
            error.args = (error.message,)

    def _note_failure(self, party: str, error: TacitError, failures: dict[str, str]) -> None:
        failures[party] = error.message
        # From now on this trustee is asked last, so that every further batch does not wait for it again.
        self.trustees = sorted(self.trustees, key=lambda trustee: trustee.party == party)
        note = f"{party}: {error.message}"
        if note not in self.warnings:
            self.warnings.append(note)

    def _load(self) -> tuple[dict[bytes, bytes], dict[str, Batch]]:
        known: dict[bytes, bytes] = {}
        unfinished: dict[str, Batch] = {}
        for name in self.vault.names(self._folder()):
            stored = msgspec.msgpack.decode(self.vault.get(name), type=_StoredBatch)
            if stored.outputs:
                for i, value in enumerate(stored.inputs):
                    if not session.is_dummy(value):
                        known[value] = stored.outputs[OUTPUT_BYTES * i : OUTPUT_BYTES * (i + 1)]
            else:
                unfinished[name] = Batch(tuple(stored.inputs), stored.blinds)
        return known, unfinished

    def _store(self, name: str, batch: Batch, outputs: bytes = b"") -> None:
        self.vault.put(name, msgspec.msgpack.encode(_StoredBatch(list(batch.inputs), batch.blinds, outputs)))

    def _folder(self) -> str:
        return batches_folder(self.context.epoch, self.context.stream)
