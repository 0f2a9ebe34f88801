"""Run an app under uvicorn with the limits it lacks: a time limit on request heads and a prompt stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tacit_server.settings import ServerSettings

KEEP_ALIVE_SECONDS = 75  # longer than clients keep idle connections, so that they close first
GRACE_SECONDS = 1


def configure(app: FastAPI, host: str, port: int, settings: ServerSettings) -> uvicorn.Config:
    """Return the configuration both servers run under."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=_with_head_limit(settings.head_seconds),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here looks at addresses
        limit_concurrency=settings.concurrency,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def run(app: FastAPI, host: str, port: int, settings: ServerSettings) -> None:
    """Serve until a signal; returns at most two seconds after it, whatever is still at work."""
    server = uvicorn.Server(configure(app, host, port, settings))
    with contextlib.suppress(KeyboardInterrupt):  # raised again by uvicorn once everything is closed
        server.run()
    sys.stdout.flush()
    sys.stderr.flush()
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        # A thread in a long computation would hold the process up. Everything on disk is whole at any moment.
        os._exit(0 if server.started else 3)
    if not server.started:
        sys.exit(3)


def _with_head_limit(seconds: float) -> type[asyncio.Protocol]:
    class LimitedProtocol(HttpToolsProtocol):
        """Closes a connection whose next request head does not arrive in time (uvicorn would wait for ever)."""

        _head_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:  # noqa: ANN401
            super().connection_made(transport)
            self._await_head()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._head_timer is None and (self.cycle is None or self.cycle.response_complete):
                self._await_head()

        def on_headers_complete(self) -> None:
            self._cancel_head_timer()
            super().on_headers_complete()

        def on_response_complete(self) -> None:
            self._cancel_head_timer()  # from here on the keep-alive limit counts
            super().on_response_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self._cancel_head_timer()
            super().connection_lost(exc)

        def _await_head(self) -> None:
            self._head_timer = self.loop.call_later(seconds, self.transport.close)

        def _cancel_head_timer(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

    return LimitedProtocol
