"""Measure matching quality: Tacit's scheme and the references on the same labelled lists in one run.

    make matching                 on lists from the seeded generator
    make matching DATA=folder     on a folder with members/, planned.csv and truth.csv

Tables and a picture go to build/matching/. References learn from the development plans only; so did Tacit's judge.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from benchmarks.demo.generator import generate
from benchmarks.matching import tables
from benchmarks.matching.bloom import clk
from benchmarks.matching.boosting import boosting
from benchmarks.matching.classes import by_class, by_country
from benchmarks.matching.data import DataError, Trial, load
from benchmarks.matching.fellegi_sunter import splink
from benchmarks.matching.generate import with_left_out
from benchmarks.matching.measures import Score, pooled, reliability, score
from benchmarks.matching.outcome import Outcome
from benchmarks.matching.picture import draw
from benchmarks.matching.poorer import shares_found
from benchmarks.matching.question import Question
from benchmarks.matching.simple import exact, rapidfuzz
from benchmarks.matching.speed import measure
from benchmarks.matching.split import PARTS
from benchmarks.matching.tacit import Tacit, strict_key
from tacit_matcher.normalise import normalise_country

OUTPUT = Path("build/matching")
MADE_UP = {"seed": 11, "members": 24, "records": 27_600, "plans": 600, "today": date(2026, 11, 25)}
BEST_REFERENCE = "gradient boosting"
console = Console()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the harness."""
    parser = argparse.ArgumentParser(prog="benchmarks.matching", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with members/, planned.csv and truth.csv")
    parser.add_argument("--draws", type=int, default=3, help="trials with one overlap in ten, pooled")
    given = parser.parse_args(arguments)
    try:
        trial = load(given.data) if given.data else _made_up()
    except DataError as error:
        console.print(f"[red]✗[/] {error}")
        return 1
    OUTPUT.mkdir(parents=True, exist_ok=True)
    shown = [*_run(trial, given.draws), _speed(trial)]
    text = "\n".join(table.markdown() for table in shown)
    (OUTPUT / "table.md").write_text(text, encoding="utf-8")
    for table in shown:
        table.show(console)
    console.print(f"Written to {OUTPUT}: table.md, picture.png, figures.json")
    return 0


def _run(trial: Trial, draws: int) -> list[tables.Table]:
    whole = _answers(trial)
    shown = _tables(trial, trial.name, whole)
    drawn = [with_left_out(trial, seed) for seed in range(1, draws + 1)]
    answers = [_answers(one) for one in drawn]
    scored = [_scores(one, outcomes) for one, (_, outcomes) in zip(drawn, answers, strict=True)]
    tens = {scheme: {part: pooled(one[scheme][part] for one in scored) for part in PARTS} for scheme in scored[0]}
    title = f"One overlap in ten plans ({draws} draws pooled)"
    first_question, first = answers[0]
    shown += [
        tables.schemes(title, tens, first),
        tables.parts(title, tens),
        _classes(title + ", first draw", first_question, drawn[0], first),
        tables.calibration(title + ", first draw: calibration", _bins(drawn[0], first["Tacit"])),
        tables.poorer("What a poorly kept row costs (development plans)", shares_found(trial.part("development"))),
    ]
    round_scores = _scores(trial, whole[1])
    held = {trial.name: trial.part("held-out").plans, title: drawn[0].part("held-out").plans}
    draw(OUTPUT / "picture.png", {trial.name: round_scores, title: tens}, {trial.name: whole[1], title: first}, held)
    figures = {trial.name: _plain(round_scores), "one in ten": _plain(tens)}
    (OUTPUT / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    return shown


def _answers(trial: Trial) -> tuple[Question, dict[str, Outcome]]:
    question = Question.of(trial)
    ours = Tacit(question)
    schemes: Sequence[Callable[[Question], list[Outcome]]] = (
        lambda _: [ours.judged(), ours.unjudged()],
        strict_key,
        exact,
        rapidfuzz,
        splink,
        clk,
        lambda asked: boosting(asked, ours.pairs),
    )
    outcomes = {}
    for scheme in schemes:
        start = time.process_time()
        for outcome in scheme(question):
            outcomes[outcome.scheme] = outcome
        console.print(
            f"[dim]{trial.name}: {outcome.scheme} {time.process_time() - start:.0f} s CPU ({outcome.note})[/]"
        )
    return question, outcomes


def _scores(trial: Trial, outcomes: Mapping[str, Outcome]) -> dict[str, dict[str, Score]]:
    return {
        scheme: {part: score(outcome, trial.part(part).plans, len(trial.sites)) for part in PARTS}
        for scheme, outcome in outcomes.items()
    }


def _tables(trial: Trial, title: str, answer: tuple[Question, dict[str, Outcome]]) -> list[tables.Table]:
    question, outcomes = answer
    scored = _scores(trial, outcomes)
    countries = {plan.plan_id: normalise_country(plan.site.country) or "?" for plan in trial.plans}
    compared = {name: outcomes[name] for name in ("Tacit", BEST_REFERENCE)}
    per_country = {name: by_country(trial.plans, countries, outcome) for name, outcome in compared.items()}
    return [
        tables.schemes(title, scored, outcomes),
        tables.parts(title, scored),
        _classes(title, question, trial, outcomes),
        tables.groups(f"{title}: per country", per_country),
        tables.calibration(f"{title}: calibration", _bins(trial, outcomes["Tacit"])),
    ]


def _classes(title: str, question: Question, trial: Trial, outcomes: Mapping[str, Outcome]) -> tables.Table:
    nearest = {**outcomes["Tacit"].best, **outcomes[BEST_REFERENCE].best}
    counts = {name: by_class(question, trial.plans, nearest, outcomes[name]) for name in ("Tacit", BEST_REFERENCE)}
    note = "Compared with the listed site that the best reference finds nearest; a plan can be in several classes."
    return tables.groups(f"{title}: failure classes", counts, note)


def _bins(trial: Trial, outcome: Outcome) -> dict[str, list[tuple[float, float, int, float, float]]]:
    return {part: reliability(outcome, trial.part(part).plans) for part in ("development", "held-out")}


def _speed(trial: Trial) -> tables.Table:
    speed = measure(trial.sites)
    rows = [
        ("normalisation and keys", f"{speed.keys:.1f}", f"{speed.keys / speed.transliteration:.1f}"),
        ("sketch of a normalised site", f"{speed.sketch:.1f}", f"{speed.sketch / speed.transliteration:.1f}"),
        ("transliteration alone (anyascii)", f"{speed.transliteration:.1f}", "1"),
    ]
    return tables.Table("CPU seconds for 100,000 rows on one core", ("work", "seconds", "ratio"), rows)


def _plain(scored: Mapping[str, Mapping[str, Score]]) -> dict[str, object]:
    return {
        scheme: {
            part: {**asdict(s), "precision": s.precision, "recall": s.recall, "f1": s.f1} for part, s in parts.items()
        }
        for scheme, parts in scored.items()
    }


def _made_up() -> Trial:
    with TemporaryDirectory() as folder:
        generate(Path(folder), **MADE_UP)  # type: ignore[arg-type]
        trial = load(Path(folder))
    return Trial("made-up lists", trial.sites, trial.lists, trial.plans)


if __name__ == "__main__":
    sys.exit(main())
