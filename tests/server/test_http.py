"""Signed requests: every way to be refused, on a small app with one path for each kind of body."""

from __future__ import annotations

import secrets
import socket
import time
from contextlib import asynccontextmanager

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Depends
from starlette.responses import Response

from server.running import Running, free_port
from tacit_protocol import signing
from tacit_protocol.errors import GrantError
from tacit_protocol.request_signing import VerifiedRequest, sign_request
from tacit_server.errors import UnauthenticatedError
from tacit_server.http import Guard, NonceTable, SignedRequest, make_app
from tacit_server.observing import Metrics
from tacit_server.settings import ServerSettings

LIMIT = 1000
KEY, STRANGER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
NAME = signing.pseudonym(signing.public_bytes(KEY))


class Clock:
    """A clock that tests turn."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def origin(tmp_path_factory, clock):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    nonces = NonceTable(tmp_path_factory.mktemp("nonces") / "nonces.sqlite")
    guard = Guard(url, {NAME: signing.public_bytes(KEY)}.get, nonces, body_seconds=1.0, clock=clock)

    @asynccontextmanager
    async def lifespan(_app):
        yield

    app = make_app("test", Metrics(), lifespan)
    some_body = Depends(guard.body(LIMIT))

    @app.post("/echo")
    def echo(signed: SignedRequest = some_body) -> Response:
        return Response(signed.signer.encode() + b"|" + signed.body)

    @app.post("/refuse")
    def refuse(signed: SignedRequest = some_body) -> Response:
        raise GrantError("no grant covers this", party=signed.signer, evidence={"asked": 7})

    @app.post("/break")
    def breaks(signed: SignedRequest = some_body) -> Response:
        raise RuntimeError("something with a secret in it")

    settings = ServerSettings(secret="a secret of this test", head_seconds=0.5)
    server = Running(app, port, settings)
    yield url
    server.stop()


def send(url: str, body: bytes = b"hello", *, key=KEY, sent: bytes | None = None, headers=None, **signed):
    values = {"now": int(time.time()), "nonce": secrets.token_urlsafe(24), **signed}
    head = {**sign_request(key, "POST", signed.pop("signed_url", url), body, **_only(values)), **(headers or {})}
    with httpx2.Client(trust_env=False) as client:
        return client.post(url, content=body if sent is None else sent, headers=head)


def _only(values):
    return {name: values[name] for name in ("now", "nonce")}


def problem(answer: httpx2.Response, status: int, name: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["status"] == status
    assert document["type"] == f"urn:tacit:{name}"
    assert document["instance"].endswith(answer.headers["x-request-id"])
    return document


def test_a_signed_request_reaches_the_path_with_its_signer_and_body(origin):
    answer = send(origin + "/echo", b"hello")
    assert answer.content == NAME.encode() + b"|hello"


def test_an_unsigned_request_is_refused(origin):
    with httpx2.Client(trust_env=False) as client:
        answer = client.post(origin + "/echo", content=b"hello")
    assert "not signed" in problem(answer, 401, "unauthenticated")["detail"]


def test_an_unknown_key_is_refused_and_told_what_to_do(origin):
    assert "enrol" in problem(send(origin + "/echo", key=STRANGER), 401, "unauthenticated")["detail"]


@pytest.mark.parametrize("offset", [-200, 200], ids=["stale", "from the future"])
def test_a_request_of_another_time_is_refused(origin, offset):
    answer = send(origin + "/echo", now=int(time.time()) + offset)
    assert "clock" in problem(answer, 401, "unauthenticated")["detail"]


def test_a_request_sent_twice_is_refused_the_second_time(origin):
    nonce = secrets.token_urlsafe(24)
    assert send(origin + "/echo", nonce=nonce).status_code == 200
    assert "already" in problem(send(origin + "/echo", nonce=nonce), 401, "unauthenticated")["detail"]


def test_a_short_nonce_is_refused(origin):
    problem(send(origin + "/echo", nonce="short"), 401, "unauthenticated")


def test_an_altered_body_is_refused(origin):
    problem(send(origin + "/echo", b"hello", sent=b"jello"), 401, "unauthenticated")


def test_a_request_signed_for_another_path_or_server_is_refused(origin):
    problem(send(origin + "/echo", signed_url=origin + "/refuse"), 401, "unauthenticated")
    problem(send(origin + "/echo", signed_url="http://elsewhere.example/echo"), 401, "unauthenticated")


def test_the_host_header_does_not_choose_the_server(origin):
    answer = send(origin + "/echo", signed_url="http://elsewhere.example/echo", headers={"Host": "elsewhere.example"})
    problem(answer, 401, "unauthenticated")


def test_a_large_body_is_refused_by_its_announced_length(origin):
    problem(send(origin + "/echo", bytes(LIMIT + 1)), 413, "too-large")
    assert send(origin + "/echo", bytes(LIMIT)).status_code == 200


def test_the_signature_is_judged_before_the_size(origin):
    problem(send(origin + "/echo", bytes(LIMIT + 1), key=STRANGER), 401, "unauthenticated")


def test_a_large_body_without_length_is_cut_off_while_it_comes(origin):
    body = bytes(100 * LIMIT)
    head = sign_request(KEY, "POST", origin + "/echo", body, **_only({"now": int(time.time()), "nonce": "n" * 24}))

    def pieces():
        for _ in range(100):
            yield bytes(LIMIT)

    with httpx2.Client(trust_env=False) as client:
        try:
            answer = client.post(origin + "/echo", content=pieces(), headers=head)
        except httpx2.WriteError:
            return  # the server closed the connection before all was sent
    problem(answer, 413, "too-large")


def test_a_body_that_does_not_arrive_in_time_is_given_up(origin):
    body = b"x" * 100
    target = origin + "/echo"
    head = sign_request(KEY, "POST", target, body, now=int(time.time()), nonce=secrets.token_urlsafe(24))
    lines = ["POST /echo HTTP/1.1", "Host: x", "Content-Length: 100", *(f"{k}: {v}" for k, v in head.items())]
    answer = _raw(origin, "\r\n".join(lines).encode() + b"\r\n\r\n" + body[:10])
    assert answer.startswith(b"HTTP/1.1 408")


def test_a_head_that_does_not_arrive_in_time_ends_the_connection(origin):
    assert _raw(origin, b"POST /echo HTTP/1.1\r\nHost: x\r\n") == b""


def test_a_second_head_that_does_not_arrive_in_time_ends_the_connection(origin):
    host, port = origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 404")
        connection.sendall(b"GET /noth")
        assert connection.recv(65536) == b""


def _raw(origin: str, data: bytes) -> bytes:
    """Send bytes and return all that comes until the server closes the connection."""
    host, port = origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(data)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


def test_an_error_of_the_protocol_becomes_a_problem_with_party_and_evidence(origin):
    document = problem(send(origin + "/refuse"), 403, "grant")
    assert (document["party"], document["evidence"]) == (NAME, {"asked": 7})


def test_an_unexpected_error_tells_nothing(origin):
    answer = send(origin + "/break")
    assert answer.status_code == 500
    assert "secret" not in answer.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("GET", "/echo", 405)])
def test_unknown_paths_and_methods_are_problems_too(origin, method, path, status):
    with httpx2.Client(trust_env=False) as client:
        answer = client.request(method, origin + path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"


def test_metrics_count_by_route_and_name_no_path_or_signer(origin):
    send(origin + "/echo", b"counted")
    with httpx2.Client(trust_env=False) as client:
        client.get(origin + "/not/a/route/at-all")
        text = client.get(origin + "/metrics").text
    assert 'tacit_requests_total{method="POST",route="/echo",status="200"}' in text
    assert "at-all" not in text
    assert NAME not in text


def test_a_nonce_is_remembered_through_a_restart_and_forgotten_when_stale(tmp_path):
    request = VerifiedRequest("member", "nonce-of-some-length", 1000)
    table = NonceTable(tmp_path / "nonces.sqlite")
    table.use(request, 950)
    table.use(VerifiedRequest("another", "nonce-of-some-length", 1000), 950)
    table.close()
    table = NonceTable(tmp_path / "nonces.sqlite")
    with pytest.raises(UnauthenticatedError, match="already sent"):
        table.use(request, 951)
    table.use(request, 5000)  # its request would be refused as stale long before
    table.close()
