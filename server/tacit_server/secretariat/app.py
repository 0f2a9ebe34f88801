"""The secretariat's HTTP interface: thin, everything it decides is decided in keeper, rounds and hand-overs."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import msgspec
from fastapi import Depends, FastAPI, Path, Query, Request
from prometheus_client import Gauge
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from tacit_protocol import messages, signing
from tacit_protocol.group import load_backend
from tacit_protocol.messages import BoardEntry, Enrolment
from tacit_protocol.signing import Signed
from tacit_server.errors import NotFoundError
from tacit_server.home import Home
from tacit_server.http import JSON_BYTES, FindKey, Guard, NonceTable, PathName, SignedRequest, make_app
from tacit_server.observing import Metrics
from tacit_server.secretariat import handovers
from tacit_server.secretariat.console.page import add_console
from tacit_server.secretariat.keeper import Keeper
from tacit_server.secretariat.log import Log, LogFiles
from tacit_server.secretariat.log_app import add_log
from tacit_server.secretariat.publish import Publisher, Shelves
from tacit_server.secretariat.store import Store
from tacit_server.secretariat.witnesses import Witnesses
from tacit_server.settings import ServerSettings

Window = Annotated[int, Path(ge=1, le=10_000)]
PageNumber = Annotated[int, Path(ge=0, le=2**24)]
INDEX_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class Secretariat:
    """Everything a running secretariat consists of."""

    home: Home
    keeper: Keeper
    shelves: Shelves
    publisher: Publisher
    log: Log
    guard: Guard
    nonces: NonceTable
    metrics: Metrics


def assemble(home: Home, settings: ServerSettings) -> Secretariat:
    """Open the database and put the parts together; nothing runs yet."""
    keeper = Keeper(home, Store(home.database), load_backend())
    shelves = Shelves(home.folder)
    nonces = NonceTable(home.folder / "nonces.sqlite")
    guard = Guard(
        home.party.url, keeper.find_key, nonces, look_again=keeper.catch_up, body_seconds=settings.body_seconds
    )
    metrics = Metrics()
    size = Gauge("tacit_board_entries", "Entries on the board", registry=metrics.registry)
    size.set_function(lambda: keeper.size)
    publisher = Publisher(keeper, shelves, settings.index_memory)
    log = Log(keeper, LogFiles(home.folder), Witnesses(keeper.trustees))
    return Secretariat(home, keeper, shelves, publisher, log, guard, nonces, metrics)


def create_app(home: Home, settings: ServerSettings) -> FastAPI:
    """Return the app of the secretariat that lives in ``home``."""
    parts = assemble(home, settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        parts.log.start()
        parts.publisher.start()
        yield
        parts.log.stop()
        parts.publisher.stop()
        parts.nonces.close()
        parts.keeper.store.close()

    app = make_app("Tacit secretariat", parts.metrics, lifespan)
    app.state.parts = parts
    add_log(app, parts.log.files)
    add_console(app, parts.keeper, parts.log.files)
    _add_board(app, parts)
    _add_handovers(app, parts)
    _add_indexes(app, parts)
    return app


def _add_board(app: FastAPI, parts: Secretariat) -> None:
    keeper, guard = parts.keeper, parts.guard
    json_body, no_body = Depends(guard.body(JSON_BYTES)), Depends(guard.body())

    @app.get("/v1/health")
    def health() -> Response:
        return _json({"role": "secretariat", "signing_key": parts.home.public_key})

    @app.post("/v1/enrolments", status_code=201)
    async def enrol(request: Request) -> Response:
        signed = await guard.authenticate_by_body(request, JSON_BYTES, _key_of_enrolment)
        code = request.headers.get("tacit-invitation", "")
        message = messages.decode(signed.body, Signed)
        return _entry(*await run_in_threadpool(keeper.enrol, message, code))

    @app.post("/v1/board", status_code=201)
    def post(signed: SignedRequest = json_body) -> Response:
        message = messages.decode(signed.body, Signed, party=signed.signer)
        return _entry(*keeper.append(message, signed.signer))

    @app.get("/v1/board", dependencies=[no_body])
    def board(
        start: Annotated[int, Query(ge=0, le=2**40)] = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 1000
    ) -> Response:
        return _json(keeper.page(start, limit))


def _add_handovers(app: FastAPI, parts: Secretariat) -> None:
    page_body, json_body = Depends(parts.guard.body(handovers.PAGE_BYTES)), Depends(parts.guard.body(JSON_BYTES))
    completing = threading.Lock()  # two tries of one hand-over at a time would read a gigabyte twice

    @app.put("/v1/handovers/{epoch}/{stream}/{window}/pages/{number}", status_code=204)
    def page(
        epoch: PathName,
        stream: PathName,
        window: Window,
        number: PageNumber,
        signed: SignedRequest = page_body,
    ) -> Response:
        place = (epoch, stream, window)
        handovers.receive_page(parts.keeper, parts.shelves, signed.signer, place, number, signed.body)
        return Response(status_code=204)

    @app.post("/v1/handovers/{epoch}/{stream}/{window}/complete", status_code=201)
    def complete(
        epoch: PathName,
        stream: PathName,
        window: Window,
        signed: SignedRequest = json_body,
    ) -> Response:
        message = messages.decode(signed.body, Signed, party=signed.signer)
        with completing:
            entry, new = handovers.complete(
                parts.keeper, parts.shelves, signed.signer, (epoch, stream, window), message
            )
        parts.publisher.wake()
        return _entry(entry, new)


def _add_indexes(app: FastAPI, parts: Secretariat) -> None:
    @app.get("/v1/indexes/{epoch}/{stream}/{window}", dependencies=[Depends(parts.guard.body())])
    def index(request: Request, epoch: PathName, stream: PathName, window: Window) -> Response:
        with parts.keeper.view() as board:
            root = board.indexes.get((epoch, stream, window))
        path = parts.shelves.index(epoch, stream, window)
        if root is None or not path.exists():
            raise NotFoundError(f"no index of {epoch}/{stream} window {window} was published")
        _check_range(request, root.size)
        return FileResponse(path, media_type=INDEX_TYPE, headers={"ETag": f'"{root.root.hex()}"'})

    @app.get("/v1/handovers/{epoch}/{stream}/{window}", dependencies=[Depends(parts.guard.body())])
    def handover_list(request: Request, epoch: PathName, stream: PathName, window: Window) -> Response:
        with parts.keeper.view() as board:
            handover = board.handovers.get((epoch, stream, window))
        path = parts.shelves.handover_list(epoch, stream, window)
        if handover is None or not handover.count or not path.exists():
            raise NotFoundError(f"there is no list of a hand-over of {epoch}/{stream} window {window}")
        _check_range(request, path.stat().st_size)
        return FileResponse(path, media_type=INDEX_TYPE, headers={"ETag": f'"{handover.digest.hex()}"'})


def _check_range(request: Request, size: int) -> None:
    """Refuse a range beyond the end; ignore every Range that is not one plain range, as RFC 9110 allows."""
    header = request.headers.get("range")
    if header is None:
        return
    match = re.fullmatch(r"bytes=(\d{1,15})-(\d{0,15})", header)
    if match is None or (match[2] and int(match[2]) < int(match[1])):
        request.scope["headers"] = [(name, value) for name, value in request.scope["headers"] if name != b"range"]
    elif int(match[1]) >= size:
        raise HTTPException(416, headers={"Content-Range": f"bytes */{size}"})


def _key_of_enrolment(body: bytes) -> FindKey:
    key = messages.body_of(messages.decode(body, Signed), Enrolment).signing_key
    return {signing.pseudonym(key): key}.get


def _entry(entry: BoardEntry, new: bool) -> Response:
    return _json(entry, 201 if new else 200)


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status_code=status, media_type="application/json")
