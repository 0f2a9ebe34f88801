"""The secretariat over HTTP: who may post what, and every refusal of the contract."""

from __future__ import annotations

import secrets
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.running import EPOCH, STREAM, FakeMember, World, wait_for
from tacit_protocol import grants, messages, shuffle
from tacit_protocol.messages import (
    BoardEntry,
    BoardPage,
    CeremonyCut,
    GrantRequest,
    Handover,
    Round1,
    UploadCommitment,
    WindowClose,
)
from tacit_server.secretariat.operator import operations


@pytest.fixture(scope="module")
def member(world: World) -> FakeMember:
    return world.member()


def trustee(world: World, index: int) -> FakeMember:
    return FakeMember(world, world.home(index).signing_key)


def problem(answer, status: int, name: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:tacit:{name}"
    return answer.json()


def entry(answer, status: int) -> BoardEntry:
    assert answer.status_code == status, answer.text
    return messages.decode(answer.content, BoardEntry)


def grant_request(count: int = grants.PADDING, epoch: str = EPOCH, stream: str = STREAM) -> GrantRequest:
    return GrantRequest(epoch, stream, count, secrets.token_bytes(64))


def commitment(window: int = 1, epoch: str = EPOCH, stream: str = STREAM) -> UploadCommitment:
    return UploadCommitment(epoch, stream, window, 64, secrets.token_bytes(64))


# --- enrolment -----------------------------------------------------------------------------------------------


def test_an_invitation_admits_one_member_once_and_a_retry_gets_the_same_entry(world):
    code, member = world.invitation(), world.member(enrol=False)
    first = entry(member.enrol(code), 201)
    again = member.send(0, "POST", "/v1/enrolments", member.enrolment, tacit_invitation=code)
    assert entry(again, 200) == first
    assert entry(member.enrol(code), 200) == first  # other agreement key, same signing key: what stands, stands
    problem(world.member(enrol=False).enrol(code), 403, "forbidden")


def test_an_unknown_or_expired_invitation_is_refused(world):
    problem(world.member(enrol=False).enrol("no such code"), 403, "forbidden")
    expired = operations.invite(world.keeper, 1, -1)[0].code
    assert "expired" in problem(world.member(enrol=False).enrol(expired), 403, "forbidden")["detail"]


def test_a_member_who_is_enrolled_already_does_not_use_up_another_invitation(world):
    member, code = world.member(), world.invitation()
    entry(member.enrol(code), 200)
    entry(world.member(enrol=False).enrol(code), 201)


def test_an_enrolment_is_signed_by_the_key_it_brings(world):
    code, member, other = world.invitation(), world.member(enrol=False), world.member(enrol=False)
    other.enrol("no such code")
    answer = member.send(0, "POST", "/v1/enrolments", other.enrolment, tacit_invitation=code)
    problem(answer, 401, "unauthenticated")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"kind":"enrolment"}', b"\xff\xfe", b"null"])
def test_a_malformed_enrolment_is_refused(world, body):
    problem(world.member(enrol=False).send(0, "POST", "/v1/enrolments", body), 422, "encoding")


# --- reading the board ---------------------------------------------------------------------------------------


def test_the_board_is_read_in_pages_by_members_and_trustees_only(world, member):
    page = messages.decode(member.send(0, "GET", "/v1/board?start=2&limit=3").content, BoardPage)
    assert [e.sequence for e in page.entries] == [2, 3, 4]
    assert page.start == 2
    assert page.size > 5
    assert trustee(world, 1).send(0, "GET", "/v1/board").status_code == 200
    beyond = messages.decode(member.send(0, "GET", "/v1/board?start=1000000").content, BoardPage)
    assert beyond.entries == ()
    problem(world.member(enrol=False).send(0, "GET", "/v1/board"), 401, "unauthenticated")


@pytest.mark.parametrize("query", ["start=-1", "limit=0", "limit=1001", "start=x", "start=99999999999999999999"])
def test_a_page_beyond_the_limits_is_refused(member, query):
    problem(member.send(0, "GET", f"/v1/board?{query}"), 422, "encoding")


