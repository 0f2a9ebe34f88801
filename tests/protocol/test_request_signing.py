"""Signed requests (RFC 9421, RFC 9530): what is altered, stale, early, missing or doubled is refused."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, algorithms

from tacit_protocol import request_signing, signing
from tacit_protocol.errors import SignatureError
from tacit_protocol.request_signing import CLOCK_SKEW_SECONDS, VALIDITY_SECONDS, VerifiedRequest

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PUBLIC = signing.public_bytes(KEY)
NAME = signing.pseudonym(PUBLIC)
URL, BODY, NOW, NONCE = "https://secretariat.example/v1/board?start=0", b'{"kind":"grant"}', 1_800_000_000, "n" * 22


def keys(name: str) -> bytes | None:
    return {NAME: PUBLIC}.get(name)


def signed(**changes: Any) -> dict[str, str]:
    given: dict[str, Any] = {
        "key": KEY,
        "method": "POST",
        "url": URL,
        "body": BODY,
        "now": NOW,
        "nonce": NONCE,
        **changes,
    }
    return request_signing.sign_request(
        given["key"], given["method"], given["url"], given["body"], now=given["now"], nonce=given["nonce"]
    )


def verify(headers: Mapping[str, str], **changes: Any) -> VerifiedRequest:
    given: dict[str, Any] = {"method": "POST", "url": URL, "body": BODY, "now": NOW, "find_key": keys, **changes}
    return request_signing.verify_request(
        given["method"], given["url"], headers, given["body"], now=given["now"], find_key=given["find_key"]
    )


def custom(
    components: tuple[str, ...] = ("@method", "@target-uri", "content-digest"), **changes: Any
) -> dict[str, str]:
    """Sign as somebody would who keeps to RFC 9421 but not to our profile of it."""

    class Request:
        method, url, headers = "POST", URL, dict[str, str]()

    request = Request()
    request.headers = dict(changes.pop("headers", {}))
    at = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    given = {
        "key_id": NAME, "created": at, "expires": at + datetime.timedelta(seconds=60), "nonce": NONCE,
        "label": "tacit", "tag": "tacit/1", "body": BODY, **changes,
    }  # fmt: skip
    resolver = request_signing._OneKey(private=KEY)
    HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=resolver).sign(
        request, covered_component_ids=components, **given
    )
    return request.headers


def test_an_honest_request_verifies() -> None:
    verified = verify(signed())
    assert verified == VerifiedRequest(NAME, NONCE, NOW + VALIDITY_SECONDS)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_requests_without_a_body_are_signed_too(method: str) -> None:
    assert verify(signed(method=method, body=b""), method=method, body=b"").signer == NAME


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PUT"},
        {"url": URL + "1"},
        {"url": URL.replace("start=0", "start=1")},
        {"url": URL.replace("secretariat", "trustee")},
        {"url": URL.replace("https", "http")},
        {"url": URL.replace(".example/", ".example:8443/")},
        {"url": URL.replace("/v1/board", "/v1/%62oard")},
        {"body": BODY + b" "},
        {"body": b""},
    ],
    ids=["method", "url", "query", "host", "scheme", "port", "escape", "body", "no body"],
)
def test_an_altered_request_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SignatureError):
        verify(signed(), **change)


@pytest.mark.parametrize("seconds", [0, VALIDITY_SECONDS, VALIDITY_SECONDS + CLOCK_SKEW_SECONDS, -CLOCK_SKEW_SECONDS])
def test_a_request_is_accepted_while_fresh(seconds: int) -> None:
    verify(signed(), now=NOW + seconds)


@pytest.mark.parametrize("seconds", [VALIDITY_SECONDS + CLOCK_SKEW_SECONDS + 1, 86_400])
def test_an_expired_request_is_refused(seconds: int) -> None:
    with pytest.raises(SignatureError, match="expired: check the clock"):
        verify(signed(), now=NOW + seconds)


def test_a_request_from_the_future_is_refused() -> None:
    with pytest.raises(SignatureError, match="future: check the clock"):
        verify(signed(), now=NOW - CLOCK_SKEW_SECONDS - 1)


def test_a_request_valid_for_longer_than_agreed_is_refused() -> None:
    late = datetime.datetime.fromtimestamp(NOW + VALIDITY_SECONDS + 1, datetime.UTC)
    with pytest.raises(SignatureError, match="expired"):
        verify(custom(expires=late))


def test_a_request_without_an_expiry_is_refused() -> None:
    with pytest.raises(SignatureError, match="when it expires"):
        verify(custom(expires=None))


@pytest.mark.parametrize("missing", ["@method", "@target-uri"])
def test_a_signature_that_leaves_out_a_component_is_refused(missing: str) -> None:
    components = tuple(c for c in ("@method", "@target-uri", "content-digest") if c != missing)
    with pytest.raises(SignatureError):
        verify(custom(components))


def test_a_signature_over_the_path_alone_is_refused() -> None:
    # It would hold on every server.
    with pytest.raises(SignatureError):
        verify(custom(("@method", "@path", "content-digest")))


def test_a_body_that_is_not_covered_is_refused() -> None:
    headers = custom(("@method", "@target-uri"), body=None)
    with pytest.raises(SignatureError):
        verify(headers)
    with pytest.raises(SignatureError):
        verify(headers, body=b"")
    with pytest.raises(SignatureError):
        verify(headers, body=None)


@pytest.mark.parametrize("tag", ["other", "", None])
def test_a_signature_for_another_purpose_is_refused(tag: str | None) -> None:
    with pytest.raises(SignatureError):
        verify(custom(tag=tag))


@pytest.mark.parametrize("nonce", [None, "", "short", "n" * 129])
def test_a_nonce_is_needed(nonce: str | None) -> None:
    with pytest.raises(SignatureError, match="nonce"):
        verify(custom(nonce=nonce))


def test_two_signatures_are_refused() -> None:
    one, other = signed(), custom(nonce="m" * 22)
    both = {
        **one,
        "Signature-Input": one["Signature-Input"] + ", " + other["Signature-Input"].replace("tacit=", "second=", 1),
        "Signature": one["Signature"] + ", " + other["Signature"].replace("tacit=", "second=", 1),
    }
    with pytest.raises(SignatureError, match="exactly one"):
        verify(both)


def test_a_second_signature_that_does_not_hold_is_refused() -> None:
    one, other = signed(), signed(body=b"another")
    both = {
        **one,
        "Signature-Input": one["Signature-Input"] + ", " + other["Signature-Input"].replace("tacit=", "second=", 1),
        "Signature": one["Signature"] + ", " + other["Signature"].replace("tacit=", "second=", 1),
    }
    with pytest.raises(SignatureError):
        verify(both)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(SignatureError):
        verify(signed(key=STRANGER))
    with pytest.raises(SignatureError):
        verify(signed(), find_key=lambda name: None)


def test_a_key_found_under_another_name_is_refused() -> None:
    stranger = signing.public_bytes(STRANGER)
    with pytest.raises(SignatureError):
        verify(signed(key=STRANGER), find_key=lambda name: PUBLIC)
    with pytest.raises(SignatureError):
        verify(signed(), find_key=lambda name: stranger)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda h: {},
        lambda h: {k: v for k, v in h.items() if k != "Signature"},
        lambda h: {k: v for k, v in h.items() if k != "Signature-Input"},
        lambda h: {k: v for k, v in h.items() if k != "Content-Digest"},
        lambda h: {**h, "Signature": "garbage"},
        lambda h: {**h, "Signature-Input": "tacit=("},
        lambda h: {**h, "Signature": "tacit=:AAAA:"},
        lambda h: {**h, "Signature-Input": h["Signature-Input"].replace("ed25519", "hmac-sha256")},
        lambda h: {**h, "Content-Digest": "sha-256=:AAAA:"},
        lambda h: {**h, "Content-Digest": "md5=:AAAA:"},
        lambda h: {**h, "Signature-Input": "\u00e4"},
    ],
)
def test_missing_and_malformed_headers_are_refused(spoil: Callable[[dict[str, str]], dict[str, str]]) -> None:
    with pytest.raises(SignatureError):
        verify(spoil(signed()))


@pytest.mark.parametrize("case", [str, str.lower, str.upper])
def test_head_first_then_body(case: Callable[[str], str]) -> None:
    headers = {case(name): value for name, value in signed().items()}
    verified = verify(headers, body=None)
    assert verified.signer == NAME
    request_signing.verify_content(headers, BODY)
    with pytest.raises(SignatureError, match="not the one that was signed"):
        request_signing.verify_content(headers, BODY + b" ")


def test_content_without_a_digest_is_refused() -> None:
    with pytest.raises(SignatureError):
        request_signing.verify_content({}, b"")


def test_a_digest_put_in_place_of_the_signed_one_is_refused() -> None:
    headers = signed() | {"Content-Digest": signed(body=b"other")["Content-Digest"]}
    with pytest.raises(SignatureError):
        verify(headers, body=None)
