"""Claim C2: what nobody spent an evaluation on stays hidden from the secretariat and fewer than t trustees."""

from __future__ import annotations

from benchmarks import attack


def test_plain_hashes_fall_and_the_sealed_index_does_not() -> None:
    directory = attack.sites(120)
    result = attack.run(directory[:40], directory)
    assert result.plain_hashes == 40
    assert result.store_alone == 0
    assert result.store_and_fewer_than_t == 0
    # The same attack with t shares finds everything: it is the shares that stop it, not a mistake in the attack.
    assert result.store_and_t == 40
