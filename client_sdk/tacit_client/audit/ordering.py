"""Order a query audit: which batches, by hand or drawn by lot, and which state of the log chooses the positions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tacit_protocol.board import Board
from tacit_protocol.errors import QueryAuditError
from tacit_protocol.messages import MAX_AUDITED_GRANTS, QueryAuditOrder

NONCE_BYTES = 32
Draw = Callable[[int], bytes]


def candidates(board: Board, member: str | None, epoch: str | None, stream: str | None) -> list[int]:
    """Return the entries of all grants that fit and were not audited yet."""
    found = []
    for entry, (name, grant) in board.audits.granted.items():
        wanted = (member or name, epoch or grant.epoch, stream or grant.stream)
        if wanted == (name, grant.epoch, grant.stream) and not board.audits.audited(entry):
            found.append(entry)
    return found


def draw_lots(entries: Sequence[int], number: int, draw: Draw) -> list[int]:
    """Return ``number`` of the entries by lot; 16 random bytes order each, so that none is likelier than another."""
    tickets = {entry: draw(16) for entry in entries}
    return sorted(sorted(entries, key=tickets.__getitem__)[:number])


def make_orders(board: Board, entries: Sequence[int], positions: int, draw: Draw) -> list[QueryAuditOrder]:
    """Return one order for each member, epoch and stream among the granted ``entries``.

    The newest state of the log chooses the positions; the nonce is drawn now, after that state is fixed.
    """
    grouped: dict[tuple[str, str, str], list[int]] = {}
    for entry in entries:
        if entry not in board.audits.granted:
            raise QueryAuditError(f"entry {entry} of the log is no grant")
        member, grant = board.audits.granted[entry]
        grouped.setdefault((member, grant.epoch, grant.stream), []).append(entry)
    orders = []
    for place, numbers in grouped.items():
        for start in range(0, len(numbers), MAX_AUDITED_GRANTS):
            chosen = tuple(numbers[start : start + MAX_AUDITED_GRANTS])
            root = board.tree.root()
            orders.append(QueryAuditOrder(*place, chosen, positions, board.size, root, draw(NONCE_BYTES)))
    return orders
