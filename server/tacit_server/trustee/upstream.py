"""The secretariat as a trustee sees it: signed requests, limits on answers, errors that name the party."""

from __future__ import annotations

import secrets
import time

import httpx2
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tacit_protocol import messages
from tacit_protocol.errors import TacitError
from tacit_protocol.messages import BoardEntry, BoardPage
from tacit_protocol.request_signing import sign_request
from tacit_protocol.signing import Signed
from tacit_server.http import Clock

PAGE_ENTRIES = 1000
_ANSWER_BYTES = 64 * 2**20
_PARTY = "secretariat"


class UnreachableError(TacitError):
    """The secretariat does not answer; it is asked again at the next turn."""


class RefusedError(TacitError):
    """The secretariat refuses, with its reason."""


class Upstream:
    """Asks the secretariat; safe to use from several threads."""

    def __init__(self, url: str, key: Ed25519PrivateKey, *, clock: Clock = time.time) -> None:
        self._url, self._key, self._clock = url.rstrip("/"), key, clock
        self._client = httpx2.Client(trust_env=False, timeout=httpx2.Timeout(60.0, connect=5.0))

    def checkpoint(self) -> bytes:
        """Return the log's checkpoint, a signed note."""
        return self._send("GET", "/log/checkpoint")

    def board(self, start: int, limit: int = PAGE_ENTRIES) -> BoardPage:
        """Return a page of the board."""
        return messages.decode(self._send("GET", f"/v1/board?start={start}&limit={limit}"), BoardPage, _PARTY)

    def post(self, message: Signed) -> BoardEntry:
        """Put a message on the board."""
        return messages.decode(self._send("POST", "/v1/board", messages.encode(message)), BoardEntry, _PARTY)

    def put_page(self, epoch: str, stream: str, window: int, number: int, page: bytes) -> None:
        """Hand over one page of shuffled records."""
        self._send("PUT", f"/v1/handovers/{epoch}/{stream}/{window}/pages/{number}", page)

    def complete(self, epoch: str, stream: str, window: int, handover: Signed) -> BoardEntry:
        """Finish a hand-over."""
        target = f"/v1/handovers/{epoch}/{stream}/{window}/complete"
        return messages.decode(self._send("POST", target, messages.encode(handover)), BoardEntry, _PARTY)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _send(self, method: str, target: str, body: bytes = b"") -> bytes:
        url = self._url + target
        headers = sign_request(self._key, method, url, body, now=int(self._clock()), nonce=secrets.token_urlsafe(24))
        try:
            with self._client.stream(method, url, content=body, headers=headers) as response:
                answer = _read(response)
        except (httpx2.HTTPError, RuntimeError) as error:  # RuntimeError: the client was closed while we stop
            raise UnreachableError(f"the secretariat does not answer ({type(error).__name__})", party=_PARTY) from error
        if response.status_code >= 500:
            raise UnreachableError(f"the secretariat answers with status {response.status_code}", party=_PARTY)
        if response.status_code >= 300:
            raise RefusedError(
                f"the secretariat refuses: {_reason(answer, response.status_code)}",
                party=_PARTY,
                evidence={"status": response.status_code},
            )
        return answer


def _read(response: httpx2.Response) -> bytes:
    data = bytearray()
    for piece in response.iter_bytes():
        data += piece
        if len(data) > _ANSWER_BYTES:
            raise UnreachableError(f"the secretariat sends more than {_ANSWER_BYTES} bytes", party=_PARTY)
    return bytes(data)


class _Problem(msgspec.Struct):
    title: str = ""
    detail: str = ""


def _reason(answer: bytes, status: int) -> str:
    try:
        problem = msgspec.json.decode(answer, type=_Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return f"status {status}"
    return (problem.detail or problem.title or f"status {status}")[:500]
