"""Problem documents (RFC 9457): one status and one name for every kind of error, and never what was sent."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tacit_protocol import errors as protocol
from tacit_protocol.board import BoardError
from tacit_protocol.errors import TacitError
from tacit_server import errors

MEDIA_TYPE = "application/problem+json"
_STATUS: dict[type[TacitError], tuple[int, str]] = {
    errors.UnauthenticatedError: (401, "unauthenticated"),
    errors.ForbiddenError: (403, "forbidden"),
    errors.NotFoundError: (404, "not-found"),
    errors.SlowRequestError: (408, "slow-request"),
    errors.ConflictError: (409, "conflict"),
    errors.TooLargeError: (413, "too-large"),
    errors.BusyError: (503, "busy"),
    protocol.SignatureError: (403, "signature"),
    protocol.GrantError: (403, "grant"),
    protocol.CeremonyError: (409, "ceremony"),
    BoardError: (409, "board"),
    protocol.EncodingError: (422, "encoding"),
    protocol.UploadError: (422, "upload"),
    protocol.QueryAuditError: (409, "query-audit"),
    protocol.TallyError: (409, "tally"),
}


class Problem(msgspec.Struct, omit_defaults=True):
    """The document; ``party`` and ``evidence`` are there when known."""

    title: str
    status: int
    detail: str
    instance: str
    type: str = "about:blank"
    party: str | None = None
    evidence: dict[str, str | int] = {}


def install(app: FastAPI) -> None:
    """Make ``app`` answer every error with a problem document."""
    app.add_exception_handler(TacitError, _tacit)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(Exception, _unexpected)


def respond(request: Request, problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """Return ``problem`` as a response."""
    problem.instance = f"urn:tacit:request:{request.scope.get('tacit.request', 'none')}"
    body = msgspec.json.encode(problem)
    return Response(body, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def status_of(error: TacitError) -> tuple[int, str]:
    """Return status and name for an error of the protocol or the server."""
    for kind in type(error).__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return 400, "refused"


async def _tacit(request: Request, error: Exception) -> Response:
    assert isinstance(error, TacitError)  # noqa: S101 (the handler is registered for this type)
    status, name = status_of(error)
    problem = Problem(
        HTTPStatus(status).phrase, status, error.message, "", f"urn:tacit:{name}", error.party, error.evidence
    )
    headers = {}
    if status in (408, 413):
        headers["Connection"] = "close"  # the rest of the body is not read
    if status == 503:
        headers["Retry-After"] = "1"
    if status == 401:
        headers["WWW-Authenticate"] = "Signature"
    return respond(request, problem, headers)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    phrase = HTTPStatus(error.status_code).phrase
    return respond(request, Problem(phrase, error.status_code, phrase, ""), dict(error.headers or {}))


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    # Place and reason only: the input itself stays out of answers and logs.
    first: Any = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    problem = Problem("Unprocessable Content", 422, f"{place}: {first['msg']}", "", "urn:tacit:encoding")
    return respond(request, problem)


async def _unexpected(request: Request, error: Exception) -> Response:
    phrase = HTTPStatus.INTERNAL_SERVER_ERROR.phrase
    return respond(request, Problem(phrase, 500, "an error inside this server: its log says more", ""))
