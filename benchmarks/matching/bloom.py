"""The usual privacy-preserving reference: one Bloom filter per record under one shared key, compared by Dice.

clkhash makes the filters, anonlink compares them within a country. Recipe as in clkhash's documentation: bigrams,
a fixed number of bits per field, so that a long field does not drown the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from anonlink.candidate_generation import find_candidate_pairs
from anonlink.similarities import dice_coefficient
from bitarray import bitarray
from clkhash.bloomfilter import stream_bloom_filters
from clkhash.comparators import NgramComparison
from clkhash.field_formats import BitsPerFeatureStrategy, FieldHashingProperties, FieldSpec, StringSpec
from clkhash.key_derivation import generate_key_lists
from clkhash.schema import Schema

from benchmarks.matching.outcome import Outcome, best_of, best_threshold
from benchmarks.matching.question import Question
from benchmarks.matching.text import Text

FILTER_BITS = 1024
_LOWEST = 0.5
_FIELD_BITS = {"name": 250, "address": 200, "postcode": 80, "city": 100}


def clk(question: Question) -> list[Outcome]:
    """Take the most similar listed site of the country; the threshold is tuned on development."""
    countries = [text.country for text in question.planned_texts], [text.country for text in question.listed_texts]
    datasets = filters(question.planned_texts), filters(question.listed_texts)
    scores, _, (plans, sites) = find_candidate_pairs(
        datasets, dice_coefficient, _LOWEST, k=None, blocking_f=lambda side, row, _: (countries[side][row],)
    )
    pairs = [(int(plan), int(site)) for plan, site in zip(plans, sites, strict=True)]
    best = best_of((question.plan_ids[plan], score, site) for (plan, site), score in zip(pairs, scores, strict=True))
    threshold, _ = best_threshold(best, question.labels)
    looked_at = {
        plan: countries[1].count(country) for plan, country in zip(question.plan_ids, countries[0], strict=True)
    }
    note = f"{FILTER_BITS} bits, Dice from {threshold:.2f}"
    return [Outcome("CLK (clkhash, anonlink)", "privacy-preserving", threshold, best, looked_at, note)]


def filters(texts: Sequence[Text]) -> list[bitarray]:
    """Return the Bloom filter of every site under one shared key."""
    schema = _schema()
    keys = generate_key_lists("shared by all members", len(schema.fields), key_size=64, salt=b"", info=b"", kdf="HKDF")
    rows = [(" ".join(text.name), " ".join(text.address), text.postcode, " ".join(text.city)) for text in texts]
    return [entry[0] for entry in stream_bloom_filters(rows, keys, schema)]


def _schema() -> Schema:
    fields: list[FieldSpec] = []
    for name, bits in _FIELD_BITS.items():
        hashing = FieldHashingProperties(NgramComparison(2), BitsPerFeatureStrategy(bits))
        fields.append(StringSpec(name, hashing, case="mixed"))
    return Schema(fields, FILTER_BITS, kdf_info=b"", kdf_salt=b"")
