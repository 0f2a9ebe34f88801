"""HTTP with servers that are down, slow, cut off or lie about what they send: the error names the party."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tacit_client.errors import PartyUnavailable, Refused, printable
from tacit_client.transport import PROBLEM_BYTES, HttpTransport

KEY = Ed25519PrivateKey.generate()
Answer = Callable[[socket.socket], None]


@contextmanager
def server(*answers: Answer) -> Iterator[tuple[str, list[bytes]]]:
    """Answer one connection after the other with raw bytes; yields the address and the requests' heads."""
    listener = socket.create_server(("127.0.0.1", 0))
    heads: list[bytes] = []
    done = threading.Event()

    def serve() -> None:
        for answer in answers:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                heads.append(connection.recv(65536))
                try:
                    answer(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heads
    finally:
        done.set()
        listener.close()
        thread.join(5)


def says(status: str, body: bytes = b"", *headers: str) -> Answer:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return lambda connection: connection.sendall("\r\n".join(lines).encode() + body)


def problem(status: int, **document: object) -> Answer:
    return says(f"{status} Whatever", json.dumps(document).encode(), "Content-Type: application/problem+json")


def hangs_up(connection: socket.socket) -> None:
    pass


def stops_in_the_middle(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


def drips(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        connection.sendall(b"x")
        time.sleep(0.05)


def sleeps(connection: socket.socket) -> None:
    time.sleep(1.5)


def without_end(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(10_000):
        connection.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")


def transport(**options: float) -> HttpTransport:
    return HttpTransport(KEY, attempts=int(options.pop("attempts", 1)), **options)


def ask(url: str, party: str = "trustee 2", limit: int = 10_000, **options: float) -> bytes:
    client = transport(**options)
    try:
        return client.request(party, "POST", url + "/v1/x", b"body", limit=limit)
    finally:
        client.close()


def test_an_answer_comes_back_and_is_counted() -> None:
    with server(says("200 OK", b"answer")) as (url, heads):
        client = transport()
        assert client.request("secretariat", "POST", url + "/v1/x", b"body") == b"answer"
        assert (client.sent, client.received) == ({"secretariat": 4}, {"secretariat": 6})
        client.close()
    head = heads[0].lower()
    assert b"signature-input:" in head and b"content-digest:" in head
    assert b"accept-encoding: identity" in head


BAD_ANSWERS: dict[str, tuple[Answer, str]] = {
    "hangs up": (hangs_up, "does not answer"),
    "is killed in the middle of an answer": (stops_in_the_middle, "does not answer"),
    "does not speak HTTP": (lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n"), "does not answer"),
    "never stops sending": (without_end, "sends more than the 10000 bytes agreed"),
    "sends a bomb": (says("200 OK", gzip.compress(bytes(10**8)), "Content-Encoding: gzip"), "packed answer"),
    "redirects": (says("302 Found", b"", "Location: http://127.0.0.1:1/"), "redirects elsewhere"),
    "is busy": (says("503 Service Unavailable"), "does not answer .status 503."),
    "breaks down": (problem(500, title="Internal", detail="an error inside"), "cannot answer: an error inside"),
    "refuses without a word": (says("403 Forbidden", b"<html>no</html>"), "status 403 and no explanation"),
    "refuses with a novel": (says("403 Forbidden", b"x" * (PROBLEM_BYTES + 1)), "more than the 65536 bytes"),
    "refuses in a form of its own": (problem(403, detail=[1, 2]), "status 403 and no explanation"),
}


@pytest.mark.parametrize("how", BAD_ANSWERS)
def test_a_server_that_does_not_answer_properly_is_named(how: str) -> None:
    answer, message = BAD_ANSWERS[how]
    with server(answer) as (url, _), pytest.raises(PartyUnavailable, match=f"trustee 2 .*{message}") as caught:
        ask(url)
    assert caught.value.party == "trustee 2"


def test_a_server_that_is_down_is_named_after_some_tries() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(PartyUnavailable, match=r"secretariat does not answer \(ConnectError\): try again later"):
        ask(f"http://127.0.0.1:{port}", party="secretariat", attempts=2)


def test_a_silent_server_is_given_its_time_once() -> None:
    with server(sleeps, sleeps) as (url, heads):
        with pytest.raises(PartyUnavailable, match="too slow to answer"):
            ask(url, attempts=4, read_seconds=0.3)
        assert len(heads) == 1


def test_a_server_that_drips_does_not_hold_the_member_for_ever() -> None:
    begun = time.monotonic()
    with server(drips) as (url, _), pytest.raises(PartyUnavailable, match="too slow to answer"):
        ask(url, request_seconds=0.3)
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    "first", [hangs_up, stops_in_the_middle, says("503 Busy"), says("429 Slow down"), says("408 x")]
)
def test_what_may_pass_is_tried_again_and_signed_anew(first: Answer) -> None:
    with server(first, says("200 OK", b"answer")) as (url, heads):
        assert ask(url, attempts=3) == b"answer"
    nonces = [line for head in heads for line in head.split(b"\r\n") if line.lower().startswith(b"signature-input")]
    assert len(set(nonces)) == 2  # a nonce is accepted once


def test_a_refusal_is_not_tried_again_and_says_why() -> None:
    refusal = problem(
        403,
        type="urn:tacit:grant",
        title="Forbidden",
        detail="the quota is used up",
        party="abc",
        evidence={"quota": 5},
    )
    with server(refusal, says("200 OK", b"answer")) as (url, heads):
        with pytest.raises(Refused, match="secretariat refuses: the quota is used up") as caught:
            ask(url, party="secretariat", attempts=3)
        assert len(heads) == 1
    assert (caught.value.kind, caught.value.party) == ("grant", "secretariat")
    assert caught.value.evidence == {"status": 403, "blames": "abc", "quota": 5}
    assert "Responsible" not in caught.value.diagnostics()


def test_a_server_cannot_put_the_blame_on_another_or_drive_the_terminal() -> None:
    evidence = {f"fact {i}": "\x1b[2Jx" for i in range(1000)} | {"status": 1, "blames": "you"}
    lie = problem(403, detail="\x1b]0;owned\x07no" + "!" * 5000, party="trustee 2\x1b[31m", evidence=evidence)
    with server(lie) as (url, _), pytest.raises(Refused) as caught:
        ask(url, party="trustee 1")
    assert caught.value.party == "trustee 1"
    assert (caught.value.evidence["status"], caught.value.evidence["blames"]) == (403, "trustee 2 [31m")
    shown = caught.value.diagnostics()
    assert "\x1b" not in shown and "\x07" not in shown
    assert len(shown) < 5000


def test_an_address_that_is_none_is_an_error_of_the_party() -> None:
    with pytest.raises(PartyUnavailable) as caught:
        ask("http://[::1", party="trustee 3")
    assert caught.value.party == "trustee 3"


def test_printable_keeps_text_and_drops_controls() -> None:
    assert printable("Käse 株式会社 ✓") == "Käse 株式会社 ✓"
    assert printable("a\x1b\x9b\x00\u202eb") == "a    b"
    assert len(printable("x" * 5000)) == 1000
