"""Logs and metrics of a server: request ids, counts and latencies, never a payload, a key or a nonce."""

from __future__ import annotations

import logging
import secrets
import sys
import time

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("tacit")
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logging(level: str) -> None:
    """Write one JSON object a line to standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


class Metrics:
    """The counters of one app, in a registry of their own so that several apps fit into one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "tacit_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "tacit_request_seconds",
            "Time to answer a request",
            ["route"],
            registry=self.registry,
            buckets=(0.005, 0.02, 0.1, 0.5, 1, 2, 5, 15, 60, 240),
        )
        self.received = Counter("tacit_received_bytes", "Bytes of request bodies", registry=self.registry)
        self.sent = Counter("tacit_sent_bytes", "Bytes of response bodies", registry=self.registry)

    def expose(self) -> Response:
        """Return the metrics in the text format of Prometheus."""
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)


class Observer:
    """ASGI middleware: gives each request an id, counts it and logs it when it is answered."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection's scope."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["tacit.request"] = secrets.token_hex(8)
        seen = _Seen()

        async def counting_receive() -> Message:
            message = await receive()
            seen.received += len(message.get("body", b""))
            return message

        async def counting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            elif message["type"] == "http.response.body":
                seen.sent += len(message.get("body", b""))
            await send(message)

        with structlog.contextvars.bound_contextvars(request=request_id):
            try:
                await self._app(scope, counting_receive, counting_send)
            finally:
                self._finish(scope, seen)

    def _finish(self, scope: Scope, seen: _Seen) -> None:
        route = getattr(scope.get("route"), "path", "none")  # the template: paths would make endless label values
        seconds = time.perf_counter() - seen.started
        self._metrics.requests.labels(scope["method"], route, str(seen.status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        self._metrics.received.inc(seen.received)
        self._metrics.sent.inc(seen.sent)
        quiet = (
            route in ("/v1/board", "/v1/health", "/metrics", "/log/checkpoint", "/add-checkpoint", "/checkpoint")
            and seen.status < 400
        )
        (log.debug if quiet else log.info)(
            "answered",
            method=scope["method"],
            route=route,
            status=seen.status,
            milliseconds=round(1000 * seconds, 1),
            received=seen.received,
            sent=seen.sent,
            signer=scope.get("tacit.signer"),
        )


class _Seen:
    """What is counted while a request runs."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.status, self.received, self.sent = 500, 0, 0
