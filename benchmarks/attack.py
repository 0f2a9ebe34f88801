"""The dictionary attack, on the same data: plain hashes fall at once, the sealed index does not below t shares.

The attacker knows a directory of all sites (supplier identifiers have almost no entropy) and tries every one of them

* on a list of SHA-256 hashes, which is what "anonymised" lists usually are;
* on everything the secretariat holds, opened with the secretariat's own key, with no trustee's share;
* on the same, with t - 1 shares: each used as if it were the key, alone and weighted as if it were combined;
* on the same with t shares, which is the limit of what is claimed: everything falls.
"""

from __future__ import annotations

import argparse
import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from rich.console import Console
from rich.table import Table

from tacit_client import session
from tacit_client.session import StreamContext
from tacit_matcher.keys import match_keys
from tacit_matcher.records import Site
from tacit_protocol import keygen, scalars, sealed_index, shuffle, threshold, voprf
from tacit_protocol.dleq import Binding
from tacit_protocol.group import Backend, load_backend
from tacit_protocol.keygen import Ceremony, KeyShare, Outcome, Transcript

EPOCH, STREAM = "attack", "social-audit"
TRUSTEES, THRESHOLD = 3, 2
_SYLLABLES = "bra del fim gor hun kal lem mor nif pas rud sel tov wen zil bek "


@dataclass(frozen=True)
class Result:
    """How many of the contributed sites each attack found."""

    sites: int
    directory: int
    plain_hashes: int
    store_alone: int
    store_and_fewer_than_t: int
    store_and_t: int


@dataclass(frozen=True)
class _World:
    """An honest round in memory: what was contributed, and what each party holds afterwards."""

    group: Backend
    shares: Mapping[int, KeyShare]
    outcome: Outcome
    store: Sequence[bytes]  # the secretariat's opened records

    @property
    def context(self) -> StreamContext:
        return StreamContext(EPOCH, STREAM, THRESHOLD, self.outcome.public_key, self.outcome.public_shares)


def run(contributed: Sequence[Site], directory: Sequence[Site]) -> Result:
    """Contribute the sites honestly, then attack with the directory (which contains them)."""
    world = _honest_round(contributed)
    return Result(
        len(contributed),
        len(directory),
        _attack_hashes(contributed, directory),
        _attack_store(world, directory, {}),
        _attack_store(world, directory, {1: world.shares[1].secret}),
        _attack_store(world, directory, {i: world.shares[i].secret for i in (1, 2)}),
    )


def _attack_hashes(contributed: Iterable[Site], directory: Iterable[Site]) -> int:
    published = {hashlib.sha256(_inputs(site)[0]).digest() for site in contributed}
    return len(published & {hashlib.sha256(_inputs(site)[0]).digest() for site in directory})


def _attack_store(world: _World, directory: Sequence[Site], shares: Mapping[int, bytes]) -> int:
    """Count the records of the store whose tag or content some guess about a supplier gives away."""
    tags = {}
    for number, record in enumerate(world.store):
        for at in range(sealed_index.RECORD_BYTES, sealed_index.SEALED_BYTES, sealed_index.ENTRY_BYTES):
            tags[record[at : at + sealed_index.TAG_BYTES]] = number
    inputs = list(dict.fromkeys(value for site in directory for value in _inputs(site)))
    found: set[int] = set()
    for outputs in _guesses(world.group, inputs, shares):
        for key in world.context.entry_keys(world.group, inputs, outputs).values():
            if key.tag in tags:
                found.add(tags[key.tag])
    return len(found)


def _guesses(group: Backend, inputs: Sequence[bytes], shares: Mapping[int, bytes]) -> Iterable[dict[bytes, bytes]]:
    """Yield every set of PRF outputs that the attacker can compute with what it has."""
    points = group.hash_to_group(inputs, voprf.hash_to_group_dst())
    unkeyed = group.finalise(inputs, points)
    yield {value: unkeyed[64 * i : 64 * (i + 1)] for i, value in enumerate(inputs)}
    candidates = list(shares.values())
    if shares:
        candidates.append(threshold.interpolate_secret(dict(shares)))
        for share in shares.values():
            candidates += [scalars.multiply(scalars.from_int(weight), share) for weight in (2, -1, 3, -2)]
    for candidate in candidates:
        packed = group.finalise(inputs, group.multiply(candidate, points))
        yield {value: packed[64 * i : 64 * (i + 1)] for i, value in enumerate(inputs)}


