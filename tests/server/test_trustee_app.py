"""A trustee over HTTP: evaluation against grants, uploads to the shuffler, and every refusal of the contract."""

from __future__ import annotations

import secrets
import threading
import time

import pytest

from server.running import EPOCH, GROUP, STREAM, FakeMember, World, wait_for
from tacit_protocol import grants, messages, shuffle, signing
from tacit_protocol.answers import Question, judge
from tacit_protocol.messages import Receipt, UploadCommitment
from tacit_protocol.shuffle import UPLOAD_BYTES
from tacit_protocol.signing import Signed
from tacit_server.secretariat.operator import operations


@pytest.fixture(scope="module")
def member(world: World) -> FakeMember:
    return world.member()


def problem(answer, status: int, name: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:tacit:{name}"
    return answer.json()


def test_health_says_who_answers(world, member):
    answer = member.client.get(world.url(2) + "/v1/health").json()
    assert (answer["role"], answer["index"], answer["back_end"]) == ("trustee", 2, "libsodium")
    assert answer["board"] > 0


# --- evaluation ----------------------------------------------------------------------------------------------


def test_a_granted_batch_is_evaluated_with_a_proof_and_a_retry_gets_the_same_bytes(world, member):
    batch = member.batch()
    assert member.grant(batch).status_code == 201
    answer = member.evaluate(1, batch)
    assert answer.headers["content-type"] == "application/octet-stream"
    body = answer.content
    question = Question(EPOCH, STREAM, 1, grants.batch_digest(EPOCH, STREAM, batch))
    public_key, public_share = signing.public_bytes(world.home(1).signing_key), world.stream_keys().public_shares[1]
    judge(GROUP, public_key, public_share, question, GROUP.decode(batch), body)  # signed by it, and right
    assert member.evaluate(1, batch).content == body


def test_a_retry_gets_the_same_bytes_through_a_restart(world, member):
    batch = member.batch()
    member.grant(batch)
    first = member.evaluate(2, batch)
    assert first.status_code == 200
    world.stop(2)
    world.start(2)
    assert member.evaluate(2, batch).content == first.content


def test_without_a_grant_nothing_is_evaluated(member):
    problem(member.evaluate(1, member.batch()), 403, "grant")


def test_a_grant_covers_one_member_and_one_batch(world, member):
    batch = member.batch()
    member.grant(batch)
    problem(world.member().evaluate(1, batch), 403, "grant")
    problem(member.evaluate(1, batch[:-32] + batch[:32]), 403, "grant")
    problem(member.evaluate(1, batch[:-32]), 403, "grant")


def test_the_grant_is_judged_before_the_points(member):
    problem(member.evaluate(1, b"\xff" * 32 * grants.PADDING), 403, "grant")


@pytest.mark.parametrize(
    ("bad", "position"), [(b"\xff" * 32, 7), (bytes(32), 0)], ids=["not canonical", "the identity"]
)
def test_a_bad_point_is_refused_with_its_position(member, bad, position):
    batch = member.batch()
    batch = batch[: 32 * position] + bad + batch[32 * (position + 1) :]
    member.grant(batch)
    assert problem(member.evaluate(1, batch), 422, "encoding")["evidence"] == {"position": position}


@pytest.mark.parametrize("body", [b"", b"x", b"x" * 33])
def test_a_body_that_is_no_batch_is_refused(member, body):
    problem(member.evaluate(1, body), 422, "encoding")


def test_a_batch_larger_than_a_block_is_refused_by_its_size(member):
    problem(member.evaluate(1, bytes(32 * grants.BLOCK + 1)), 413, "too-large")


def test_another_epoch_or_stream_is_refused(world, member):
    batch = member.batch()
    member.grant(batch)
    problem(member.evaluate(1, batch, epoch="2031-h1"), 409, "board")
    problem(member.evaluate(1, batch, stream="nothing"), 409, "conflict")


def test_an_epoch_that_is_closed_is_refused(world, member):
    now = int(time.time())
    world.open_epoch("2020-h1", opens=now - 7200, closes=now - 3600)
    wait_for(lambda: "closed" in member.evaluate(1, member.batch(), epoch="2020-h1").text, "trustee 1 follows")
    problem(member.evaluate(1, member.batch(), epoch="2020-h1"), 409, "board")


def test_a_stranger_is_refused_and_a_member_enrolled_a_moment_ago_is_not(world):
    problem(world.member(enrol=False).evaluate(1, bytes(32)), 401, "unauthenticated")
    problem(world.member().evaluate(1, bytes(32)), 403, "grant")


def test_the_same_batch_asked_for_at_once_is_computed_once(world, member):
    batch = member.batch()
    member.grant(batch)
    answers: list[bytes] = []

    def ask() -> None:
        answers.append(FakeMember(world, member.key).evaluate(1, batch).content)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert len(set(answers)) == 1  # proofs are random: computed twice they would differ


# --- uploads -------------------------------------------------------------------------------------------------


def base(entry: int) -> str:
    return f"/v1/{EPOCH}/{STREAM}/uploads/{entry}"


def test_an_upload_in_pages_is_resumed_and_confirmed_by_the_same_receipt(world, member):
    uploads = member.dummies()
    entry, salt, page = member.commit(uploads)
    half = 32 * UPLOAD_BYTES
    assert member.send(3, "GET", base(entry)).json() == {"pages": [], "complete": False}
    assert member.send(3, "PUT", base(entry) + "/pages/1", page[half:]).status_code == 204
    assert member.send(3, "GET", base(entry)).json() == {"pages": [1], "complete": False}
    assert "page 0" in problem(member.send(3, "POST", base(entry) + "/complete", salt), 422, "upload")["detail"]
    for _ in range(2):
        assert member.send(3, "PUT", base(entry) + "/pages/0", page[:half]).status_code == 204
    first = member.send(3, "POST", base(entry) + "/complete", salt)
    assert member.send(3, "POST", base(entry) + "/complete", salt).content == first.content
    assert member.send(3, "GET", base(entry)).json() == {"pages": [0, 1], "complete": True}
    receipt = messages.decode(first.content, Signed)
    signing.verify(world.home(3).public_key, receipt)
    assert messages.body_of(receipt, Receipt) == Receipt(EPOCH, STREAM, window_of(world), entry, 64)


def test_a_complete_upload_is_not_changed_any_more(member):
    entry, salt, page = member.commit(member.dummies())
    member.send(3, "PUT", base(entry) + "/pages/0", page)
    assert member.send(3, "POST", base(entry) + "/complete", salt).status_code == 200
    assert member.send(3, "PUT", base(entry) + "/pages/0", page).status_code == 204
    problem(member.send(3, "PUT", base(entry) + "/pages/0", page[::-1]), 409, "conflict")
    problem(member.send(3, "PUT", base(entry) + "/pages/1", page), 409, "conflict")


def test_a_page_replaced_while_the_upload_is_verified_does_not_get_in(world, member, monkeypatch):
    """Otherwise the receipt would be for records that the shuffler does not hold, and the member could blame it."""
    entry, salt, page = member.commit(member.dummies())
    member.send(3, "PUT", base(entry) + "/pages/0", page)
    genuine, answers = shuffle.verify_upload, []

    def verify(*arguments):
        hashes = genuine(*arguments)
        answers.append(member.send(3, "PUT", base(entry) + "/pages/0", page[::-1]))
        answers.append(member.send(3, "POST", base(entry) + "/complete", salt))
        return hashes

    monkeypatch.setattr(shuffle, "verify_upload", verify)
    assert member.send(3, "POST", base(entry) + "/complete", salt).status_code == 200
    for answer in answers:
        problem(answer, 503, "busy")
    assert member.send(3, "PUT", base(entry) + "/pages/0", page).status_code == 204  # still what was verified


def test_an_upload_that_is_not_what_was_committed_to_is_refused(member):
    entry, salt, page = member.commit(member.dummies())
    problem(member.send(3, "POST", base(entry) + "/complete", salt), 422, "upload")
    member.send(3, "PUT", base(entry) + "/pages/0", page[:-UPLOAD_BYTES])
    document = problem(member.send(3, "POST", base(entry) + "/complete", salt), 422, "upload")
    assert document["evidence"] == {"committed": 64, "received": 63}
    member.send(3, "PUT", base(entry) + "/pages/0", page[::-1])
    problem(member.send(3, "POST", base(entry) + "/complete", salt), 422, "upload")
    member.send(3, "PUT", base(entry) + "/pages/0", page)
    problem(member.send(3, "POST", base(entry) + "/complete", salt[::-1]), 422, "upload")
    problem(member.send(3, "POST", base(entry) + "/complete", b"short"), 422, "upload")
    problem(member.send(3, "POST", base(entry) + "/complete", bytes(33)), 413, "too-large")
    assert member.send(3, "POST", base(entry) + "/complete", salt).status_code == 200


def test_more_than_was_committed_to_does_not_fill_the_disk(member):
    entry, _, page = member.commit(member.dummies())
    assert member.send(3, "PUT", base(entry) + "/pages/0", page).status_code == 204
    problem(member.send(3, "PUT", base(entry) + "/pages/1", page), 422, "upload")
    problem(member.send(3, "PUT", base(entry) + "/pages/64", page[:UPLOAD_BYTES]), 422, "upload")


def test_a_page_of_a_wrong_size_is_refused(member):
    entry, _, page = member.commit(member.dummies())
    for wrong in (b"", page[:-1], b"x"):
        problem(member.send(3, "PUT", base(entry) + "/pages/0", wrong), 422, "upload")
    large = bytes(shuffle.PAGE_RECORDS * UPLOAD_BYTES + 1)
    problem(member.send(3, "PUT", base(entry) + "/pages/0", large), 413, "too-large")


def test_uploads_go_to_the_shuffler_by_their_own_member(world, member):
    entry, salt, page = member.commit(member.dummies())
    assert (
        "trustee 3 shuffles"
        in problem(member.send(1, "PUT", base(entry) + "/pages/0", page), 404, "not-found")["detail"]
    )
    other = world.member()
    problem(other.send(3, "PUT", base(entry) + "/pages/0", page), 403, "forbidden")
    problem(other.send(3, "POST", base(entry) + "/complete", salt), 403, "forbidden")
    problem(other.send(3, "GET", base(entry)), 403, "forbidden")
    problem(member.send(3, "PUT", base(0) + "/pages/0", page), 404, "not-found")
    problem(member.send(3, "PUT", base(10**6) + "/pages/0", page), 404, "not-found")
    problem(member.send(3, "PUT", base(entry).replace(EPOCH, "2031-h1") + "/pages/0", page), 404, "not-found")


# --- windows -------------------------------------------------------------------------------------------------


def closed(world: World, window: int) -> None:
    assert operations.close_window(world.keeper, EPOCH, STREAM).window == window

    def handed_over() -> bool:
        with world.keeper.view() as board:
            return (EPOCH, STREAM, window) in board.handovers

    wait_for(handed_over, f"the hand-over of window {window}")


def test_windows_close_wait_for_a_crowd_and_carry_earlier_uploads_along(world):
    start = window_of(world)
    bystander = world.member()
    unfinished, _, page = bystander.commit(bystander.dummies())
    bystander.send(3, "PUT", base(unfinished) + "/pages/0", page)
    earlier_one = world.member()
    earlier_one.upload(earlier_one.dummies())
    before = {path.name for path in uploads_on_disk(world)}
    crowd = [world.member() for _ in range(3)]
    late_entry, late_salt, late_page = crowd[2].commit(crowd[2].dummies())
    crowd[2].send(3, "PUT", base(late_entry) + "/pages/0", late_page)
    first = [messages.body_of(m.upload(m.dummies()), Receipt).entry for m in crowd[:2]]
    replaced = messages.body_of(crowd[0].upload(crowd[0].dummies()), Receipt).entry
    closed(world, start)
    with world.keeper.view() as board:
        earlier = len(board.handovers[EPOCH, STREAM, start].entries)
        assert set(board.handovers[EPOCH, STREAM, start].entries) >= {replaced, first[1]}
        assert first[0] not in board.handovers[EPOCH, STREAM, start].entries  # replaced by the member's second upload
    world.wait_for_index(start)

    # The window is over for what had no receipt, and a repeated request for a receipt still gets it.
    wait_for(lambda: crowd[2].send(3, "PUT", base(late_entry) + "/pages/0", late_page).status_code == 409, "closed")
    problem(crowd[2].send(3, "POST", base(late_entry) + "/complete", late_salt), 409, "conflict")
    late = UploadCommitment(EPOCH, STREAM, start, 64, secrets.token_bytes(64))
    assert f"window {start + 1} is" in problem(crowd[2].post(late), 409, "board")["detail"]

    # The next window has one new contributor only: nothing is handed over, its records wait.
    waiting = messages.body_of(crowd[2].upload(crowd[2].dummies(), window=start + 1), Receipt).entry
    closed(world, start + 1)
    with world.keeper.view() as board:
        assert board.handovers[EPOCH, STREAM, start + 1].entries == ()
        assert (EPOCH, STREAM, start + 1) not in board.indexes

    # The one after has two more, with the waiting one a crowd: everything of the epoch is handed over, shuffled anew.
    newcomers = [world.member() for _ in range(2)]
    fresh = {messages.body_of(m.upload(m.dummies(), window=start + 2), Receipt).entry for m in newcomers} | {waiting}
    closed(world, start + 2)
    world.wait_for_index(start + 2)
    with world.keeper.view() as board:
        handover, root = board.handovers[EPOCH, STREAM, start + 2], board.indexes[EPOCH, STREAM, start + 2]
    assert fresh | {replaced, first[1]} <= set(handover.entries)
    assert len(handover.entries) == earlier + 3
    assert root.records == handover.count == 64 * (earlier + 3)

    def tidied() -> bool:
        names = {path.name for path in uploads_on_disk(world)}
        pages = list((world.folder / "3" / "handovers").rglob("*.page"))
        return names == names_of(handover.entries) and not pages

    wait_for(tidied, "the shuffler keeps each member's latest upload and nothing else")
    assert before - names_of(handover.entries)  # what was there and is not needed any more is gone
    assert not list((world.folder / "0" / "handovers").rglob("*.page"))


def names_of(entries) -> set[str]:
    return {str(entry) for entry in entries}


def window_of(world: World) -> int:
    with world.keeper.view() as board:
        return board.open_window(EPOCH, STREAM)


def uploads_on_disk(world: World):
    return [path for path in (world.folder / "3" / "uploads" / EPOCH / STREAM).iterdir() if path.is_dir()]


def test_a_published_index_is_served_whole_and_in_ranges(world, member):
    if member.board().latest_index(EPOCH, STREAM) is None:  # this test ran before the one on windows, or alone
        for contributor in (world.member() for _ in range(3)):
            contributor.upload(contributor.dummies())
        closed(world, window_of(world))
        world.wait_for_index(window_of(world) - 1)
    board = member.board()
    root = board.latest_index(EPOCH, STREAM)
    assert root is not None
    target = f"/v1/indexes/{EPOCH}/{STREAM}/{root.window}"
    whole = member.send(0, "GET", target)
    assert (whole.status_code, len(whole.content)) == (200, root.size)
    assert whole.headers["etag"] == f'"{root.root.hex()}"'
    part = member.send(0, "GET", target, range="bytes=10-19")
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{root.size}"
    assert member.send(0, "GET", target, range=f"bytes={root.size - 3}-").content == whole.content[-3:]
    beyond = member.send(0, "GET", target, range=f"bytes={root.size}-")
    assert (beyond.status_code, beyond.headers["content-type"]) == (416, "application/problem+json")
    for odd in ("bytes=5-1", "lines=1-2", "bytes=0-1,4-5", "bytes=-", "x"):
        assert len(member.send(0, "GET", target, range=odd).content) == root.size
