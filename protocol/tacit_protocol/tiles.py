"""C2SP tlog-tiles: names and contents of the files that a log consists of. Where they are kept is the caller's.

A tile holds up to 256 neighbouring hashes at every eighth level; an entry bundle holds the entries of a level-0 tile,
each after its length in two bytes. The rightmost ones are partial, and named by their width.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tacit_protocol.errors import EncodingError, ProofError
from tacit_protocol.merkle import HASH_BYTES, NodeReader, Tree, leaf_hash, node_hash

WIDTH, HEIGHT = 256, 8
MAX_LEVEL = 63
MAX_ENTRY_BYTES = 0xFFFF
_NUMBER = r"(?:x[0-9]{3}/)*[0-9]{3}"
_PATH = re.compile(rf"tile/(entries|0|[1-9][0-9]?)/({_NUMBER})(?:\.p/([1-9][0-9]{{0,2}}))?")


@dataclass(frozen=True, slots=True)
class TileName:
    """A tile (``level`` 0 to 63) or an entry bundle (``level`` None); ``width`` below 256 is a partial one."""

    level: int | None
    index: int
    width: int = WIDTH

    def path(self) -> str:
        """Return the path below the log's prefix."""
        level = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{_number(self.index)}{partial}"


def parse_path(path: str) -> TileName:
    """Return what a path names; raises :class:`EncodingError` unless it is in the one form that :meth:`path` gives."""
    match = _PATH.fullmatch(path)
    if match is not None:
        level = None if match[1] == "entries" else int(match[1])
        name = TileName(level, int(re.sub("[x/]", "", match[2])), int(match[3] or WIDTH))
        if (level or 0) <= MAX_LEVEL and (match[3] is None or name.width < WIDTH) and name.path() == path:
            return name
    raise EncodingError("no tile of a log has this path")


def grown(old: int, new: int) -> Iterator[TileName]:
    """Yield every tile and bundle that a tree of ``new`` leaves has and one of ``old`` leaves had not."""
    level, before, after = 0, old, new
    while after:
        for index in range(before // WIDTH, -(-after // WIDTH)):
            width = min(WIDTH, after - index * WIDTH)
            if not (index * WIDTH + width <= before):
                if level == 0:
                    yield TileName(None, index, width)
                yield TileName(level, index, width)
        level, before, after = level + 1, before // WIDTH, after // WIDTH


def tile(tree: Tree, name: TileName) -> bytes:
    """Return a tile's content: ``width`` packed hashes."""
    if name.level is None:
        raise ValueError("an entry bundle is made by encode_bundle")
    return tree.nodes(HEIGHT * name.level, WIDTH * name.index, name.width)


def encode_bundle(leaves: Iterable[bytes]) -> bytes:
    """Return an entry bundle: each leaf after its length in two bytes, big-endian."""
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def decode_bundle(data: bytes, count: int, party: str = "secretariat") -> list[bytes]:
    """Return the ``count`` leaves of a bundle; raises :class:`EncodingError` when it holds more or less."""
    leaves: list[bytes] = []
    position = 0
    while position < len(data) and len(leaves) < count:
        length = int.from_bytes(data[position : position + 2], "big")
        leaf = data[position + 2 : position + 2 + length]
        if position + 2 > len(data) or len(leaf) != length:
            raise EncodingError("an entry bundle ends inside an entry", party=party)
        leaves.append(leaf)
        position += 2 + length
    if position != len(data) or len(leaves) != count:
        raise EncodingError(f"an entry bundle does not hold {count} entries", party=party)
    return leaves


def verify_bundle(leaves: Sequence[bytes], hashes: bytes, party: str = "secretariat") -> None:
    """Raise :class:`ProofError` unless the leaves are those of a level-0 tile."""
    if b"".join(map(leaf_hash, leaves)) != hashes:
        raise ProofError("an entry bundle holds other entries than its tile has hashes of", party=party)


def node_reader(size: int, fetch: Callable[[TileName], bytes]) -> NodeReader:
    """Return a reader of complete subtrees over the tiles of a tree of ``size`` leaves, each fetched once."""
    kept: dict[TileName, bytes] = {}

    def read(level: int, index: int) -> bytes:
        tile_level, within = divmod(level, HEIGHT)
        first = index << within  # in hashes of the tile's level
        number = first // WIDTH
        width = min(WIDTH, (size >> (HEIGHT * tile_level)) - number * WIDTH)
        name = TileName(tile_level, number, width)
        if name not in kept:
            kept[name] = fetch(name)
            if len(kept[name]) != HASH_BYTES * width:
                raise EncodingError(f"tile {name.path()} does not hold {width} hashes", party="secretariat")
        start = first % WIDTH
        hashes = [kept[name][HASH_BYTES * i : HASH_BYTES * (i + 1)] for i in range(start, start + (1 << within))]
        while len(hashes) > 1:
            hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
        return hashes[0]

    return read


def _number(index: int) -> str:
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
