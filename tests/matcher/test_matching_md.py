"""The examples and costs in MATCHING.md are true."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from tacit_client.lint import WEAKNESSES
from tacit_matcher.judge import TERMS
from tacit_matcher.sketch import _SLOTS

TEXT = (Path(__file__).parents[2] / "matcher" / "MATCHING.md").read_text(encoding="utf-8")


def test_examples() -> None:
    # One name space for the whole document; a fence is no output.
    plain = "\n".join("" if line.startswith("```") else line for line in TEXT.splitlines())
    examples = doctest.DocTestParser().get_doctest(plain, {}, "MATCHING.md", "MATCHING.md", 0)
    assert len(examples.examples) >= 15
    result = doctest.DocTestRunner().run(examples)
    assert result.failed == 0


def test_the_costs_that_lint_states() -> None:
    section = TEXT[TEXT.index("## 5.") : TEXT.index("## 6.")]
    stated = {
        name: int(share) / 100 for name, share in re.findall(r"^\| ([a-z ]+) \| (\d+)% \|$", section, re.MULTILINE)
    }
    assert stated == {weakness.name: weakness.lost for weakness in WEAKNESSES.values()}


def test_the_sizes_it_names() -> None:
    assert f"over {len(TERMS)} terms" in TEXT and f"{sum(_SLOTS.values())} slots of two bytes" in TEXT
