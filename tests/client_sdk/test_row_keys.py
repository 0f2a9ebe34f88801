"""The keys of a list's rows: each derived once, when it is its turn, in an order that says nothing of the list's."""

from __future__ import annotations

import secrets
from itertools import islice
from unittest import mock

from support.world import site
from tacit_client import row_keys
from tacit_client.row_keys import RowKeys
from tacit_matcher.keys import match_keys
from tacit_matcher.normalise import NormalSite, normalise_site
from tacit_matcher.records import Site

SITES = [site(number) for number in range(40)]


def keep(normal: NormalSite) -> str:
    return f"kept of {normal}"


def silent(stage: str, done: int, total: int) -> None:
    return None


def test_rows_have_the_keys_of_their_sites_in_the_lists_order() -> None:
    rows = RowKeys([*SITES, Site("X")], {}, silent, secrets.token_bytes, keep)
    for row, each in zip(rows, SITES, strict=False):
        keys = match_keys(each)
        assert row.inputs == tuple(key.encode() for key in keys)
        assert row.types == tuple(key.key_type for key in keys)
        assert row.kept == keep(normalise_site(each))
    assert rows[len(SITES)].inputs == ()
    assert sorted(rows.inputs()) == sorted(value for row in rows for value in row.inputs)


def test_a_row_is_derived_when_it_is_its_turn_and_once() -> None:
    with mock.patch.object(row_keys, "match_keys", side_effect=match_keys) as derive:
        rows = RowKeys(SITES, {}, silent, secrets.token_bytes, keep)
        drawn = rows.inputs()
        assert derive.call_count == 0
        next(drawn)
        assert derive.call_count == 1
        list(drawn)
        list(rows)
        assert derive.call_count == len(SITES)


def test_the_order_is_random_and_keeps_a_rows_inputs_together() -> None:
    firsts = set()
    for _ in range(20):
        rows = RowKeys(SITES, {}, silent, secrets.token_bytes, keep)
        drawn = list(rows.inputs())
        (first,) = (position for position, row in enumerate(rows) if row.inputs == tuple(drawn[: len(row.inputs)]))
        firsts.add(first)
    assert len(firsts) > 1  # all twenty alike: once in 40^19


def test_a_total_is_what_the_rows_so_far_lead_to_expect() -> None:
    told: list[tuple[str, int, int]] = []

    def progress(stage: str, done: int, total: int) -> None:
        told.append((stage, done, total))

    rows = RowKeys(SITES, {}, progress, secrets.token_bytes, keep)
    rows.whole("blind evaluation", 0, 2048)
    rows[0], rows[1], rows[2], rows[3]
    rows.whole("blind evaluation", 1024, 2048)
    list(islice(rows.inputs(), 10**6))
    rows.whole("blind evaluation", 2048, 2048)
    assert [facts for facts in told if facts[0] == "blind evaluation"] == [
        ("blind evaluation", 0, 2048), ("blind evaluation", 1024, 20480), ("blind evaluation", 2048, 2048),
    ]  # fmt: skip
    assert told[-2] == ("match keys", 40, 40)
