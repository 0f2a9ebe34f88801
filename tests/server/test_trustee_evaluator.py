"""The queue of batches: fair, bounded, each batch once, prompt at the stop."""

from __future__ import annotations

import os
import threading
from types import SimpleNamespace

import pytest

from support.trustees import Trustees
from tacit_protocol import scalars, sodium, voprf
from tacit_protocol.group import load_backend
from tacit_server.errors import BusyError
from tacit_server.settings import ServerSettings
from tacit_server.trustee import app
from tacit_server.trustee.answers import AnswerCache
from tacit_server.trustee.app import TrusteeOptions
from tacit_server.trustee.evaluator import Evaluator

TRUSTEES = Trustees.after_ceremony()


def key(number: int) -> tuple[str, str, bytes]:
    return ("e", "s", b"%d" % number)


@pytest.fixture
def gate():
    event = threading.Event()
    yield event
    event.set()


def blocked(gate: threading.Event, started: threading.Event):
    def work() -> bytes:
        started.set()
        gate.wait(30)
        return b"first"

    return work


def test_members_take_turns_however_many_batches_one_sends(gate):
    evaluator, started, order = Evaluator(1, 100, 100), threading.Event(), []
    evaluator.start()
    evaluator.submit("greedy", key(0), blocked(gate, started))
    started.wait(30)

    def work(name: str, number: int):
        def run() -> bytes:
            order.append(name)
            return b"%d" % number

        return evaluator.submit(name, key(number), run)

    futures = [work("greedy", n) for n in range(1, 6)] + [work("modest", 10), work("late", 20), work("modest", 11)]
    gate.set()
    results = [future.result(30) for future in futures]
    assert results == [b"1", b"2", b"3", b"4", b"5", b"10", b"20", b"11"]
    assert order == ["greedy", "modest", "late", "greedy", "modest", "greedy", "greedy", "greedy"]
    evaluator.stop()


def test_a_small_batch_is_answered_while_a_large_member_waits():
    """Real batches on two workers: the newcomer's is the next but one to start, not the ninth."""
    group, order = TRUSTEES.group, []
    evaluator = Evaluator(2, 100, 100)

    def submit(member: str, number: int, size: int):
        blinded = voprf.blind(group, [b"%d" % i for i in range(size)], scalars.reduce(os.urandom(64)) * size)
        packed = blinded.encode()

        def work() -> bytes:
            order.append(member)  # when it is begun
            return TRUSTEES.answer(1, group.decode(packed)).evaluated.encode()

        return evaluator.submit(member, key(number), work)

    large = [submit("large", number, 2048) for number in range(8)]
    small = submit("small", 100, 256)
    evaluator.start()
    assert len(small.result(60)) == 32 * 256
    assert "small" in order[:3]
    assert sum(future.done() for future in large) <= 4
    assert [len(future.result(60)) for future in large] == [32 * 2048] * 8
    evaluator.stop()


def test_one_batch_on_an_idle_trustee_is_spread_over_all_cores(monkeypatch):
    """Three cores: three threads are in the multiplication of one batch at the same time, or none gets past it."""
    barrier, seen, multiply = threading.Barrier(3, timeout=60), threading.local(), sodium.point_multiply

    def meet(*arguments):
        if not hasattr(seen, "here"):
            seen.here = True
            barrier.wait()
        return multiply(*arguments)

    group = load_backend("libsodium", 3)
    blinded = group.hash_to_group([b"%d" % i for i in range(1024)], b"tests")
    monkeypatch.setattr(sodium, "point_multiply", meet)
    assert len(group.multiply(TRUSTEES.shares[1].secret, blinded)) == 1024


def test_a_trustee_takes_all_cores_unless_told_otherwise(monkeypatch, tmp_path):
    asked = []

    class StopHereError(Exception):
        pass

    def load(name: str, threads: int):
        asked.append(threads)
        raise StopHereError

    monkeypatch.setattr(app, "load_backend", load)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    home = SimpleNamespace(party=SimpleNamespace(index=1, secretariat="somebody"))
    for options in (TrusteeOptions(), TrusteeOptions(threads=3)):
        with pytest.raises(StopHereError):
            app.assemble(home, ServerSettings(), options)
    assert asked == [7, 3]


def test_the_queue_is_bounded_for_each_member_and_in_all(gate):
    evaluator, started = Evaluator(1, 5, 3), threading.Event()
    evaluator.start()
    evaluator.submit("one", key(0), blocked(gate, started))
    started.wait(30)
    for number in range(1, 4):
        evaluator.submit("one", key(number), bytes)
    with pytest.raises(BusyError):
        evaluator.submit("one", key(4), bytes)
    for number in range(5, 7):
        evaluator.submit("two", key(number), bytes)
    with pytest.raises(BusyError):
        evaluator.submit("three", key(7), bytes)
    assert evaluator.waiting == 5
    evaluator.stop()


def test_a_batch_under_way_is_not_computed_again_and_one_that_failed_may_be_tried_again(gate):
    evaluator, started = Evaluator(1, 5, 5), threading.Event()
    evaluator.start()
    first = evaluator.submit("one", key(0), blocked(gate, started))
    assert evaluator.submit("one", key(0), bytes) is first
    gate.set()
    assert first.result(30) == b"first"

    def fail() -> bytes:
        raise ValueError("a bad point")

    with pytest.raises(ValueError, match="a bad point"):
        evaluator.submit("one", key(1), fail).result(30)
    assert evaluator.submit("one", key(1), lambda: b"now").result(30) == b"now"
    evaluator.stop()


def test_what_waits_at_the_stop_is_refused_and_nothing_more_is_taken(gate):
    evaluator, started = Evaluator(1, 5, 5), threading.Event()
    evaluator.start()
    evaluator.submit("one", key(0), blocked(gate, started))
    started.wait(30)
    waiting = evaluator.submit("one", key(1), bytes)
    evaluator.stop()
    with pytest.raises(BusyError):
        waiting.result(30)
    with pytest.raises(BusyError):
        evaluator.submit("one", key(2), bytes)


def test_answers_are_kept_by_batch_through_a_restart(tmp_path):
    cache = AnswerCache(tmp_path, 1000)
    assert cache.get(key(1)) is None
    cache.put(key(1), b"answer")
    assert AnswerCache(tmp_path, 1000).get(key(1)) == b"answer"
    assert cache.get(("other", "s", b"1")) is None
    cache.remove_epoch("e")
    assert cache.get(key(1)) is None


def test_the_oldest_answers_go_when_there_is_no_room(tmp_path):
    cache = AnswerCache(tmp_path, 1000)
    for number in range(20):
        cache.put(key(number), bytes(100))
        path = tmp_path / "e" / "s" / (b"%d" % number).hex()
        if path.exists():
            os.utime(path, (number, number))
    kept = [number for number in range(20) if cache.get(key(number)) is not None]
    assert kept[-1] == 19
    assert kept == list(range(kept[0], 20))
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 1000
    cache.put(key(99), bytes(2000))  # more than all the room there is: simply not kept
    assert cache.get(key(99)) is None