# --- grants --------------------------------------------------------------------------------------------------


def test_a_grant_is_put_on_the_board_once(world, member):
    request = grant_request()
    first = entry(member.post(request), 201)
    assert entry(member.post(request), 200) == first


def test_grants_beyond_the_quota_are_refused_and_a_retry_costs_nothing(world):
    member = world.member()
    requests = [grant_request(grants.BLOCK) for _ in range(131072 // grants.BLOCK)]
    for request in requests:
        entry(member.post(request), 201)
    refused = problem(member.post(grant_request()), 403, "grant")
    assert refused["evidence"] == {"used": 131072, "quota": 131072, "asked": grants.PADDING}
    assert refused["party"] == member.name
    entry(member.post(requests[0]), 200)


@pytest.mark.parametrize(
    "request_",
    [grant_request(1000), grant_request(epoch="2031-h1"), grant_request(stream="nothing")],
    ids=["no multiple of the padding", "another epoch", "another stream"],
)
def test_a_grant_outside_the_rules_is_refused(member, request_):
    problem(member.post(request_), 403, "grant")


# --- who may post what ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [WindowClose(EPOCH, STREAM, 1), CeremonyCut(EPOCH, STREAM, 1, "ceremony-1"),
     Round1(EPOCH, STREAM, 1, 1, bytes(64), bytes(32)),
     Handover(EPOCH, STREAM, 1, (), 0, bytes(64))],
    ids=messages.kind_of,
)  # fmt: skip
def test_a_member_posts_nothing_of_the_operators_and_the_trustees(member, message):
    problem(member.post(message), 403, "forbidden")


def test_a_trustee_posts_nothing_of_the_members_and_the_operators(world):
    problem(trustee(world, 1).post(grant_request()), 403, "forbidden")
    problem(trustee(world, 1).post(WindowClose(EPOCH, STREAM, 1)), 403, "forbidden")


def test_a_trustee_does_not_speak_for_another(world):
    problem(trustee(world, 1).post(Round1(EPOCH, STREAM, 1, 2, bytes(64), bytes(32))), 403, "signature")


def test_a_trustee_does_not_say_two_things_in_one_step(world):
    document = problem(trustee(world, 1).post(Round1(EPOCH, STREAM, 1, 1, bytes(64), bytes(32))), 409, "ceremony")
    assert document["party"] == "trustee 1"


def test_a_ceremony_of_another_attempt_or_epoch_is_refused(world):
    problem(trustee(world, 1).post(Round1(EPOCH, STREAM, 7, 1, bytes(64), bytes(32))), 409, "ceremony")
    problem(trustee(world, 1).post(Round1("2031-h1", STREAM, 1, 1, bytes(64), bytes(32))), 409, "board")


def test_a_message_signed_by_another_than_the_request_is_refused(world, member):
    other = world.member()
    body = messages.encode(other.sign(grant_request()))
    problem(member.send(0, "POST", "/v1/board", body), 403, "forbidden")


def test_a_message_with_a_signature_for_something_else_is_refused(member):
    signed = member.sign(grant_request())
    forged = type(signed)(signed.kind, signed.signer, messages.encode(grant_request()), signed.signature)
    problem(member.send(0, "POST", "/v1/board", messages.encode(forged)), 403, "signature")


@pytest.mark.parametrize(
    "body", [b"", b"garbage", b"{}", b'{"kind":1}', b'{"kind":"grant","signer":"x","body":"!","signature":""}', b"\x00"]
)
def test_garbage_is_refused(member, body):
    problem(member.send(0, "POST", "/v1/board", body), 422, "encoding")


def test_a_known_kind_with_a_wrong_body_and_an_unknown_kind_are_refused(member):
    for kind, body in (("grant", b'{"epoch":"e"}'), ("gossip", b"{}")):
        signed = messages.encode(type(member.sign(grant_request()))(kind, member.name, body, bytes(64)))
        assert member.send(0, "POST", "/v1/board", signed).status_code in (403, 422)
    assert member.send(0, "POST", "/v1/board", b"x" * (64 * 1024 + 1)).status_code == 413


