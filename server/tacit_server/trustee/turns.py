"""What a trustee does after each look at the board: its ceremony messages, its hand-overs, erasing what is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tacit_protocol.messages import Erasure, Manifest
from tacit_protocol.signing import Signed
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
    _waits: dict[bytes, int] = field(default_factory=dict)  # signature of a message: the entry to wait for

    def work(self) -> bool:
        """Do what is due; returns True when something was posted, so that it is worth looking again at once."""
        posted = self._post_ceremony()
        posted |= self._hand_over()
        self._tidy()
        posted |= self._erase()
        return posted

    def _post_ceremony(self) -> bool:
        with self.follower.lock:
            due = self.ceremonies.due(self.follower.board, self.now())
        sent = [self._post(message) for message in due]
        return any(sent)

    def _post(self, message: Signed) -> bool:
        """Post a message unless it is on its way onto the log already; tell whether it was sent."""
        size = self.follower.board.size
        if self._waits.get(message.signature, -1) >= size:
            return False
        try:
            self._waits[message.signature] = self.upstream.post(message).sequence
        except RefusedError as error:
            self._waits[message.signature] = size  # until something changes the answer would be the same
            log.warning("message refused", kind=message.kind, reason=error.message)
            return False
        return True

    def _hand_over(self) -> bool:
        posted = False
        for manifest, place in self._shuffled():
            with self.follower.lock:
                board = self.follower.board
                done = max((w for (e, s, w) in board.handovers if (e, s) == place), default=0)
                closed, handed_over = board.closed_windows.get(place, 0), board.handed_over(*place)
                size = board.size
            if done < closed:
                window = done + 1
                signed = self.shuffler.prepare(place, window, manifest.minimum_contributors, handed_over)
                if self._waits.get(signed.signature, -1) < size:
                    posted |= self._deliver(signed, place, window)
        return posted

    def _deliver(self, signed: Signed, place: Place, window: int) -> bool:
        try:
            self._waits[signed.signature] = self.shuffler.deliver(signed).sequence
        except RefusedError as error:
            # Tried again at the next turn, when a page may be there that was missing; other streams do not wait for it.
            log.warning("hand-over refused", epoch=place[0], stream=place[1], window=window, reason=error.message)
            return False
        return True

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

    def _erase(self) -> bool:
        """Erase what is over, and say so on the log: first the deed, then the word, the same word after a restart."""
        with self.follower.lock:
            board = self.follower.board
            manifests = list(board.ledger.manifests.values())
            said = {epoch for epoch, senders in board.erased.items() if self.ceremonies.index in senders}
        posted = False
        for manifest in manifests:
            if self.now() < manifest.closes + self.erase_after_seconds:
                continue
            if manifest.epoch not in self._erased:
                shares = self.keystore.erase_epoch(manifest.epoch)
                self.answers.remove_epoch(manifest.epoch)
                self.shuffler.erase_epoch(manifest)
                self._erased.add(manifest.epoch)
                if shares:
                    log.info("key shares erased", epoch=manifest.epoch, shares=shares)
            if manifest.epoch not in said and self.ceremonies.takes_part(manifest):
                posted |= self._post(self.ceremonies.sign(Erasure(manifest.epoch, self.ceremonies.index)))
        return posted

    def _shuffled(self) -> Iterator[tuple[Manifest, Place]]:
        """Yield the streams in which this trustee shuffles."""
        with self.follower.lock:
            manifests = list(self.follower.board.ledger.manifests.values())
        for manifest in manifests:
            if manifest.shuffler == self.ceremonies.index and self.ceremonies.takes_part(manifest):
                for stream in manifest.streams:
                    yield manifest, (manifest.epoch, stream)
