"""The list of a hand-over: the hash of every record in it, ascending, under the digest that the shuffler signed.

It tells shuffler and secretariat apart. A record that was receipted and is not in the list, the shuffler lost; one that
is in the list and not in the index, the secretariat left out. Ascending hashes say nothing of the order, and nothing of
whose they are: only shuffler and secretariat ever hold what they are hashes of (SPEC step U5).
"""

from __future__ import annotations

import hashlib
import hmac
from bisect import bisect_left
from collections.abc import Iterable
from itertools import pairwise

from tacit_protocol.errors import HandoverListError
from tacit_protocol.messages import Handover
from tacit_protocol.shuffle import HASH_BYTES


def make_list(hashes: Iterable[bytes]) -> bytes:
    """Return the list over record hashes in any order, packed; a hash that comes twice stays there twice."""
    return b"".join(sorted(hashes))


def list_digest(epoch: str, stream: str, window: int, packed: bytes) -> bytes:
    """Return the digest over a list that the shuffler signs; the list of an empty hand-over has no bytes."""
    place = b"|".join((b"tacit/1 handover", epoch.encode(), stream.encode(), b"%d" % window))
    return hashlib.sha512(place + b"\x00" + packed).digest()


def is_signed(handover: Handover, packed: bytes) -> bool:
    """Tell whether this is the list that the shuffler signed for."""
    digest = list_digest(handover.epoch, handover.stream, handover.window, packed)
    return hmac.compare_digest(digest, handover.digest)


def fault(handover: Handover, packed: bytes) -> str | None:
    """Return in words what the shuffler did wrong in a list that it signed for, or None."""
    if len(packed) != HASH_BYTES * handover.count:
        return f"it says {handover.count} records, its list has {len(packed) // HASH_BYTES}"
    hashes = [packed[i : i + HASH_BYTES] for i in range(0, len(packed), HASH_BYTES)]
    repeated = sum(one == other for one, other in pairwise(hashes))
    if repeated:
        return f"{repeated} of its records are copies of others in it"
    if any(one > other for one, other in pairwise(hashes)):
        return "its list is not in ascending order"
    return None


def verify_list(handover: Handover, packed: bytes) -> None:
    """Raise :class:`HandoverListError` unless this is the whole list of a hand-over, in order and without repeats.

    One that is not the signed one is the secretariat's to explain, which shows it; a signed one with a fault is the
    shuffler's.
    """
    place = f"{handover.epoch}/{handover.stream} window {handover.window}"
    if not is_signed(handover, packed):
        raise HandoverListError(
            f"the list of the hand-over of {place} is not the one that the shuffler signed",
            party="secretariat",
            evidence={"signed": handover.digest.hex(), "records": len(packed) // HASH_BYTES},
        )
    wrong = fault(handover, packed)
    if wrong is not None:
        raise HandoverListError(f"the hand-over of {place} breaks a rule: {wrong}", party="shuffler")


def holds(packed: bytes, record_hash: bytes) -> bool:
    """Tell whether a list that was verified holds a record."""
    places = range(0, len(packed), HASH_BYTES)
    at = HASH_BYTES * bisect_left(places, record_hash, key=lambda i: packed[i : i + HASH_BYTES])
    return packed[at : at + HASH_BYTES] == record_hash
