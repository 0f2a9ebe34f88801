"""The sketch: its size, its key, what it tells to whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.sites import TEN_SCRIPTS
from tacit_matcher.records import Site
from tacit_matcher.sketch import SKETCH_BYTES, compare, make_sketch
from tacit_protocol.sealed_index import PAYLOAD_BYTES

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
BAKERY = Site("Bäckerei Müller GmbH", "Bahnhofstraße 12", "Fulda", "36037", "DE")
texts = st.text(max_size=80)


def test_size_fits_the_payload() -> None:
    assert len(make_sketch(KEY, BAKERY)) == SKETCH_BYTES == PAYLOAD_BYTES - 24


@given(texts, texts, texts, texts)
def test_any_site_has_a_sketch_of_that_size(name: str, address: str, city: str, postcode: str) -> None:
    site = Site(name, address, city, postcode, "DE")
    sketch = make_sketch(KEY, site)
    assert len(sketch) == SKETCH_BYTES
    features = compare(KEY, sketch, site)
    assert all(0 <= value <= 1 for value in features.values())
    assert not any(value for name, value in features.items() if name.endswith(("_differ", "_apart", "_alone")))


def test_a_site_is_wholly_like_itself_in_another_hand() -> None:
    written = Site("BACKEREI MUELLER", "Bahnhofstr. 12", "FULDA", "36037", "Germany")
    features = compare(KEY, make_sketch(KEY, BAKERY), written)
    for name in ("name_alike", "name_least", "name_most", "name_same", "street_alike", "house_agree", "city_agree"):
        assert features[name] == 1.0


def test_under_another_key_nothing_is_alike() -> None:
    features = compare(OTHER_KEY, make_sketch(KEY, BAKERY), BAKERY)
    assert features["name_same"] == features["house_agree"] == features["postcode_agree"] == 0.0
    assert features["name_alike"] < 0.5


def test_two_records_of_one_site_have_nothing_in_common() -> None:
    one, two = make_sketch(KEY, BAKERY), make_sketch(OTHER_KEY, BAKERY)
    same = sum(a == b and a != 0 for a, b in zip(one, two, strict=True))
    # The last four bytes are weights and counts; elsewhere equal bytes are chance.
    assert one[-4:] == two[-4:] and same < 20


def test_not_said_is_not_another() -> None:
    bare = Site("Bäckerei Müller GmbH", "", "", "", "DE")
    features = compare(KEY, make_sketch(KEY, BAKERY), bare)
    assert features["street_known"] == 0.0
    assert not any(features[f"{kind}_differ"] for kind in ("city", "house", "postcode", "street", "number"))
    elsewhere = Site("Bäckerei Müller GmbH", "Marktplatz 3", "Kassel", "34117", "DE")
    features = compare(KEY, make_sketch(KEY, BAKERY), elsewhere)
    assert all(features[f"{kind}_differ"] == 1.0 for kind in ("city", "house", "postcode", "street", "number"))


def test_a_misspelt_word_counts_in_part() -> None:
    listed = Site("Conservas Penarredonda", "Zwiebelhofner Straße 12", "Fulda", "36037", "DE")
    misspelt = Site("Conservas Penarrezonda", "Zwibelhofner Straße 12", "Fulda", "36037", "DE")
    features = compare(KEY, make_sketch(KEY, listed), misspelt)
    assert 0.5 < features["name_least"] < 1.0 and features["name_same"] == 0.0
    assert 0.5 < features["street_most"] < 1.0
    stranger = compare(KEY, make_sketch(KEY, BAKERY), Site("Otto Zwiebel", "Hof 9", "Kiel", "24103", "DE"))
    assert stranger["name_least"] < 0.2


def test_plants_of_one_company_differ_in_their_figure() -> None:
    first = make_sketch(KEY, Site("Delta Knitwear Unit 2", country="IN"))
    assert compare(KEY, first, Site("Delta Knitwear Unit 3", country="IN"))["figure_apart"] == 1.0
    assert compare(KEY, first, Site("Delta Knitwear", country="IN"))["figure_alone"] == 1.0
    assert compare(KEY, first, Site("Delta Knitwear - unit 2", country="IN"))["figure_same"] == 1.0


@pytest.mark.parametrize("script", TEN_SCRIPTS)
def test_ten_scripts_are_like_their_latin_form(script: str) -> None:
    own, latin = TEN_SCRIPTS[script]
    features = compare(KEY, make_sketch(KEY, own), latin)
    assert features["name_most"] > 0.8 and features["postcode_agree"] == 1.0


@pytest.mark.parametrize("size", [0, SKETCH_BYTES - 1, SKETCH_BYTES + 1])
def test_a_sketch_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="200 bytes"):
        compare(KEY, bytes(size), BAKERY)
