"""Signed HTTP requests: RFC 9421 with Ed25519, the body bound by an RFC 9530 Content-Digest.

Every request is signed over method, full target and body, with creation time, expiry and a nonce. The verifier
builds the URL from its *configured* origin, never from the Host header, so a request meant for one server is
refused by another.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)

from tacit_protocol.errors import SignatureError
from tacit_protocol.signing import pseudonym, public_bytes

TAG = "tacit/1"
VALIDITY_SECONDS = 60
CLOCK_SKEW_SECONDS = 30
_COMPONENTS = ("@method", "@target-uri", "content-digest")


@dataclass(frozen=True, slots=True)
class VerifiedRequest:
    """Who signed, and the nonce that the server must not accept a second time.

    The request is accepted until ``expires`` + :data:`CLOCK_SKEW_SECONDS`, so a nonce is kept for longer than that.
    """

    signer: str
    nonce: str
    expires: int


@dataclass
class _Request:
    method: str
    url: str
    headers: MutableMapping[str, str]


class _OneKey(HTTPSignatureKeyResolver):
    def __init__(
        self, private: Ed25519PrivateKey | None = None, find: Callable[[str], bytes | None] | None = None
    ) -> None:
        self._private, self._find = private, find

    def resolve_private_key(self, key_id: str) -> Any:  # noqa: ANN401
        return self._private

    def resolve_public_key(self, key_id: str) -> Any:  # noqa: ANN401
        key = self._find(key_id) if self._find is not None else None
        if key is None or pseudonym(key) != key_id:
            return None
        return Ed25519PublicKey.from_public_bytes(key)


class _Verifier(HTTPMessageVerifier):
    """The library's verifier with the time as an argument."""

    now: int

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:  # noqa: ANN401
        created, expires = sig_input.params.get("created"), sig_input.params.get("expires")
        if not isinstance(created, int) or not isinstance(expires, int):
            raise SignatureError("a request must say when it was signed and when it expires")
        if created > self.now + CLOCK_SKEW_SECONDS:
            raise SignatureError("the request was signed in the future: check the clock of this machine")
        if self.now > expires + CLOCK_SKEW_SECONDS or expires - created > VALIDITY_SECONDS:
            raise SignatureError("the request has expired: check the clock of this machine")


def sign_request(
    private_key: Ed25519PrivateKey, method: str, url: str, body: bytes, *, now: int, nonce: str
) -> dict[str, str]:
    """Return the headers that sign this request. ``nonce`` is fresh for every try, also for a retry."""
    request = _Request(method.upper(), url, {})
    signer = HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=_OneKey(private=private_key))
    signer.sign(
        request,
        key_id=pseudonym(public_bytes(private_key)),
        created=datetime.datetime.fromtimestamp(now, datetime.UTC),
        expires=datetime.datetime.fromtimestamp(now + VALIDITY_SECONDS, datetime.UTC),
        nonce=nonce,
        label="tacit",
        tag=TAG,
        covered_component_ids=_COMPONENTS,
        body=body,
    )
    return dict(request.headers)


def verify_request(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    *,
    now: int,
    find_key: Callable[[str], bytes | None],
) -> VerifiedRequest:
    """Raise :class:`SignatureError` unless the request is signed, fresh, unaltered and by a known key.

    ``find_key`` gives the public key for a pseudonym, or None. The caller refuses a nonce it has seen before.
    With ``body`` None the head alone is judged, so that a stranger is refused before a byte of its body is read;
    the caller must then pass the body to :func:`verify_content`.
    """
    verifier = _Verifier(signature_algorithm=algorithms.ED25519, key_resolver=_OneKey(find=find_key))
    verifier.now = now
    try:
        results = verifier.verify(
            _Request(method.upper(), url, dict(headers)),
            expect_tag=TAG,
            require_components=_COMPONENTS,
            body=body,
        )
    except SignatureError:
        raise
    except Exception as error:  # the library raises its own, and parsers' errors on malformed headers
        raise SignatureError(f"the request's signature is refused: {type(error).__name__}") from error
    if len(results) != 1:
        raise SignatureError("a request carries exactly one signature")
    parameters = results[0].parameters
    nonce = parameters.get("nonce")
    if not isinstance(nonce, str) or not 16 <= len(nonce) <= 128:
        raise SignatureError("a request carries a nonce of 16 to 128 characters")
    return VerifiedRequest(cast(str, parameters["keyid"]), nonce, cast(int, parameters["expires"]))


def verify_content(headers: Mapping[str, str], body: bytes) -> None:
    """Raise :class:`SignatureError` unless ``body`` has the Content-Digest of an already verified head."""
    try:
        named = {name.lower(): value for name, value in headers.items()}
        HTTPMessageVerifier.content_digest_class.verify(named["content-digest"], body)
    except Exception as error:  # InvalidSignature, a malformed header, a missing one
        raise SignatureError("the body is not the one that was signed") from error