def test_an_enrolment_is_not_posted_to_the_board(world):
    member = world.member()
    problem(member.send(0, "POST", "/v1/board", member.enrolment), 403, "forbidden")


# --- windows and epochs --------------------------------------------------------------------------------------


def test_an_upload_goes_into_the_window_that_is_open(world, member):
    assert "window 1 is" in problem(member.post(commitment(window=2)), 409, "board")["detail"]
    first = commitment()
    posted = entry(member.post(first), 201)
    assert entry(member.post(first), 200) == posted


def test_uploads_and_grants_wait_for_their_epoch_and_end_with_it(world, member):
    now = int(time.time())
    world.open_epoch("2040-h1", opens=now + 3600, closes=now + 7200)
    world.open_epoch("2020-h1", opens=now - 7200, closes=now - 3600)
    assert "not open yet" in problem(member.post(grant_request(epoch="2040-h1")), 409, "board")["detail"]
    assert "epoch closed" in problem(member.post(grant_request(epoch="2020-h1")), 409, "board")["detail"]
    assert "epoch closed" in problem(member.post(commitment(epoch="2020-h1")), 409, "board")["detail"]


def test_an_upload_waits_for_the_key_ceremony(world, member):
    world.stop(2)
    try:
        world.open_epoch("2026-spare")
        assert "ceremony" in problem(member.post(commitment(epoch="2026-spare")), 409, "ceremony")["detail"]
    finally:
        world.start(2)
    wait_for(lambda: world.ceremony_complete("2026-spare"), "the ceremony goes on once trustee 2 is back")
    entry(member.post(commitment(epoch="2026-spare")), 201)


# --- hand-overs ----------------------------------------------------------------------------------------------

PAGE = bytes(2 * shuffle.UPLOAD_BYTES)


def test_only_the_shuffler_hands_over_and_only_a_closed_window(world, member):
    target = f"/v1/handovers/{EPOCH}/{STREAM}/1/pages/0"
    problem(member.send(0, "PUT", target, PAGE), 403, "forbidden")
    problem(trustee(world, 1).send(0, "PUT", target, PAGE), 403, "forbidden")
    assert "still open" in problem(trustee(world, 3).send(0, "PUT", target, PAGE), 409, "conflict")["detail"]
    problem(trustee(world, 3).send(0, "PUT", target.replace(EPOCH, "2031-h1"), PAGE), 409, "board")


def test_a_handover_with_records_is_not_posted_to_the_board(world):
    answer = trustee(world, 3).post(Handover(EPOCH, STREAM, 1, (1,), 64, bytes(64)))
    assert "complete" in problem(answer, 409, "conflict")["detail"]


def test_an_index_that_was_not_published_is_not_found(member):
    problem(member.send(0, "GET", f"/v1/indexes/{EPOCH}/{STREAM}/1"), 404, "not-found")
    problem(member.send(0, "GET", f"/v1/handovers/{EPOCH}/{STREAM}/1"), 404, "not-found")


@pytest.mark.parametrize("path", ["/v1/indexes/..%2f..%2fetc/passwd/1", "/v1/indexes/A/b/1", "/v1/indexes/a/b/0"])
def test_a_path_that_is_no_name_is_refused(member, path):
    assert member.send(0, "GET", path).status_code in (404, 422)


def test_a_stranger_learns_nothing(world):
    stranger = FakeMember(world, Ed25519PrivateKey.generate())
    for method, target in (
        ("GET", f"/v1/indexes/{EPOCH}/{STREAM}/1"),
        ("GET", f"/v1/handovers/{EPOCH}/{STREAM}/1"),
        ("PUT", f"/v1/handovers/{EPOCH}/{STREAM}/1/pages/0"),
    ):
        problem(stranger.send(0, method, target), 401, "unauthenticated")