def _honest_round(contributed: Sequence[Site]) -> _World:
    group = load_backend("auto")
    shares, outcome = _ceremony(group)
    world = _World(group, shares, outcome, [])
    records = [[*_inputs(site)] for site in contributed]
    outputs: dict[bytes, bytes] = {}
    for batch in session.plan_batches(group, [v for r in records for v in r], outputs, secrets.token_bytes):
        blinded = batch.blinded(group)
        answers = [
            threshold.evaluate_share(
                group, shares[i].secret, group.decode(shares[i].public), blinded, Binding(EPOCH, STREAM, i),
                secrets.token_bytes(64),
            )
            for i in (1, 3)
        ]  # fmt: skip
        outputs.update(session.finish_batch(group, world.context, batch, answers, outputs))
    secretariat = X25519PrivateKey.generate()
    pages = session.seal_contribution(
        group,
        world.context,
        secretariat.public_key().public_bytes_raw(),
        session.UnsealedRecords(records, lambda number, sketch_key: secrets.token_bytes(sealed_index.PAYLOAD_BYTES)),
        outputs,
        secrets.token_bytes,
    )
    uploads = [upload for page in pages for upload in shuffle.split_page(page.uploads)]
    store = [shuffle.open_at_secretariat(secretariat, EPOCH, STREAM, upload) for upload in uploads]
    return _World(group, shares, outcome, store)


def _ceremony(group: Backend) -> tuple[dict[int, KeyShare], Outcome]:
    signing_keys = {index: secrets.token_bytes(32) for index in range(1, TRUSTEES + 1)}
    ceremony = Ceremony(EPOCH, STREAM, 1, THRESHOLD, signing_keys)
    drawn = {i: keygen.round1(group, ceremony, i, secrets.token_bytes(ceremony.random_bytes())) for i in signing_keys}
    states, begun = [state for state, _ in drawn.values()], Transcript([message for _, message in drawn.values()], [])
    opened = Transcript(begun.round1, [keygen.round2(ceremony, state, begun) for state in states])
    complaints = [keygen.round3(group, ceremony, state, opened) for state in states]
    transcript = Transcript(opened.round1, opened.round2, complaints)
    results = {state.index: keygen.round4(group, ceremony, state, transcript) for state in states}
    return {i: share for i, (share, _, _) in results.items()}, results[1][1]


def _inputs(site: Site) -> list[bytes]:
    """Return a site's match-key inputs; the first one is what the list of plain hashes is made of."""
    return [key.encode() for key in match_keys(site)]


def sites(count: int) -> list[Site]:
    """Return ``count`` different sites, each with a name, a street, a city and a postcode."""
    return [
        Site(
            f"Lebensmittelwerk {word(i)} GmbH",
            f"{word(i * 7 + 3)}weg {i % 90 + 1}",
            word(i % 97),
            f"{10000 + i}",
            "DE",
        )
        for i in range(count)
    ]


def word(number: int) -> str:
    """Return a word of its own for every number below 65,536."""
    return "".join(_SYLLABLES[4 * (number >> shift & 15) :][:4].strip() for shift in (0, 4, 8, 12)).capitalize()


def main() -> None:
    """Run the attack and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=500)
    parser.add_argument("--directory", type=int, default=2000)
    options = parser.parse_args()
    directory = sites(options.directory)
    result = run(directory[: options.sites], directory)
    table = Table(
        "what the attacker holds", "found", title=f"{result.sites} contributed sites, a directory of {result.directory}"
    )
    table.add_row("a list of plain SHA-256 hashes", f"{result.plain_hashes}")
    table.add_row("the secretariat's store and its key", f"{result.store_alone}")
    table.add_row(
        f"the same and {THRESHOLD - 1} of the {TRUSTEES} shares (fewer than t)", f"{result.store_and_fewer_than_t}"
    )
    table.add_row(f"the same and {THRESHOLD} shares (t: the limit of the claim)", f"{result.store_and_t}")
    Console().print(table)


if __name__ == "__main__":
    main()
