"""Write the scheme's own vectors: what sites become, so that another implementation can be compared.

    python tests/support/match_vectors.py

Run it when the scheme's version changes, and never to make a test green.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.sites import NEAR_NAMESAKES, TEN_SCRIPTS
from tacit_matcher.keys import SCHEME_VERSION, match_keys
from tacit_matcher.normalise import normalise_site
from tacit_matcher.records import Site
from tacit_matcher.sketch import make_sketch

TARGET = Path(__file__).parents[1] / "vectors" / "tacit" / "match_keys.json"
SKETCH_KEY = bytes(range(32))
_FIELDS = ("name", "address", "city", "postcode", "country")
WITH_IDENTIFIERS = Site(
    "Vinařství Kolářová s.r.o.",
    "Lidická 700/19",
    "Brno-střed",
    "602 00",
    "Česko",
    {"gln": "4006381 33393-1", "lei": "5493 00BOW0T0ARDBCX 29", "duns": "31-234-5678", "sedex_site": "zs 403450932"},
)


def vectors() -> dict[str, Any]:
    """Return every test site with its keys, as hexadecimal inputs of the PRF, and its sketch under one key."""
    return {
        "scheme": SCHEME_VERSION,
        "sketch_key": SKETCH_KEY.hex(),
        "sites": [_vector(site) for site in _sites()],
    }


def _sites() -> Iterator[Site]:
    for group in (TEN_SCRIPTS, NEAR_NAMESAKES):
        for pair in group.values():
            yield from pair
    yield WITH_IDENTIFIERS


def _vector(site: Site) -> dict[str, Any]:
    normal = normalise_site(site)
    return {
        "site": {name: getattr(site, name) for name in _FIELDS} | {"identifiers": dict(site.identifiers)},
        "name": list(normal.name),
        "address": list(normal.address),
        "city": list(normal.city),
        "postcode": normal.postcode,
        "country": normal.country,
        "keys": [{"type": key.key_type, "value": key.value, "input": key.encode().hex()} for key in match_keys(site)],
        "sketch": make_sketch(SKETCH_KEY, site).hex(),
    }


def main() -> None:
    """Write the file."""
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
