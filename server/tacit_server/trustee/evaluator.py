"""The queue of batches to evaluate: bounded, fair between members, each batch computed once.

The group back end releases the interpreter's lock, so threads are enough. A member that sends many batches waits for
itself: the next batch is always that of the member who has waited longest for a turn.
"""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tacit_protocol import answers, wire
from tacit_protocol.answers import Question
from tacit_protocol.group import UNIFORM_BYTES, Backend
from tacit_protocol.threshold import evaluate_share
from tacit_server.errors import BusyError
from tacit_server.trustee.keystore import LoadedShare

BatchKey = tuple[str, str, bytes]  # epoch, stream, digest


@dataclass(frozen=True, slots=True)
class _Job:
    key: BatchKey
    work: Callable[[], bytes]
    future: Future[bytes]


def evaluate(
    group: Backend, share: LoadedShare, signing_key: Ed25519PrivateKey, question: Question, blinded: bytes
) -> bytes:
    """Return the signed answer to a batch; raises EncodingError on a bad point (SPEC step E3).

    Nothing is signed before the batch has decoded: a member cannot get a signature for a batch of bad points.
    """
    elements = wire.decode_batch(group, blinded)
    random = secrets.token_bytes(UNIFORM_BYTES)
    answer = evaluate_share(group, share.secret, share.public, elements, question.binding, random)
    return answers.sign(signing_key, question, wire.encode_content(answer))


class Evaluator:
    """Worker threads over one queue for each member."""

    def __init__(self, workers: int, most: int, most_per_member: int) -> None:
        self._most, self._most_per_member = most, most_per_member
        self._queues: OrderedDict[str, deque[_Job]] = OrderedDict()
        self._under_way: dict[BatchKey, Future[bytes]] = {}
        self._changed = threading.Condition()
        self._stopped = False
        # Daemons: a computation that runs at the stop is thrown away, the member asks again.
        self._threads = [
            threading.Thread(target=self._run, name=f"tacit-evaluator-{i}", daemon=True) for i in range(workers)
        ]

    def start(self) -> None:
        """Start the workers."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Refuse everything that waits."""
        with self._changed:
            self._stopped = True
            waiting = [job for queue in self._queues.values() for job in queue]
            self._queues.clear()
            self._changed.notify_all()
        for job in waiting:
            job.future.set_exception(BusyError("this trustee is stopping: ask again in a moment"))

    @property
    def waiting(self) -> int:
        """Return how many batches wait."""
        with self._changed:
            return sum(map(len, self._queues.values()))

    def submit(self, member: str, key: BatchKey, work: Callable[[], bytes]) -> Future[bytes]:
        """Queue a batch; the same batch asked for twice is computed once. Raises :class:`BusyError` when full."""
        with self._changed:
            if self._stopped:
                raise BusyError("this trustee is stopping: ask again in a moment")
            if key in self._under_way:
                return self._under_way[key]
            queue = self._queues.get(member, deque())
            if len(queue) >= self._most_per_member or sum(map(len, self._queues.values())) >= self._most:
                raise BusyError("too many batches wait here: ask again in a moment", party=member)
            job = _Job(key, work, Future())
            queue.append(job)
            self._queues.setdefault(member, queue)
            self._under_way[key] = job.future
            self._changed.notify()
            return job.future

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queues and not self._stopped:
                    self._changed.wait()
                if self._stopped:
                    return
                job = self._take()
            try:
                result = job.work()
            except BaseException as error:
                self._done(job)
                job.future.set_exception(error)
            else:
                self._done(job)
                job.future.set_result(result)

    def _take(self) -> _Job:
        member, queue = self._queues.popitem(last=False)
        job = queue.popleft()
        if queue:
            self._queues[member] = queue  # to the end of the line
        return job

    def _done(self, job: _Job) -> None:
        with self._changed:
            self._under_way.pop(job.key, None)
