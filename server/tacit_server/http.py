"""What both servers share: the check of signed requests, limits on bodies, and the frame of an app.

The order of refusals is fixed: signature, size of the body, then whatever the path itself refuses.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Request
from fastapi import Path as PathParameter
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from tacit_protocol.errors import SignatureError
from tacit_protocol.request_signing import CLOCK_SKEW_SECONDS, VerifiedRequest, verify_content, verify_request
from tacit_server import problems
from tacit_server.errors import SlowRequestError, TooLargeError, UnauthenticatedError
from tacit_server.observing import Metrics, Observer

JSON_BYTES = 64 * 1024
FindKey = Callable[[str], bytes | None]
Clock = Callable[[], float]
PathName = Annotated[str, PathParameter(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9._-]*$")]


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request whose signature and body were verified."""

    signer: str
    body: bytes


class NonceTable:
    """The nonces seen while their requests are still fresh; on disk, so that a restart forgets none."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS nonces (signer TEXT, nonce TEXT, expires INTEGER, "
            "PRIMARY KEY (signer, nonce)) WITHOUT ROWID"
        )
        self._next_purge = 0

    def use(self, request: VerifiedRequest, now: int) -> None:
        """Raise :class:`UnauthenticatedError` when this nonce was used before."""
        with self._lock:
            if now >= self._next_purge:
                self._database.execute("DELETE FROM nonces WHERE expires < ?", (now,))
                self._next_purge = now + 60
            row = (request.signer, request.nonce, request.expires + CLOCK_SKEW_SECONDS + 1)
            if self._database.execute("INSERT OR IGNORE INTO nonces VALUES (?, ?, ?)", row).rowcount == 0:
                raise UnauthenticatedError("this request was already sent once: sign it anew", party=request.signer)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()


class Guard:
    """Authenticates requests by RFC 9421 for one origin.

    ``find_key`` gives the key of a pseudonym; ``look_again`` is called once, in a thread, when it knows none.
    """

    def __init__(
        self,
        origin: str,
        find_key: FindKey,
        nonces: NonceTable,
        *,
        look_again: Callable[[], None] | None = None,
        body_seconds: float = 60.0,
        clock: Clock = time.time,
    ) -> None:
        self._origin, self._find_key, self._nonces = origin.rstrip("/"), find_key, nonces
        self._look_again, self._body_seconds, self._clock = look_again, body_seconds, clock

    def body(self, limit: int = 0) -> Callable[[Request], Awaitable[SignedRequest]]:
        """Return a dependency that gives the verified request, its body at most ``limit`` bytes."""

        async def signed_request(request: Request) -> SignedRequest:
            return await self.authenticate(request, limit)

        return signed_request

    async def authenticate(self, request: Request, limit: int) -> SignedRequest:
        """Verify head, size, body and nonce, in this order; a stranger's body is not read at all."""
        verified = await self._verify_head(request)
        request.scope["tacit.signer"] = verified.signer
        body = await self.read(request, limit)
        self._finish(request, verified, body)
        return SignedRequest(verified.signer, body)

    async def authenticate_by_body(
        self, request: Request, limit: int, key_in: Callable[[bytes], FindKey]
    ) -> SignedRequest:
        """Verify a request whose key stands in its own body (an enrolment)."""
        if "signature" not in request.headers:
            raise UnauthenticatedError("the request is not signed")
        body = await self.read(request, limit)
        try:
            verified = self._verify(request, key_in(body))
        except SignatureError as error:
            raise UnauthenticatedError(error.message, party=error.party) from error
        request.scope["tacit.signer"] = verified.signer
        self._finish(request, verified, body)
        return SignedRequest(verified.signer, body)

    async def read(self, request: Request, limit: int) -> bytes:
        """Read the body, at most ``limit`` bytes and for at most the agreed time."""
        announced = request.headers.get("content-length", "0")
        if not announced.isascii() or not announced.isdigit() or int(announced) > limit:
            raise TooLargeError(f"the body has {announced[:20]} bytes, this path takes at most {limit}")
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_seconds):
                async for piece in request.stream():
                    body += piece
                    if len(body) > limit:  # also without a Content-Length (chunked)
                        raise TooLargeError(f"the body is larger than the {limit} bytes that this path takes")
        except TimeoutError:
            raise SlowRequestError(f"the body did not arrive within {self._body_seconds:g} seconds") from None
        except ClientDisconnect:
            raise SlowRequestError("the connection ended inside the body") from None
        return bytes(body)

    async def _verify_head(self, request: Request) -> VerifiedRequest:
        unknown: list[str] = []

        def find(name: str) -> bytes | None:
            key = self._find_key(name)
            if key is None:
                unknown.append(name)
            return key

        try:
            try:
                return self._verify(request, find)
            except SignatureError:
                if not unknown or self._look_again is None:
                    raise
                await run_in_threadpool(self._look_again)
                unknown.clear()
                return self._verify(request, find)
        except SignatureError as error:
            if unknown:
                raise UnauthenticatedError(
                    "nobody here knows the key that signed this request: enrol first ('tacit enrol')"
                ) from error
            if "signature" not in request.headers:
                raise UnauthenticatedError("the request is not signed") from error
            raise UnauthenticatedError(error.message, party=error.party) from error

    def _verify(self, request: Request, find_key: FindKey) -> VerifiedRequest:
        # The configured origin, never the Host header: a request meant for another server is refused here.
        query = request.scope["query_string"].decode("latin-1")
        target = request.scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        return verify_request(
            request.method, self._origin + target, request.headers, None, now=int(self._clock()), find_key=find_key
        )

    def _finish(self, request: Request, verified: VerifiedRequest, body: bytes) -> None:
        try:
            verify_content(request.headers, body)
        except SignatureError as error:
            raise UnauthenticatedError(error.message, party=verified.signer) from error
        self._nonces.use(verified, int(self._clock()))


def make_app(title: str, metrics: Metrics, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]]) -> FastAPI:
    """Return an app with problem documents, logs, metrics and no telemetry of the framework's own."""
    app = FastAPI(
        title=title,
        version="1",
        docs_url=None,  # the pages would load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        telemetry={"auto_configure": False, "tracing": False, "metrics": False, "logs": False},
    )
    problems.install(app)
    app.add_middleware(Observer, metrics=metrics)
    app.add_api_route("/metrics", metrics.expose, methods=["GET"], include_in_schema=False)
    return app
