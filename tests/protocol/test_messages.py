"""Strict decoding: one form for every message, limits on every field, and nothing but an EncodingError gets out."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tacit_protocol import messages, signing
from tacit_protocol.errors import EncodingError
from tacit_protocol.messages import (
    AccessRules,
    AuditorAppointment,
    BoardEntry,
    BoardPage,
    CeremonyCut,
    Eligibility,
    EncryptedShare,
    Enrolment,
    Erasure,
    GrantRequest,
    Handover,
    IndexRoot,
    Manifest,
    Message,
    QueryAuditAnswer,
    QueryAuditOrder,
    QueryAuditResult,
    Receipt,
    RevealedShare,
    Round1,
    Round2,
    Round3,
    Round3Answer,
    Round4,
    StatementSignature,
    TallyAnnouncement,
    TallyInput,
    TallyRelease,
    Trustee,
    UploadCommitment,
    WindowClose,
)

K, D = bytes(range(32)), bytes(range(64))
E, S = "2026-h2", "social-audit"
KEY = Ed25519PrivateKey.from_private_bytes(K)
EXAMPLES: list[Message] = [
    Manifest(E, (S, "ecovadis"), 2, (Trustee(1, K, K, "https://trustee.example/1"),), 1, 10_000, 5, K, K, 0, 2**40),
    Enrolment(K, K),
    Round1(E, S, 1, 3, D, K),
    Round2(E, S, 1, 3, D, D, (EncryptedShare(1, K), EncryptedShare(2, b""))),
    Round3(E, S, 1, 3, (1, 255)),
    Round3Answer(E, S, 1, 3, (RevealedShare(1, K),)),
    Round4(E, S, 1, 3, D),
    GrantRequest(E, S, 8192, D),
    UploadCommitment(E, S, 1, 2**24, D),
    Receipt(E, S, 1, 0, 64),
    WindowClose(E, S, 10_000),
    CeremonyCut(E, S, 1, "ceremony-2"),
    Handover(E, S, 1, (3, 4), 128, D),
    IndexRoot(E, S, 1, K, 2**40, 0, 0),
    Erasure(E, 255),
    AccessRules(E, (S,), "agreed"),
    Eligibility(E, S, "a" * 16, True),
    StatementSignature(E, K),
    AuditorAppointment(K, K, 2**40),
    QueryAuditOrder("abcdefghijklmnop", E, S, (7, 9), 256, 12, K, K),
    QueryAuditAnswer(13, D),
    QueryAuditResult(13, "not-plausible", 3, 2, 1),
    TallyAnnouncement("avoided-audits", E, 3, tuple(letter * 16 for letter in "abcde")),
    TallyInput(14, D),
    TallyRelease(14, D),
]
by_kind = pytest.mark.parametrize("message", EXAMPLES, ids=messages.kind_of)


def fields_of(message: Message) -> dict[str, Any]:
    decoded = json.loads(messages.encode(message))
    assert isinstance(decoded, dict)
    return decoded


def decode_fields(fields: dict[str, Any], like: Message) -> Message:
    return messages.decode(json.dumps(fields).encode(), type(like))


def signed(kind: str, body: bytes) -> signing.Signed:
    return signing.sign(KEY, kind, body)


def test_there_is_an_example_of_every_kind() -> None:
    assert {messages.kind_of(message) for message in EXAMPLES} == set(messages.KINDS)


@by_kind
def test_every_message_survives_its_encoding(message: Message) -> None:
    data = messages.encode(message)
    assert messages.decode(data, type(message)) == message
    assert messages.body_of(signed(messages.kind_of(message), data), type(message)) == message
    assert b" " not in data


@by_kind
def test_unknown_fields_are_refused(message: Message) -> None:
    with pytest.raises(EncodingError, match="unknown field `extra`"):
        decode_fields({**fields_of(message), "extra": 1}, message)


@by_kind
def test_missing_and_null_fields_are_refused(message: Message) -> None:
    fields = fields_of(message)
    for name in fields:
        for changed in ({k: v for k, v in fields.items() if k != name}, {**fields, name: None}):
            with pytest.raises(EncodingError, match=name):
                decode_fields(changed, message)


@by_kind
def test_a_body_of_another_kind_is_refused(message: Message) -> None:
    other = next(m for m in EXAMPLES if type(m) is not type(message))
    with pytest.raises(EncodingError, match="expected a"):
        messages.body_of(signed(messages.kind_of(other), messages.encode(message)), type(message))


@by_kind
def test_a_body_has_one_form_only(message: Message) -> None:
    data, kind = messages.encode(message), messages.kind_of(message)
    first = json.dumps(next(iter(fields_of(message).items()))[0]).encode()
    forms = {
        "spaces": data.replace(b":", b": ", 1),
        "order": json.dumps(dict(reversed(fields_of(message).items())), separators=(",", ":")).encode(),
        "repeated field": data[:-1] + b"," + first + b":" + data[1:-1].split(b",")[0].split(b":", 1)[1] + b"}",
        "escape": data.replace(b'"', b'"', 1).replace(first, b'"\\u%04x' % first[1] + first[2:], 1),
    }
    for form in forms.values():
        if form != data:
            with pytest.raises(EncodingError):
                messages.body_of(signed(kind, form), type(message))


def test_a_repeated_field_with_two_values_is_refused() -> None:
    body = messages.encode(WindowClose(E, S, 1)).replace(b'"window":1', b'"window":2,"window":1')
    with pytest.raises(EncodingError, match="canonical"):
        messages.body_of(signed("window-close", body), WindowClose)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "Social-audit",
        "-a",
        ".",
        "..",
        "_a",
        "a b",
        "a/b",
        "a|b",
        "a\n",
        "a\x00",
        "ä",
        "a" * 65,
        "a\u2028",
        "%41",
    ],
)
def test_bad_identifiers_are_refused_everywhere(name: str) -> None:
    # They go into paths, labels and joins by '|'.
    for message in EXAMPLES:
        for field in ("epoch", "stream", "step"):
            if field in fields_of(message):
                with pytest.raises(EncodingError, match=field):
                    decode_fields({**fields_of(message), field: name}, message)


@pytest.mark.parametrize("name", ["a", "0", "2026-h2", "a.b_c-d", "a" * 64])
def test_good_identifiers_pass(name: str) -> None:
    assert messages.decode(messages.encode(WindowClose(name, S, 1)), WindowClose).epoch == name


@pytest.mark.parametrize(
    ("message", "field", "value"),
    [
        (GrantRequest(E, S, 1, D), "count", 0),
        (GrantRequest(E, S, 1, D), "count", 8193),
        (GrantRequest(E, S, 1, D), "count", -1),
        (GrantRequest(E, S, 1, D), "count", 2048.0),
        (GrantRequest(E, S, 1, D), "count", True),
        (GrantRequest(E, S, 1, D), "count", "2048"),
        (GrantRequest(E, S, 1, D), "count", 10**400),
        (UploadCommitment(E, S, 1, 1, D), "count", 2**24 + 1),
        (UploadCommitment(E, S, 1, 1, D), "window", 0),
        (UploadCommitment(E, S, 1, 1, D), "window", 10_001),
        (Round1(E, S, 1, 1, D, K), "sender", 0),
        (Round1(E, S, 1, 1, D, K), "sender", 256),
        (Round1(E, S, 1, 1, D, K), "attempt", 0),
        (Round3(E, S, 1, 1, ()), "accused", [0]),
        (Round3(E, S, 1, 1, ()), "accused", [1] * 65),
        (Round3Answer(E, S, 1, 1, ()), "revealed", [{"recipient": 1, "share": "AA=="}]),
        (Round2(E, S, 1, 1, K, D, ()), "shares", [{"recipient": 1, "ciphertext": ""}] * 65),
        (Handover(E, S, 1, (), 0, D), "entries", [-1]),
        (IndexRoot(E, S, 1, K, 0, 0, 0), "size", 2**40 + 1),
    ],
)  # fmt: skip
def test_numbers_and_lists_keep_their_limits(message: Message, field: str, value: Any) -> None:
    with pytest.raises(EncodingError, match=field):
        decode_fields({**fields_of(message), field: value}, message)


@by_kind
def test_keys_and_digests_have_their_exact_size(message: Message) -> None:
    fields = fields_of(message)
    for name, value in msgspec.structs.asdict(message).items():
        if isinstance(value, bytes) and not (isinstance(message, Round2) and name == "commitments"):
            for wrong in (value[:-1], value + b"x", b""):
                with pytest.raises(EncodingError, match=name):
                    decode_fields({**fields, name: msgspec.to_builtins(wrong)}, message)


@pytest.mark.parametrize(
    "url", ["", "ftp://a", "javascript:alert(1)", "http://", "https://a b", "https://a\n", "a" * 513]
)
def test_a_trustees_address_is_a_web_address(url: str) -> None:
    with pytest.raises(EncodingError, match="url"):
        messages.decode(messages.encode(Trustee(1, K, K, url)), Trustee)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"null", b"1", b"[]", b"{", b'"a"', b"{}", b"\xff\xfe", b'{"epoch":"\xff"}', b'{"epoch":"\\ud800"}',
        b"[" * 200_000, b'{"x":' + b"[" * 200_000, b'{"epoch":' + b'{"a":' * 100_000, b'{"count":1e999}',
        b'{"digest":"===="}', b"{}garbage", b"\x00" * 100,
    ],
)  # fmt: skip
def test_garbage_is_an_encoding_error_that_names_its_sender(data: bytes) -> None:
    with pytest.raises(EncodingError, match="from trustee 2") as caught:
        messages.decode(data, GrantRequest, party="trustee 2")
    assert caught.value.party == "trustee 2"


@settings(max_examples=200)
@given(st.binary(max_size=80), st.sampled_from(EXAMPLES))
def test_no_bytes_raise_anything_else(data: bytes, like: Message) -> None:
    with contextlib.suppress(EncodingError):
        messages.decode(data, type(like))


def test_a_signed_message_keeps_its_limits() -> None:
    good = signed("grant", b"{}")
    fields = json.loads(messages.encode(good))
    for name, wrong in (
        ("kind", ""), ("kind", "k" * 33), ("signer", "a"), ("signer", "a" * 17), ("signature", "AA=="), ("body", 1),
    ):  # fmt: skip
        with pytest.raises(EncodingError, match=name):
            messages.decode(json.dumps({**fields, name: wrong}).encode(), signing.Signed)
    assert messages.decode(messages.encode(good), signing.Signed) == good


def test_a_page_of_the_board_survives_its_encoding() -> None:
    entries = tuple(
        BoardEntry(i, 1_700_000_000 + i, signed("enrolment", messages.encode(EXAMPLES[1]))) for i in range(3)
    )
    page = BoardPage(0, 3, entries)
    assert messages.decode(messages.encode(page), BoardPage) == page


def test_a_manifest_finds_its_trustees() -> None:
    manifest = EXAMPLES[0]
    assert isinstance(manifest, Manifest)
    assert manifest.trustee(1).url == "https://trustee.example/1"
    with pytest.raises(EncodingError, match="names no trustee 2"):
        manifest.trustee(2)


@by_kind
def test_an_entry_of_the_log_has_one_form_and_is_read_back(message: Message) -> None:
    entry = BoardEntry(7, 1_800_000_000, signing.sign(KEY, messages.kind_of(message), messages.encode(message)))
    leaf = messages.encode_leaf(entry)
    assert leaf.startswith(b"tacit/1 entry\n{")
    assert messages.decode_leaf(leaf) == entry
    for other in (leaf[1:], leaf + b" ", leaf.replace(b"tacit/1", b"tacit/2"), leaf.replace(b'"time":', b'"time": ')):
        with pytest.raises(EncodingError):
            messages.decode_leaf(other)


def test_an_entry_that_is_too_large_for_the_log_is_refused_with_its_size() -> None:
    handover = Handover(E, S, 1, tuple(range(10**7, 10**7 + 9000)), 1, D)
    entry = BoardEntry(7, 5, signing.sign(KEY, "handover", messages.encode(handover)))
    with pytest.raises(EncodingError, match="65535 at most"):
        messages.encode_leaf(entry)
