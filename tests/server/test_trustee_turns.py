"""A turn of a trustee: what one stream is refused does not keep the others waiting."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from tacit_protocol.signing import Signed
from tacit_server.trustee.turns import Turns
from tacit_server.trustee.upstream import RefusedError

EPOCH, STREAMS = "2026-h2", ("social-audit", "ecovadis")


class FakeShuffler:
    """Two hand-overs are due; the secretariat refuses that of ``refused``."""

    def __init__(self) -> None:
        self.refused, self.tried, self.delivered = "social-audit", [], []

    def prepare(self, place: tuple[str, str], window: int, *_: Any) -> Signed:
        return Signed("handover", "a" * 16, place[1].encode(), place[1].encode().ljust(64))

    def deliver(self, signed: Signed) -> SimpleNamespace:
        stream = signed.body.decode()
        self.tried.append(stream)
        if stream == self.refused:
            raise RefusedError("a page of the hand-over is missing")
        self.delivered.append(stream)
        return SimpleNamespace(sequence=9)


def turns(shuffler: FakeShuffler) -> Turns:
    manifest = SimpleNamespace(epoch=EPOCH, streams=STREAMS, shuffler=3, minimum_contributors=1)
    board = SimpleNamespace(
        ledger=SimpleNamespace(manifests={EPOCH: manifest}),
        handovers={},
        closed_windows={(EPOCH, stream): 1 for stream in STREAMS},
        handed_over=lambda *_: set(),
        size=9,
    )
    stand_ins: dict[str, Any] = {
        "follower": SimpleNamespace(lock=threading.RLock(), board=board),
        "ceremonies": SimpleNamespace(index=3, takes_part=lambda _: True),
        "shuffler": shuffler,
    }
    return Turns(**stand_ins, keystore=None, answers=None, upstream=None, erase_after_seconds=0, now=lambda: 0)  # type: ignore[arg-type]


def test_a_refused_hand_over_lets_the_other_streams_go_on_and_is_tried_again() -> None:
    shuffler = FakeShuffler()
    work = turns(shuffler)
    assert work._hand_over()
    assert shuffler.delivered == ["ecovadis"]
    assert not work._hand_over()  # what was delivered waits for its entry
    assert shuffler.tried == ["social-audit", "ecovadis", "social-audit"]
    shuffler.refused = ""
    assert work._hand_over()
    assert shuffler.delivered == ["ecovadis", "social-audit"]
