"""The columns a list may have."""

from __future__ import annotations

from collections import Counter

from tacit_matcher.keys import KEY_TYPES, KeyClass
from tacit_matcher.records import COLUMNS, IDENTIFIER_KINDS, Site
from tacit_matcher.text import plain


def test_no_header_means_two_fields() -> None:
    headers = Counter(
        header for titles in COLUMNS.values() for header in {plain(title).replace(" ", "") for title in titles}
    )
    assert [header for header, count in headers.items() if count > 1] == []


def test_every_identifier_has_a_column_and_a_key_type() -> None:
    for kind in IDENTIFIER_KINDS:
        assert kind in COLUMNS
        assert KEY_TYPES[kind].key_class in (KeyClass.SITE_IDENTIFIER, KeyClass.ENTITY_IDENTIFIER)


def test_a_site_needs_a_name_only() -> None:
    assert Site("Delta") == Site("Delta", "", "", "", "", {})
