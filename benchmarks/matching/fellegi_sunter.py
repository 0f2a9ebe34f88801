"""Splink, the usual open plaintext linker: Fellegi and Sunter's model, trained without labels, on DuckDB.

It scores the same generously blocked pairs as the other plaintext references; development decides its threshold only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import splink.comparison_level_library as levels
import splink.comparison_library as comparisons
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from benchmarks.matching.outcome import Outcome, best_of, best_threshold
from benchmarks.matching.question import Question
from benchmarks.matching.text import Text

_SAMPLED_PAIRS = 2e6
_SEED = 7
_SEPARATOR = "-__-"  # Splink's own, between data set and row id


def splink(question: Question) -> list[Outcome]:
    """Take the listed site with the highest match weight; the threshold is tuned on development."""
    database = DuckDBAPI()
    planned = database.register(_rows(question.planned_texts), dataset_display_name="planned")
    listed = database.register(_rows(question.listed_texts), dataset_display_name="listed")
    linker = Linker([planned, listed], _settings(), log_level="ERROR")
    _train(linker)
    pairs = {
        "match_key": ["0"] * len(question.pairs),
        "join_key_l": [f"listed{_SEPARATOR}{site}" for _, site in question.pairs],
        "join_key_r": [f"planned{_SEPARATOR}{plan}" for plan, _ in question.pairs],
    }
    linker.table_management.register_blocked_pairs_for_predict(database.register(pairs, dataset_display_name="pairs"))
    scored = linker.inference.predict().as_duckdbpyrelation()
    rows = scored.project("unique_id_r, match_weight, unique_id_l").fetchall()
    best = best_of((question.plan_ids[plan], float(weight), site) for plan, weight, site in rows)
    threshold, _ = best_threshold(best, question.labels)
    note = f"five comparisons, match weight from {threshold:.1f}"
    return [Outcome("Splink", "plaintext", threshold, best, question.counts(question.pairs), note)]


def _train(linker: Linker) -> None:
    rules = [block_on("country", "name", "postcode"), block_on("country", "address", "city")]
    linker.training.estimate_probability_two_random_records_match(rules, recall=0.6)
    linker.training.estimate_u_using_random_sampling(max_pairs=_SAMPLED_PAIRS, seed=_SEED)
    for rule in (block_on("country", "postcode"), block_on("country", "name")):
        linker.training.estimate_parameters_using_expectation_maximisation(rule)


def _settings() -> SettingsCreator:
    return SettingsCreator(
        link_type="link_only",
        blocking_rules_to_generate_predictions=[block_on("country", "postcode"), block_on("country", "name")],
        comparisons=[
            _graded("name", levels.JaroWinklerLevel("name", 0.95), levels.JaccardLevel("name", 0.8),
                    levels.JaroWinklerLevel("name", 0.85), levels.JaccardLevel("name", 0.6)),
            _graded("address", levels.JaroWinklerLevel("address", 0.95), levels.JaccardLevel("address", 0.8),
                    levels.JaccardLevel("address", 0.6)),
            _graded("postcode", levels.LevenshteinLevel("postcode", 1), levels.CustomLevel(
                "substr(postcode_l, 1, 2) = substr(postcode_r, 1, 2)", "same region")),
            _graded("city", levels.JaroWinklerLevel("city", 0.9), levels.JaccardLevel("city", 0.6)),
            comparisons.ArrayIntersectAtSizes("numbers", [2, 1]),
        ],
    )  # fmt: skip


def _graded(column: str, *graded: Any) -> Any:
    """Compare a column in grades, with a bonus for the agreement of rare values."""
    equal = levels.ExactMatchLevel(column, term_frequency_adjustments=True)
    return comparisons.CustomComparison([levels.NullLevel(column), equal, *graded, levels.ElseLevel()], column)


def _rows(texts: Sequence[Text]) -> list[dict[str, Any]]:
    return [
        {
            "unique_id": index,
            "country": text.country,
            "name": " ".join(sorted(text.name)) or None,
            "address": " ".join(sorted(text.address)) or None,
            "postcode": text.postcode or None,
            "city": " ".join(text.city) or None,
            "numbers": list(text.numbers) or None,
        }
        for index, text in enumerate(texts)
    ]
