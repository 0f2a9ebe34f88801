"""The round that the benchmarks measure is a real one: what is contributed is found, and every cost has an owner."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.in_memory import EPOCH, STREAM, RoundInMemory, audited, costs_of, planned

from benchmarks import parts, synthetic_index
from tacit_client.vault import Vault
from tacit_protocol import shuffle
from tacit_protocol.index_file import IndexFile, chunks, root_of


@pytest.fixture(scope="module")
def contributed(tmp_path_factory: pytest.TempPathFactory) -> tuple[RoundInMemory, list[bytes]]:
    round_ = RoundInMemory("auto", tmp_path_factory.mktemp("round") / "member")
    costs, _ = costs_of(round_, lambda: round_.contribute(audited(range(5))))
    assert min(costs.member_group, costs.member_rest, costs.per_trustee) > 0
    assert costs.sent > 2 * 2048 * 32 + 64 * shuffle.UPLOAD_BYTES
    uploads = [upload for page in round_.trustees[0].pages.values() for upload in shuffle.split_page(page)]
    return round_, [shuffle.open_at_secretariat(round_.agreement_key, EPOCH, STREAM, upload) for upload in uploads]


def test_what_was_contributed_is_found_among_random_records(
    contributed: tuple[RoundInMemory, list[bytes]], tmp_path: Path
) -> None:
    round_, real = contributed
    root = synthetic_index.write(tmp_path / EPOCH / STREAM, 200, real)
    round_.vault = Vault.create(tmp_path / "somebody else")
    report = round_.check(planned(range(10)), root, tmp_path)
    assert [row.status for row in report.rows] == ["assessed"] * 5 + ["not found"] * 5


def test_a_synthetic_index_is_in_order_and_under_its_root(
    contributed: tuple[RoundInMemory, list[bytes]], tmp_path: Path
) -> None:
    root = synthetic_index.write(tmp_path, 300, contributed[1])
    data = (tmp_path / f"{root.root.hex()}.index").read_bytes()
    assert root_of(chunks(data)) == root.root
    index = IndexFile(data)
    index.verify(root)
    for sealed in contributed[1]:
        assert index.record(sealed[:32]) == sealed[:272]
        tags = [sealed[at : at + 12] for at in range(272, len(sealed), 52)]
        assert all(list(index.find(tag)) for tag in tags)


def test_the_parts_of_a_command_are_all_met_and_add_up() -> None:
    figures = parts.run("auto", records=10, plans=10, index=100)
    for command, own in (("contribution", "sealing to the secretariat (HPKE)"), ("check", "looking up and opening")):
        assert {"trustees", "match keys", "vault", own} <= figures[command].keys()
        assert all(ratio >= 0 for ratio in figures[command].values())
    assert figures["contribution"].keys() | figures["check"].keys() == {*parts.PARTS, "all the rest"}
