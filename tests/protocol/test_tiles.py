from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit_protocol import merkle, tiles
from tacit_protocol.errors import EncodingError, ProofError
from tacit_protocol.tiles import TileName


def leaves(count: int) -> list[bytes]:
    return [b"entry %d" % i for i in range(count)]


def tree_of(count: int) -> merkle.Tree:
    tree = merkle.Tree()
    for leaf in leaves(count):
        tree.append(merkle.leaf_hash(leaf))
    return tree


BIG = tree_of(70_000)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (TileName(0, 1234067), "tile/0/x001/x234/067"),
        (TileName(0, 0), "tile/0/000"),
        (TileName(1, 999, 17), "tile/1/999.p/17"),
        (TileName(None, 1000), "tile/entries/x001/000"),
        (TileName(None, 273, 112), "tile/entries/273.p/112"),
        (TileName(63, 5), "tile/63/005"),
    ],
)
def test_paths_are_those_of_the_specification(name: TileName, path: str) -> None:
    assert name.path() == path
    assert tiles.parse_path(path) == name


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/1", "tile/00/001", "tile/64/001", "tile/0/x000/001", "tile/0/001.p/0", "tile/0/001.p/256",
        "tile/0/001.p/01", "tile/data/001", "tile/0/../001", "tile/0/001/", "tile/0/001.p/", "tile/0/x001/x234",
        "tile/0/٠٠١", "checkpoint", "tile/0/001\n",
    ],
)  # fmt: skip
def test_other_paths_name_nothing(path: str) -> None:
    with pytest.raises(EncodingError):
        tiles.parse_path(path)


def test_the_specifications_example_of_a_tree() -> None:
    names = list(tiles.grown(0, 70_000))
    for level, full, partial in ((0, 273, 112), (1, 1, 17), (2, 0, 1)):
        here = [name for name in names if name.level == level]
        assert sum(name.width == 256 for name in here) == full
        assert [name.width for name in here if name.width < 256] == [partial]
    assert sum(name.level is None for name in names) == 274
    of_256 = {name.path() for name in tiles.grown(0, 256)}
    assert of_256 == {"tile/entries/000", "tile/0/000", "tile/1/000.p/1"}


@given(st.lists(st.integers(0, 70_000), min_size=2, max_size=6))
def test_what_grew_is_everything_that_changed(sizes: list[int]) -> None:
    sizes = sorted(sizes)
    step_by_step = {name for old, new in itertools.pairwise(sizes) for name in tiles.grown(old, new)}
    final = set(tiles.grown(0, sizes[-1]))
    before = set(tiles.grown(0, sizes[0]))
    assert final <= step_by_step | before
    assert not step_by_step & before


@given(st.integers(1, 70_000), st.data())
def test_proofs_are_computed_from_tiles_alone(size: int, data: st.DataObject) -> None:
    fetched = []

    def fetch(name: TileName) -> bytes:
        fetched.append(name)
        return tiles.tile(BIG, tiles.parse_path(name.path()))

    read = tiles.node_reader(size, fetch)
    assert merkle.range_hash(read, 0, size) == BIG.root(size)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    assert merkle.inclusion_proof(read, index, size) == BIG.inclusion_proof(index, size)
    assert merkle.consistency_proof(read, old, size) == BIG.consistency_proof(old, size)
    assert len(fetched) == len(set(fetched))
    assert set(fetched) <= set(tiles.grown(0, size))


def test_a_tile_of_another_width_is_refused() -> None:
    with pytest.raises(EncodingError, match="does not hold"):
        merkle.range_hash(tiles.node_reader(5, lambda _: bytes(32 * 4)), 0, 5)


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_a_bundle_holds_its_entries(data: list[bytes]) -> None:
    packed = tiles.encode_bundle(data)
    assert tiles.decode_bundle(packed, len(data)) == data
    tiles.verify_bundle(data, b"".join(map(merkle.leaf_hash, data)))
    for wrong, count in ((packed + b"\x00", len(data)), (packed, len(data) + 1), (packed[:-1], len(data))):
        if packed or count or wrong:
            with pytest.raises(EncodingError):
                tiles.decode_bundle(wrong, count)


def test_the_largest_entry_fits_and_another_entry_is_noticed() -> None:
    data = [bytes(tiles.MAX_ENTRY_BYTES)]
    assert tiles.decode_bundle(tiles.encode_bundle(data), 1) == data
    with pytest.raises(ProofError):
        tiles.verify_bundle([b"other"], merkle.leaf_hash(data[0]))
