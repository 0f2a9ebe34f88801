"""HTTP behind one interface: signing, size and time limits, retries; errors name the party.

:class:`Transport` is what the rest of the client knows. :class:`HttpTransport` is the real one; tests put a misbehaving
one in its place. A request is signed anew for every try, because a nonce is accepted once.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import httpx2
import msgspec
import stamina
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tacit_client.errors import PartyUnavailable, Refused
from tacit_protocol.request_signing import sign_request

ATTEMPTS = 4
CONNECT_SECONDS = 5.0
READ_SECONDS = 120.0
JSON_LIMIT_BYTES = 16 * 2**20
_RETRY_STATUS = frozenset({429, 502, 503, 504})


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
        self, signing_key: Ed25519PrivateKey, *, attempts: int = ATTEMPTS, clock: Callable[[], float] = time.time
    ) -> None:
        self._key, self._attempts, self._clock = signing_key, attempts, clock
        timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        self._client = httpx2.Client(trust_env=False, timeout=timeout, follow_redirects=False)
        self.sent: dict[str, int] = {}
        self.received: dict[str, int] = {}

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
        signed = sign_request(self._key, method, url, body, now=int(self._clock()), nonce=secrets.token_urlsafe(24))
        self.sent[party] = self.sent.get(party, 0) + len(body)
        with (
            _connection_errors(party),
            self._client.stream(method, url, content=body, headers={**headers, **signed}) as response,
        ):
            data = _read(party, response, limit)
        self.received[party] = self.received.get(party, 0) + len(data)
        if response.status_code in _RETRY_STATUS:
            raise _TryAgainError(f"status {response.status_code}")
        if response.status_code >= 400:
            raise _refusal(party, response.status_code, data)
        if response.status_code >= 300:
            raise PartyUnavailable(f"{party} redirects elsewhere, which is not followed", party=party)
        return data


@contextmanager
def _connection_errors(party: str) -> Iterator[None]:
    try:
        yield
    except (httpx2.TimeoutException, httpx2.NetworkError) as error:
        raise _TryAgainError(type(error).__name__) from error
    except httpx2.HTTPError as error:
        raise PartyUnavailable(
            f"{party} does not speak HTTP as expected ({type(error).__name__})", party=party
        ) from error


def _read(party: str, response: httpx2.Response, limit: int) -> bytes:
    data = bytearray()
    for piece in response.iter_bytes():
        data += piece
        if len(data) > limit:
            raise PartyUnavailable(
                f"{party} sends more than the {limit} bytes agreed: the answer is not used", party=party
            )
    return bytes(data)


class _Problem(msgspec.Struct):
    """A problem document (RFC 9457) as our servers send it."""

    title: str = ""
    detail: str = ""
    party: str | None = None
    evidence: dict[str, str | int] = {}


def _refusal(party: str, status: int, data: bytes) -> Refused | PartyUnavailable:
    try:
        problem = msgspec.json.decode(data, type=_Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return PartyUnavailable(f"{party} answers with status {status} and no explanation", party=party)
    reason = problem.detail or problem.title or f"status {status}"
    error = Refused(f"{party} refuses: {reason[:1000]}", party=problem.party or party, evidence=problem.evidence)
    error.evidence.setdefault("status", status)
    return error
