"""Stages side by side: they really overlap, nothing runs further ahead than is said, and an end is an end.

Events say that things overlap, not clocks: a stage that waits for what would come after it never ends otherwise.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from support.memory import MemoryRound, fresh
from support.trustees import EPOCH, STREAM, Trustees
from tacit_client import evaluation, pipeline, session
from tacit_client.evaluation import Evaluator
from tacit_client.vault import Vault
from tacit_protocol import grants
from tacit_protocol.errors import ProofError, QuorumError
from tacit_protocol.threshold import ShareAnswer

TRUSTEES = Trustees.after_ceremony()
SECONDS = 60
FULL = grants.PADDING - session.CANARIES  # inputs of a batch in these tests
Member = tuple[Vault, Ed25519PrivateKey]


class Killed(BaseException):
    """The program ends here."""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "BLOCK", grants.PADDING)


@pytest.fixture
def parties() -> MemoryRound:
    return MemoryRound(TRUSTEES)


@pytest.fixture
def member(parties: MemoryRound, tmp_path: Path) -> Member:
    return fresh(tmp_path, parties)


def inputs(count: int) -> list[bytes]:
    return [b"input %d" % number for number in range(count)]


def awaited(event: threading.Event) -> None:
    assert event.wait(SECONDS), "waited in vain"


# --- the two helpers --------------------------------------------------------------------------------------------------


def test_one_item_is_made_ahead_and_no_more() -> None:
    drawn: list[int] = []
    made = [threading.Event() for _ in range(4)]

    def source() -> Iterator[int]:
        for number in range(4):
            drawn.append(number)
            made[number].set()
            yield number

    with closing(pipeline.ahead(source())) as items:
        assert drawn == []
        assert next(items) == 0
        awaited(made[1])  # while 0 is in use
        assert next(items) == 1
        awaited(made[2])
        assert drawn == [0, 1, 2]
    assert drawn == [0, 1, 2]


def test_items_come_in_order_and_an_error_where_its_item_was_due() -> None:
    def source() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("the third")

    items = pipeline.ahead(source())
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(ValueError, match="the third"):
        next(items)
    assert list(pipeline.ahead([])) == []


def test_several_run_at_once_in_order_and_never_more_than_allowed() -> None:
    barrier, running, most, lock = threading.Barrier(3, timeout=SECONDS), 0, 0, threading.Lock()

    def work(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        barrier.wait()  # passes only when three are here
        with lock:
            running -= 1
        return number

    assert list(pipeline.several(work, range(9), 3)) == list(range(9))
    assert most == 3


def test_after_a_failure_nothing_more_is_begun() -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 2:
            raise ValueError("the third")

    with pytest.raises(ValueError, match="the third"):
        list(pipeline.several(work, range(100), 1))
    assert begun == [0, 1, 2]


# --- evaluation -------------------------------------------------------------------------------------------------------


def test_a_batch_is_with_the_trustees_before_the_last_key_is_made_and_keys_are_made_while_they_work(
    parties: MemoryRound, member: Member
) -> None:
    asked, made = threading.Event(), threading.Event()

    def needed() -> Iterator[bytes]:
        for number, value in enumerate(inputs(3 * FULL)):
            if number == 2 * FULL - 1:
                awaited(asked)  # the second batch is not full before the first is with a trustee
                made.set()
            yield value

    def before(party: str, target: str) -> None:
        if target.endswith("/evaluations"):
            asked.set()
            awaited(made)  # and the trustees do not answer before it is

    parties.before = before
    assert parties.evaluator(*member).outputs(needed()).keys() == set(inputs(3 * FULL))


def test_the_inputs_are_not_drawn_further_than_the_batches_on_their_way_and_one_more(
    parties: MemoryRound, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    landed, furthest = 0, 0
    land = Evaluator._land

    def counted(*arguments: Any) -> int:
        nonlocal landed
        landed += 1  # from here on there may be room for the next
        return land(*arguments)

    def needed() -> Iterator[bytes]:
        nonlocal furthest
        for number, value in enumerate(inputs(8 * FULL)):
            furthest = max(furthest, number // FULL - landed)
            yield value

    monkeypatch.setattr(Evaluator, "_land", counted)
    parties.evaluator(*member).outputs(needed())
    assert landed == 8
    assert 1 <= furthest <= evaluation.FLIGHTS + 1


def test_an_answer_is_verified_while_another_trustees_is_on_its_way(
    parties: MemoryRound, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified, threads, check = threading.Event(), [], session.check_answer

    def checked(*arguments: Any) -> None:
        check(*arguments)
        answer: ShareAnswer = arguments[-1]
        threads.append(threading.current_thread())
        if answer.trustee == 1:
            verified.set()

    def hold(party: str, target: str, body: bytes) -> bytes:
        if party == "trustee 2":
            awaited(verified)
        return body

    monkeypatch.setattr(session, "check_answer", checked)
    parties.change = hold
    parties.evaluator(*member).outputs(inputs(1))
    assert len(set(threads)) == 2 and threading.main_thread() not in threads


def test_a_batch_is_not_copied_for_each_trustee(parties: MemoryRound, member: Member) -> None:
    bodies: dict[int, bytes] = {}
    request = parties.request

    def noted(party: str, method: str, url: str, body: bytes = b"", **options: Any) -> bytes:
        if url.endswith("/evaluations"):
            bodies[id(body)] = body
        return request(party, method, url, body, **options)

    parties.request = noted  # type: ignore[method-assign]
    parties.evaluator(*member).outputs(inputs(1))
    assert len(bodies) == 1


def test_an_error_among_the_keys_ends_it_and_what_was_granted_is_kept(parties: MemoryRound, member: Member) -> None:
    def needed() -> Iterator[bytes]:
        yield from inputs(FULL + 10)
        raise ValueError("no key of this row")

    with pytest.raises(ValueError, match="no key of this row"):
        parties.evaluator(*member).outputs(needed())
    known, unfinished = parties.evaluator(*member)._load()
    assert known.keys() == set(inputs(FULL)) and unfinished == {}
    assert parties.used(member[1]) == grants.PADDING  # the second batch never was one
    parties.evaluator(*member).outputs(inputs(FULL + 10))
    assert parties.used(member[1]) == 2 * grants.PADDING


@pytest.mark.parametrize("at", [2, 3, 5])
@pytest.mark.parametrize("moment", ["/board", "/evaluations"])
def test_a_run_that_is_killed_in_the_middle_goes_on_and_pays_for_nothing_twice(
    at: int, moment: str, parties: MemoryRound, member: Member
) -> None:
    count, lock = 0, threading.Lock()

    def before(party: str, target: str) -> None:
        nonlocal count
        if target.endswith(moment):
            with lock:
                count += 1
            if count >= at:
                raise Killed

    parties.before = before
    wanted = inputs(5 * FULL + 7)
    with pytest.raises(Killed):
        parties.evaluator(*member).outputs(wanted)
    parties.before = lambda party, target: None
    reordered = wanted[::-1]  # the next run draws them in another order
    assert parties.evaluator(*member).outputs(reordered).keys() == set(wanted)
    assert parties.used(member[1]) == 6 * grants.PADDING
    assert parties.evaluator(*member)._load()[1] == {}


def test_an_unfinished_batch_that_nothing_is_needed_of_is_left_alone(parties: MemoryRound, member: Member) -> None:
    parties.down = {"trustee 1", "trustee 2", "trustee 3"}
    with pytest.raises(Exception, match="must answer"):
        parties.evaluator(*member).outputs(inputs(3))
    parties.down = set()
    parties.evaluator(*member).outputs([b"something else"])
    _, unfinished = parties.evaluator(*member)._load()
    assert len(unfinished) == 1
    assert parties.used(member[1]) == 2 * grants.PADDING


def test_an_interrupt_ends_it_at_once_and_nothing_is_granted_or_stored_behind_it(
    parties: MemoryRound, member: Member
) -> None:
    flying, release = threading.Event(), threading.Event()
    granted = 0

    def before(party: str, target: str) -> None:
        nonlocal granted
        granted += target == "/v1/board"
        if target.endswith("/evaluations"):
            if granted == evaluation.FLIGHTS:
                flying.set()
            awaited(release)

    def interrupt() -> None:
        awaited(flying)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    parties.before = before
    earlier = signal.signal(signal.SIGINT, signal.default_int_handler)  # a runner in the background ignores it
    interrupter = threading.Thread(target=interrupt)
    try:
        interrupter.start()
        with pytest.raises(KeyboardInterrupt):
            parties.evaluator(*member).outputs(inputs(8 * FULL))
        stored = list(member[0].names("batches"))
        assert not release.is_set()  # the trustees had not answered yet
    finally:
        release.set()
        interrupter.join()
        signal.signal(signal.SIGINT, earlier)
    parties.before = lambda party, target: None
    assert parties.used(member[1]) == evaluation.FLIGHTS * grants.PADDING
    assert list(member[0].names("batches")) == stored
    parties.evaluator(*member).outputs(inputs(8 * FULL))
    assert parties.used(member[1]) == 8 * grants.PADDING


def test_new_batches_are_tied_to_those_that_an_earlier_run_left_unanswered(
    parties: MemoryRound, member: Member
) -> None:
    """Otherwise trustees that answer the old and the new ones under two keys would not be noticed."""
    parties.down = {"trustee 1", "trustee 2", "trustee 3"}
    with pytest.raises(QuorumError):
        parties.evaluator(*member).outputs(inputs(3))
    (left,) = evaluation.stored_batches(member[0], EPOCH, STREAM)
    parties.down = set()
    parties.evaluator(*member).outputs(inputs(6))
    batches = list(evaluation.stored_batches(member[0], EPOCH, STREAM))
    (new,) = [batch for batch in batches if batch.blinds != left.blinds]
    assert set(new.inputs) & set(left.inputs) == set(inputs(3))
    assert parties.used(member[1]) == 2 * grants.PADDING


def test_trustees_that_change_their_key_between_two_runs_are_noticed_though_nothing_was_known(
    parties: MemoryRound, member: Member
) -> None:
    parties.down = {"trustee 1", "trustee 2", "trustee 3"}
    with pytest.raises(QuorumError):
        parties.evaluator(*member).outputs(inputs(10))
    other = MemoryRound(Trustees.after_ceremony())  # another key behind the same addresses
    other.ledger, other.entries = parties.ledger, parties.entries
    other.evaluator(*member).outputs([b"something else"])
    parties.down = set()
    with pytest.raises(ProofError, match="canary"):
        parties.evaluator(*member).outputs(inputs(10))
