"""The match keys of a list's rows: derived once each, when the evaluation asks for them, in random order.

Random, because a batch goes out as soon as it is full: in the list's order the inputs of one batch would be those of
neighbouring rows, and whoever opens some positions of a batch in a query audit would learn who stands beside whom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Generic, NamedTuple, TypeVar

from tacit_client.progress import Progress
from tacit_client.session import Draw
from tacit_matcher.keys import match_keys
from tacit_matcher.normalise import NormalSite, normalise_site
from tacit_matcher.records import Site
from tacit_protocol import shuffle

_REPORT_EVERY = 500  # rows


K = TypeVar("K")


class Row(NamedTuple, Generic[K]):
    """What one row's site came to; ``inputs`` are its encoded keys and ``types`` say what each of them is made of."""

    kept: K
    inputs: tuple[bytes, ...]
    types: tuple[str, ...]


class RowKeys(Generic[K]):
    """The rows of one list in its order; those that were not asked for yet are derived on the way.

    ``keep`` says what is kept of a site in canonical form. The less objects that is, the less the collector of
    garbage has to look through again and again: with canonical sites of 23,000 rows it took half as long as their keys.
    """

    def __init__(
        self,
        sites: Sequence[Site | NormalSite],
        aliases: Mapping[str, str],
        progress: Progress,
        draw: Draw,
        keep: Callable[[NormalSite], K],
    ) -> None:
        self._sites, self._aliases, self._progress, self._keep = sites, aliases, progress, keep
        self._rows: dict[int, Row[K]] = {}
        self._order = shuffle.shuffle(range(len(sites)), draw(shuffle.SHUFFLE_RANDOM_BYTES * len(sites)))

    def __len__(self) -> int:
        return len(self._sites)

    def __iter__(self) -> Iterator[Row[K]]:
        return (self[position] for position in range(len(self)))

    def __getitem__(self, position: int) -> Row[K]:
        if position not in self._rows:
            self._rows[position] = self._derive(self._sites[position])
            if len(self._rows) % _REPORT_EVERY == 0 or len(self._rows) == len(self):
                self._progress("match keys", len(self._rows), len(self))
        return self._rows[position]

    def inputs(self) -> Iterator[bytes]:
        """Return the inputs of all rows, row by row in random order; each row's are derived when it is its turn."""
        return chain.from_iterable(self[position].inputs for position in self._order)

    def whole(self, stage: str, done: int, total: int) -> None:
        """Report what was done for the rows derived so far as a part of all that is to be expected."""
        if self._rows:
            total = max(total, total * len(self) // len(self._rows))
        self._progress(stage, done, total)

    def _derive(self, site: Site | NormalSite) -> Row[K]:
        normal = normalise_site(site, self._aliases)
        keys = match_keys(normal)
        return Row(self._keep(normal), tuple([key.encode() for key in keys]), tuple([key.key_type for key in keys]))
