"""What a trustee does after each look at the board: its ceremony messages, its hand-overs, erasing what is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tacit_protocol.messages import Manifest
from tacit_server.observing import log
from tacit_server.trustee.answers import AnswerCache
from tacit_server.trustee.ceremony import Ceremonies
from tacit_server.trustee.follower import Follower
from tacit_server.trustee.keystore import Keystore
from tacit_server.trustee.shuffler import Shuffler
from tacit_server.trustee.store import Place
from tacit_server.trustee.upstream import RefusedError, Upstream


@dataclass
class Turns:
    """One call of :meth:`work` a turn; it runs in the follower's thread."""

    follower: Follower
    ceremonies: Ceremonies
    shuffler: Shuffler
    keystore: Keystore
    answers: AnswerCache
    upstream: Upstream
    erase_after_seconds: int
    now: Callable[[], int]
    _erased: set[str] = field(default_factory=set)
    _refused: dict[bytes, int] = field(default_factory=dict)  # message: the board's size when it was refused

    def work(self) -> bool:
        """Do what is due; returns True when something was posted, so that it is worth looking again at once."""
        posted = self._post_ceremony()
        posted |= self._hand_over()
        self._tidy()
        self._erase()
        return posted

    def _post_ceremony(self) -> bool:
        with self.follower.lock:
            due = self.ceremonies.due(self.follower.board, self.now())
            size = self.follower.board.size
        posted = False
        for message in due:
            if self._refused.get(message.signature) == size:
                continue  # nothing has changed since, so the answer would be the same
            try:
                self.upstream.post(message)
                posted = True
            except RefusedError as error:
                self._refused[message.signature] = size
                log.warning("ceremony message refused", kind=message.kind, reason=error.message)
        return posted

    def _hand_over(self) -> bool:
        posted = False
        for manifest, place in self._shuffled():
            with self.follower.lock:
                board = self.follower.board
                done = max((w for (e, s, w) in board.handovers if (e, s) == place), default=0)
                closed, handed_over = board.closed_windows.get(place, 0), board.handed_over(*place)
            if done < closed:
                window = done + 1
                signed = self.shuffler.prepare(place, window, manifest.minimum_contributors, handed_over)
                self.shuffler.deliver(signed)
                posted = True
        return posted

    def _tidy(self) -> None:
        for _, place in self._shuffled():
            with self.follower.lock:
                board = self.follower.board
                done = max((w for (e, s, w) in board.handovers if (e, s) == place), default=0)
                handed_over = board.handed_over(*place)
                late = [
                    entry
                    for entry, (_, commitment) in board.uploads.items()
                    if (commitment.epoch, commitment.stream) == place and commitment.window <= done
                ]
            if done:
                self.shuffler.tidy(place, done, handed_over, late)

    def _erase(self) -> None:
        with self.follower.lock:
            manifests = list(self.follower.board.ledger.manifests.values())
        for manifest in manifests:
            if manifest.epoch in self._erased or self.now() < manifest.closes + self.erase_after_seconds:
                continue
            shares = self.keystore.erase_epoch(manifest.epoch)
            self.answers.remove_epoch(manifest.epoch)
            self.shuffler.erase_epoch(manifest)
            self._erased.add(manifest.epoch)
            if shares:
                log.info("key shares erased", epoch=manifest.epoch, shares=shares)

    def _shuffled(self) -> Iterator[tuple[Manifest, Place]]:
        """Yield the streams in which this trustee shuffles."""
        with self.follower.lock:
            manifests = list(self.follower.board.ledger.manifests.values())
        for manifest in manifests:
            if manifest.shuffler == self.ceremonies.index and self.ceremonies.takes_part(manifest):
                for stream in manifest.streams:
                    yield manifest, (manifest.epoch, stream)
