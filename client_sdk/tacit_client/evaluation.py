"""From match-key inputs to PRF outputs: batches, grants, trustees; resumable without spending quota again.

Order of writes: a batch is in the vault before its grant is asked for, its outputs are in the vault before anything
uses them. A crash at any point leaves a batch that the next run finishes under the same grant.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tacit_client import session
from tacit_client.errors import PartyUnavailable, Refused
from tacit_client.parties import Secretariat, TrusteeServer
from tacit_client.progress import Progress, silent
from tacit_client.session import Batch, StreamContext
from tacit_client.vault import Vault
from tacit_protocol import messages, signing
from tacit_protocol.answers import WrongAnswerError
from tacit_protocol.errors import EncodingError, ProofError, QuorumError, SignatureError, TacitError
from tacit_protocol.group import Backend, Elements
from tacit_protocol.messages import BoardEntry
from tacit_protocol.threshold import ShareAnswer
from tacit_protocol.witnessing import WitnessError

_OUTPUT_BYTES = 64


class _StoredBatch(msgspec.Struct):
    """A batch in the vault; ``outputs`` is empty until the trustees have answered."""

    inputs: list[bytes]
    blinds: bytes
    outputs: bytes = b""


def batches_folder(epoch: str, stream: str) -> str:
    """Return where in the vault the batches of a stream are."""
    return f"batches/{epoch}/{stream}"


def stored_batches(vault: Vault, epoch: str, stream: str) -> Iterator[Batch]:
    """Yield all batches of a stream with their blinds, answered or not: what a query audit opens."""
    for name in vault.names(batches_folder(epoch, stream)):
        stored = msgspec.msgpack.decode(vault.get(name), type=_StoredBatch)
        yield Batch(tuple(stored.inputs), stored.blinds)


@dataclass
class _InFlight:
    name: str
    batch: Batch
    blinded: Elements
    answers: Future[list[ShareAnswer]]


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
        """Return the output of every needed input, asking the trustees only for what is not in the vault yet."""
        wanted = list(dict.fromkeys(needed))
        known, stored = self._load()
        unlocked = set(wanted)
        unfinished = {name: batch for name, batch in stored.items() if not unlocked.isdisjoint(batch.inputs)}
        pending_inputs = {value for batch in unfinished.values() for value in batch.inputs}
        planned = session.plan_batches(
            self.group, [value for value in wanted if value not in pending_inputs], known, secrets.token_bytes
        )
        for batch in planned:
            name = f"{self._folder()}/{secrets.token_hex(16)}"
            self._store(name, batch)
            unfinished[name] = batch
        self._run(unfinished, known, progress)
        return {value: known[value] for value in wanted}

    def _run(self, batches: dict[str, Batch], known: dict[bytes, bytes], progress: Progress) -> None:
        """Blind the next batch while the trustees work on the last one; at most two are on their way."""
        total = sum(len(batch.inputs) for batch in batches.values())
        done = 0
        progress("blind evaluation", done, total)
        pool = ThreadPoolExecutor(2 + len(self.trustees), "tacit-evaluate")
        flying: list[_InFlight] = []
        try:
            for name, batch in batches.items():
                flying.append(self._launch(pool, name, batch))
                if len(flying) > 1:
                    done += self._land(flying.pop(0), known)
                    progress("blind evaluation", done, total)
            while flying:
                done += self._land(flying.pop(0), known)
                progress("blind evaluation", done, total)
        except TacitError:
            # What was granted and is answered is kept, also when the quota does not reach for the rest.
            for flight in flying:
                with suppress(TacitError):
                    self._land(flight, known)
            raise
        finally:
            # No waiting for trustees after an interrupt: their answers would be asked for again in any case.
            pool.shutdown(wait=False, cancel_futures=True)

    def _launch(self, pool: ThreadPoolExecutor, name: str, batch: Batch) -> _InFlight:
        blinded = batch.blinded(self.group)
        request = session.grant_request(self.context, blinded)
        try:
            grant = signing.sign(self.signing_key, messages.kind_of(request), messages.encode(request))
            entry = self.secretariat.post(grant)
        except Refused as refusal:
            if refusal.kind == "grant":
                # Never granted, so nothing was spent on it: the next run plans anew. Any other refusal, of a wrong
                # clock for example, may meet a batch that was granted before, and must not lose it.
                self.vault.drop(name)
            raise
        return _InFlight(name, batch, blinded, pool.submit(self._ask, pool, blinded, entry))

    def _land(self, flight: _InFlight, known: dict[bytes, bytes]) -> int:
        answers = flight.answers.result()
        outputs = session.finish_batch(self.group, self.context, flight.batch, answers, known)
        self._store(flight.name, flight.batch, b"".join(outputs[value] for value in flight.batch.inputs))
        known.update(outputs)
        return len(flight.batch.inputs)

    def _ask(self, pool: ThreadPoolExecutor, blinded: Elements, grant: BoardEntry) -> list[ShareAnswer]:
        """Collect t verified answers; a trustee that fails is replaced by the next, and named."""
        with contextlib.suppress(WitnessError):  # then the trustees say themselves who is away and who waits for whom
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
                        known[value] = stored.outputs[_OUTPUT_BYTES * i : _OUTPUT_BYTES * (i + 1)]
            else:
                unfinished[name] = Batch(tuple(stored.inputs), stored.blinds)
        return known, unfinished

    def _store(self, name: str, batch: Batch, outputs: bytes = b"") -> None:
        self.vault.put(name, msgspec.msgpack.encode(_StoredBatch(list(batch.inputs), batch.blinds, outputs)))

    def _folder(self) -> str:
        return batches_folder(self.context.epoch, self.context.stream)
