"""Take over a window's shuffled records from the shuffler: page by page, then as a whole, then onto the board.

The list of their hashes is on disk before the hand-over is on the board: whoever misses a record is told by it whether
the shuffler or the secretariat lost it. A hand-over that proves that the shuffler cheats is refused and kept.
"""

from __future__ import annotations

from tacit_protocol import handover_evidence, messages, shuffle, signing
from tacit_protocol.errors import UploadError
from tacit_protocol.handover import is_signed, make_list
from tacit_protocol.handover_evidence import BadHandover
from tacit_protocol.messages import BoardEntry, Handover
from tacit_protocol.shuffle import PAGE_RECORDS, UPLOAD_BYTES
from tacit_protocol.signing import Signed
from tacit_server.errors import ConflictError, ForbiddenError
from tacit_server.files import write_atomically
from tacit_server.observing import log
from tacit_server.secretariat import rounds
from tacit_server.secretariat.keeper import Keeper, keep_evidence
from tacit_server.secretariat.publish import Shelves

PAGE_BYTES = PAGE_RECORDS * UPLOAD_BYTES
Place = tuple[str, str, int]  # epoch, stream, window


def receive_page(keeper: Keeper, shelves: Shelves, signer: str, place: Place, number: int, page: bytes) -> None:
    """Store one page; sending it again replaces it, until the hand-over is being completed."""
    with shelves.gate.writing(place):
        _store_page(keeper, shelves, signer, place, number, page)


def _store_page(keeper: Keeper, shelves: Shelves, signer: str, place: Place, number: int, page: bytes) -> None:
    with keeper.view() as board:
        _expect(keeper, signer, place)
        committed = sum(c.count for _, c in board.uploads.values() if (c.epoch, c.stream) == place[:2])
    # More pages than all commitments together hold records would only fill the disk.
    if number >= max(committed, 1):
        raise UploadError(f"page {number} is beyond the {committed} records that members committed to", party=signer)
    if len(page) % UPLOAD_BYTES or not page:
        raise UploadError(f"a page has whole records of {UPLOAD_BYTES} bytes, got {len(page)} bytes", party=signer)
    shelves.pages(*place).write(number, page)


def complete(keeper: Keeper, shelves: Shelves, signer: str, place: Place, message: Signed) -> tuple[BoardEntry, bool]:
    """Check the pages against the signed list, keep the list and put the hand-over on the board (SPEC step U5).

    Repeating it gives the same entry.
    """
    handover = messages.body_of(message, Handover)
    if (handover.epoch, handover.stream, handover.window) != place:
        raise UploadError("the hand-over is about another window than the one it is posted to", party=signer)
    if message.signer != signer:
        raise ForbiddenError(f"the hand-over is signed by {message.signer}, the request by {signer}", party=signer)
    with shelves.gate.judging(place):
        return _complete(keeper, shelves, place, message, handover)


def _complete(
    keeper: Keeper, shelves: Shelves, place: Place, message: Signed, handover: Handover
) -> tuple[BoardEntry, bool]:
    signer = message.signer
    with keeper.view() as board:
        if (known := board.handovers.get(place)) is not None:
            if known != handover:
                raise ConflictError("this window was handed over already, with other records", party=signer)
            return keeper.append(message)
        _expect(keeper, signer, place)
        manifest = board.manifest(place[0])
        signing.verify(manifest.trustee(manifest.shuffler).signing_key, message)
    hashes = _list_of_pages(shelves, handover, signer)
    _refuse_fault(keeper, message, handover, hashes)
    _verify_digest(handover, hashes, signer)
    write_atomically(shelves.handover_list(*place), hashes)
    return keeper.append(message)


def _expect(keeper: Keeper, signer: str, place: Place) -> None:
    with keeper.view() as board:
        if signer != rounds.shuffler_name(board, place[0]):
            raise ForbiddenError(f"only the shuffler of epoch {place[0]} hands over", party=signer)
        rounds.expect_handover(board, *place)


def _list_of_pages(shelves: Shelves, handover: Handover, party: str) -> bytes:
    pages = shelves.pages(handover.epoch, handover.stream, handover.window)
    sizes = pages.sizes()
    if list(sizes) != list(range(len(sizes))):
        raise UploadError(f"a page of the hand-over is missing: {len(sizes)} pages are here", party=party)
    return make_list(shuffle.record_hashes(pages.pages()))


def _refuse_fault(keeper: Keeper, message: Signed, handover: Handover, hashes: bytes) -> None:
    with keeper.view() as board:
        wrong = handover_evidence.fault(board, handover, hashes)
        shuffler = f"trustee {board.manifest(handover.epoch).shuffler}"
        key = board.secretariat_key
    if wrong is None:
        return
    name = f"handover-{handover.epoch}-{handover.stream}-{handover.window}.json"
    path, new = keep_evidence(keeper.home, name, BadHandover(key, message, hashes))
    if new:  # the shuffler tries again and again
        log.error("hand-over refused", reason=wrong, party=shuffler, evidence=str(path))
    raise UploadError(f"the hand-over breaks a rule: {wrong}", party=shuffler, evidence={"window": handover.window})


def _verify_digest(handover: Handover, hashes: bytes, party: str) -> None:
    count = len(hashes) // shuffle.HASH_BYTES
    if count != handover.count:
        raise UploadError(
            f"the hand-over says {handover.count} records, its pages hold {count}",
            party=party,
            evidence={"promised": handover.count, "received": count},
        )
    if not is_signed(handover, hashes):
        raise UploadError("the pages of the hand-over are not the ones its digest is over", party=party)
