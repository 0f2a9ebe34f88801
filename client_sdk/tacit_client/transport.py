"""HTTP behind one interface: signing, size and time limits, retries; errors name the party.

:class:`Transport` is what the rest of the client knows. :class:`HttpTransport` is the real one; tests put a misbehaving
one in its place. A request is signed anew for every try, because a nonce is accepted once.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import httpx2
import msgspec
import stamina
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSignaturesException

from tacit_client.errors import PartyUnavailable, Refused, printable
from tacit_protocol.request_signing import sign_request

ATTEMPTS = 4
CONNECT_SECONDS = 5.0
READ_SECONDS = 120.0  # of silence
REQUEST_SECONDS = 600.0  # for a whole answer: one byte a minute is no answer
JSON_LIMIT_BYTES = 16 * 2**20
PROBLEM_BYTES = 65536
_EVIDENCE = 16  # facts of a refusal at most
# No compression: it would save nothing on ciphertext, and a packed answer can unpack to more than memory holds.
_PLAIN = {"Accept-Encoding": "identity"}
_RETRY_STATUS = frozenset({408, 429, 502, 503, 504})


class Transport(Protocol):
    """Send a signed request to ``party`` and return the body of its answer."""

    def request(
        self,
        party: str,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = JSON_LIMIT_BYTES,
    ) -> bytes:
        """Return the answer's body, at most ``limit`` bytes.

        Raises :class:`PartyUnavailable` when the party does not answer properly after some tries, and
        :class:`Refused` with the party's own reason when it refuses.
        """
        ...


class _TryAgainError(Exception):
    """A failure that may pass: no connection, a time-out, a server that says it is busy."""


class HttpTransport:
    """The real transport; one connection pool, loopback or the network, no proxies taken from the environment."""

    def __init__(
        self,
        signing_key: Ed25519PrivateKey,
        *,
        attempts: int = ATTEMPTS,
        read_seconds: float = READ_SECONDS,
        request_seconds: float = REQUEST_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key, self._attempts, self._clock = signing_key, attempts, clock
        self._request_seconds = request_seconds
        timeout = httpx2.Timeout(read_seconds, connect=CONNECT_SECONDS)
        self._client = httpx2.Client(trust_env=False, timeout=timeout, follow_redirects=False)
        self.sent: dict[str, int] = {}
        self.received: dict[str, int] = {}
        self._counting = threading.Lock()  # requests run in several threads

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def request(
        self,
        party: str,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        limit: int = JSON_LIMIT_BYTES,
    ) -> bytes:
        """See :meth:`Transport.request`."""
        try:
            for attempt in stamina.retry_context(
                on=_TryAgainError, attempts=self._attempts, wait_initial=0.2, wait_max=3.0, timeout=None
            ):
                with attempt:
                    return self._once(party, method, url, body, headers or {}, limit)
        except _TryAgainError as error:
            raise PartyUnavailable(f"{party} does not answer ({error}): try again later", party=party) from error
        raise PartyUnavailable(f"{party} was not asked", party=party)

    def _once(self, party: str, method: str, url: str, body: bytes, headers: Mapping[str, str], limit: int) -> bytes:
        # Signed inside the retried function: the nonce of a lost try may have been used up.
        try:
            signed = sign_request(self._key, method, url, body, now=int(self._clock()), nonce=secrets.token_urlsafe(24))
        except HTTPMessageSignaturesException as error:
            raise PartyUnavailable(f"{party} is said to be at an address that is none", party=party) from error
        self._count(self.sent, party, len(body))
        with (
            _connection_errors(party),
            self._client.stream(method, url, content=body, headers={**_PLAIN, **headers, **signed}) as response,
        ):
            limit = limit if response.status_code < 400 else PROBLEM_BYTES
            data = _read(party, response, limit, time.monotonic() + self._request_seconds)
        self._count(self.received, party, len(data))
        if response.status_code in _RETRY_STATUS:
            raise _TryAgainError(f"status {response.status_code}")
        if response.status_code >= 400:
            raise _refusal(party, response.status_code, data)
        if response.status_code >= 300:
            raise PartyUnavailable(f"{party} redirects elsewhere, which is not followed", party=party)
        return data

    def _count(self, counts: dict[str, int], party: str, size: int) -> None:
        with self._counting:
            counts[party] = counts.get(party, 0) + size


@contextmanager
def _connection_errors(party: str) -> Iterator[None]:
    try:
        yield
    except (httpx2.ReadTimeout, httpx2.WriteTimeout) as error:
        # It had its time: asking again at once would only make everybody wait four times as long.
        raise PartyUnavailable(f"{party} is too slow to answer: try again later", party=party) from error
    except (httpx2.TimeoutException, httpx2.NetworkError, httpx2.RemoteProtocolError) as error:
        # Also an answer that was cut: a server that is killed, or that closes a connection just when it is used again.
        raise _TryAgainError(type(error).__name__) from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise PartyUnavailable(
            f"{party} does not speak HTTP as expected ({type(error).__name__})", party=party
        ) from error


def _read(party: str, response: httpx2.Response, limit: int, deadline: float) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise PartyUnavailable(f"{party} sends a packed answer that was not asked for: it is not used", party=party)
    data = bytearray()
    for piece in response.iter_raw():
        data += piece
        if len(data) > limit:
            raise PartyUnavailable(
                f"{party} sends more than the {limit} bytes agreed: the answer is not used", party=party
            )
        if time.monotonic() > deadline:
            raise PartyUnavailable(f"{party} is too slow to answer: try again later", party=party)
    return bytes(data)


class _Problem(msgspec.Struct):
    """A problem document (RFC 9457) as our servers send it."""

    type: str = ""
    title: str = ""
    detail: str = ""
    party: str | None = None
    evidence: dict[str, str | int] = {}


def _refusal(party: str, status: int, data: bytes) -> Refused | PartyUnavailable:
    try:
        problem = msgspec.json.decode(data, type=_Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return PartyUnavailable(f"{party} answers with status {status} and no explanation", party=party)
    reason = printable(problem.detail or problem.title or f"status {status}")
    if status >= 500:
        return PartyUnavailable(f"{party} cannot answer: {reason}", party=party)
    evidence: dict[str, str | int] = {"status": status}
    if problem.party is not None:
        evidence["blames"] = printable(problem.party, 100)
    for name, value in list(problem.evidence.items())[:_EVIDENCE]:
        evidence.setdefault(printable(name, 100), printable(value, 200) if isinstance(value, str) else value)
    kind = printable(problem.type.removeprefix("urn:tacit:"), 100)
    return Refused(f"{party} refuses: {reason}", party=party, kind=kind, evidence=evidence)
