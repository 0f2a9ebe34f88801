"""A trustee's HTTP interface. The order of refusals: signature, size of the body, stream and epoch, grant, points."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import msgspec
from fastapi import Depends, FastAPI, Path
from prometheus_client import Gauge, Histogram
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from tacit_protocol import wire
from tacit_protocol.answers import Question
from tacit_protocol.errors import TacitError
from tacit_protocol.grants import batch_digest
from tacit_protocol.group import Backend, load_backend
from tacit_protocol.messages import UploadCommitment
from tacit_protocol.shuffle import SALT_BYTES
from tacit_protocol.signing import Signed
from tacit_server.errors import ConfigurationError, ConflictError, NotFoundError
from tacit_server.home import Home
from tacit_server.http import Clock, Guard, NonceTable, PathName, SignedRequest, make_app
from tacit_server.observing import Metrics
from tacit_server.settings import ServerSettings
from tacit_server.trustee import evaluator as evaluation
from tacit_server.trustee import policy
from tacit_server.trustee.answers import AnswerCache
from tacit_server.trustee.ceremony import Ceremonies
from tacit_server.trustee.evaluator import Evaluator
from tacit_server.trustee.follower import Follower
from tacit_server.trustee.keystore import Keystore, LoadedShare
from tacit_server.trustee.peers import Peers, add_checkpoint_path
from tacit_server.trustee.shuffler import PAGE_BYTES, Shuffler
from tacit_server.trustee.store import Store
from tacit_server.trustee.turns import Turns
from tacit_server.trustee.upstream import Upstream
from tacit_server.trustee.witness import Witness, add_witness

Entry = Annotated[int, Path(ge=0, le=2**40)]
PageNumber = Annotated[int, Path(ge=0, le=2**24)]
BINARY = "application/octet-stream"


@dataclass(frozen=True)
class TrusteeOptions:
    """How a trustee runs; ``threads`` None stands for all cores."""

    poll_seconds: float = 0.5
    back_end: str = "auto"
    threads: int | None = None
    clock: Clock = time.time


@dataclass(frozen=True)
class TrusteeParts:
    """Everything a running trustee consists of."""

    index: int
    home: Home
    group: Backend
    store: Store
    keystore: Keystore
    upstream: Upstream
    follower: Follower
    witness: Witness
    peers: Peers
    shuffler: Shuffler
    evaluator: Evaluator
    answers: AnswerCache
    guard: Guard
    nonces: NonceTable
    metrics: Metrics
    evaluated: Histogram
    clock: Clock

    def now(self) -> int:
        """Return the time in Unix seconds, by which epochs open, close and are erased."""
        return int(self.clock())


def assemble(home: Home, settings: ServerSettings, options: TrusteeOptions) -> TrusteeParts:
    """Open the database, read back what was seen of the board, put the parts together; nothing runs yet."""
    if home.party.index is None or home.party.secretariat is None:
        raise ConfigurationError(f"{home.folder / 'party.json'} names no index or no secretariat")
    threads = options.threads or os.cpu_count() or 1
    group = load_backend(options.back_end, threads)
    store = Store(home.database)
    keystore = Keystore(store, home.sealer, group)
    secretariat = home.party.secretariat
    upstream = Upstream(secretariat.url, home.signing_key)
    follower = Follower(store, upstream, secretariat.signing_key, home.folder / "evidence", options.poll_seconds)
    witness = Witness(home, store, follower, secretariat.signing_key, options.clock)
    peers = Peers(follower, home.public_key)
    shuffler = Shuffler(home, store, upstream)
    answers = AnswerCache(home.folder / "answers", settings.answer_cache_bytes)
    nonces = NonceTable(home.folder / "nonces.sqlite")
    guard = Guard(
        home.party.url, follower.find_key, nonces, look_again=follower.refresh, body_seconds=settings.body_seconds
    )
    # Two workers: while one is in Python, the other keeps the back end's threads busy.
    workers = Evaluator(min(2, threads), settings.waiting_batches, settings.waiting_batches_per_member)
    metrics = Metrics()
    evaluated = Histogram(
        "tacit_batch_elements", "Elements of evaluated batches", registry=metrics.registry, buckets=(2048, 4096, 8192)
    )
    Gauge("tacit_waiting_batches", "Batches that wait", registry=metrics.registry).set_function(lambda: workers.waiting)
    Gauge("tacit_board_entries", "Entries followed", registry=metrics.registry).set_function(
        lambda: follower.board.size
    )
    parts = TrusteeParts(
        home.party.index, home, group, store, keystore, upstream, follower, witness, peers, shuffler, workers,
        answers, guard, nonces, metrics, evaluated, options.clock,
    )  # fmt: skip
    ceremonies = Ceremonies(parts.index, home, group, store, keystore)
    turns = Turns(follower, ceremonies, shuffler, keystore, answers, upstream, settings.erase_after_seconds, parts.now)
    follower.work = turns.work
    return parts


def create_app(home: Home, settings: ServerSettings, options: TrusteeOptions) -> FastAPI:
    """Return the app of the trustee that lives in ``home``."""
    parts = assemble(home, settings, options)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        parts.evaluator.start()
        parts.follower.start()
        parts.peers.start()
        yield
        parts.peers.stop()
        parts.follower.stop()
        parts.evaluator.stop()
        parts.upstream.close()
        parts.nonces.close()
        parts.store.close()

    app = make_app(f"Tacit trustee {parts.index}", parts.metrics, lifespan)
    app.state.parts = parts
    add_witness(app, parts.guard, parts.witness)
    add_checkpoint_path(app, parts.follower)
    _add_evaluations(app, parts)
    _add_uploads(app, parts)
    return app


def _add_evaluations(app: FastAPI, parts: TrusteeParts) -> None:
    batch_body = Depends(parts.guard.body(wire.BATCH_BYTES))

    @app.get("/v1/health")
    def health() -> Response:
        return _json(
            {
                "role": "trustee",
                "index": parts.index,
                "signing_key": parts.home.public_key,
                "board": parts.follower.board.size,
                "following": parts.follower.broken is None,
                "back_end": parts.group.name,
            }
        )

    @app.post("/v1/{epoch}/{stream}/evaluations")
    async def evaluate(
        epoch: PathName,
        stream: PathName,
        signed: SignedRequest = batch_body,
    ) -> Response:
        count = wire.batch_count(signed.body)
        digest = batch_digest(epoch, stream, signed.body)
        share = await run_in_threadpool(_allow, parts, signed.signer, (epoch, stream, digest), count)
        key = (epoch, stream, digest)
        answer = await run_in_threadpool(parts.answers.get, key)
        if answer is None:
            question = Question(epoch, stream, parts.index, digest)

            def work() -> bytes:
                result = evaluation.evaluate(parts.group, share, parts.home.signing_key, question, signed.body)
                parts.answers.put(key, result)
                parts.evaluated.observe(count)
                return result

            # Shielded: when this member gives up, another try of it may already wait for the same batch.
            answer = await asyncio.shield(asyncio.wrap_future(parts.evaluator.submit(signed.signer, key, work)))
        return Response(answer, media_type=BINARY)


def _allow(parts: TrusteeParts, member: str, key: evaluation.BatchKey, count: int) -> LoadedShare:
    """Return the share to evaluate with; looks at the board again before it says that there is no grant."""
    epoch, stream, _ = key
    follower = parts.follower
    try:
        _check_grant(follower, member, key, count)
    except TacitError:
        follower.refresh()
    if follower.broken is not None:
        raise follower.broken
    with follower.lock:
        keys = policy.allow_stream(follower.board, parts.group, epoch, stream, parts.now())
        public = policy.own_public_share(keys, parts.index, epoch, stream)
        _check_grant(follower, member, key, count)
    share = parts.keystore.share((epoch, stream), public)
    if share is None:
        raise ConflictError(f"trustee {parts.index} has lost its share of {epoch}/{stream}: ask another trustee")
    return share


def _check_grant(follower: Follower, member: str, key: evaluation.BatchKey, count: int) -> None:
    epoch, stream, digest = key
    with follower.lock:
        covered = follower.cosigned_size(follower.board.manifest(epoch))
        policy.allow_evaluation(follower.board, covered, member, epoch, stream, digest, count)


def _add_uploads(app: FastAPI, parts: TrusteeParts) -> None:
    shuffler, guard = parts.shuffler, parts.guard
    page_body, salt_body, no_body = (Depends(guard.body(limit)) for limit in (PAGE_BYTES, SALT_BYTES, 0))
    base = "/v1/{epoch}/{stream}/uploads/{entry}"

    @app.put(base + "/pages/{number}", status_code=204)
    def page(
        epoch: PathName,
        stream: PathName,
        entry: Entry,
        number: PageNumber,
        signed: SignedRequest = page_body,
    ) -> Response:
        commitment = _commitment(parts, signed.signer, epoch, stream, entry)
        if shuffler.receipt(entry) is None:
            _expect_open(parts, commitment)
        shuffler.receive_page(signed.signer, commitment, entry, number, signed.body)
        return Response(status_code=204)

    @app.post(base + "/complete")
    def complete(
        epoch: PathName,
        stream: PathName,
        entry: Entry,
        signed: SignedRequest = salt_body,
    ) -> Response:
        commitment = _commitment(parts, signed.signer, epoch, stream, entry)
        receipt = shuffler.receipt(entry)
        if receipt is None:
            with shuffler.gate.judging(entry):
                receipt = shuffler.receipt(entry) or _accept(parts, signed, commitment, entry)
        return _json(receipt)

    @app.get(base)
    def state(epoch: PathName, stream: PathName, entry: Entry, signed: SignedRequest = no_body) -> Response:
        commitment = _commitment(parts, signed.signer, epoch, stream, entry)
        pages = list(shuffler.pages(commitment, entry).sizes())
        return _json({"pages": pages, "complete": shuffler.receipt(entry) is not None})


def _accept(parts: TrusteeParts, signed: SignedRequest, commitment: UploadCommitment, entry: int) -> Signed:
    """Verify an upload, whose pages the gate keeps as they are, and return its receipt."""
    _expect_open(parts, commitment)
    parts.shuffler.verify(signed.signer, commitment, entry, signed.body)
    with parts.follower.lock:  # the window may have closed meanwhile; under the lock it stays as it is
        policy.window_is_open(parts.follower.board, commitment, parts.now())
        return parts.shuffler.accept(signed.signer, commitment, entry)


def _commitment(parts: TrusteeParts, member: str, epoch: str, stream: str, entry: int) -> UploadCommitment:
    follower = parts.follower
    if entry >= follower.board.size:
        follower.refresh()
    with follower.lock:
        if epoch not in follower.board.ledger.manifests:
            raise NotFoundError(f"no epoch {epoch} was opened")
        policy.shuffles(follower.board, parts.index, epoch)
        return policy.own_commitment(follower.board, member, epoch, stream, entry)


def _expect_open(parts: TrusteeParts, commitment: UploadCommitment) -> None:
    if parts.follower.broken is not None:
        raise parts.follower.broken
    with parts.follower.lock:
        policy.window_is_open(parts.follower.board, commitment, parts.now())


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")
