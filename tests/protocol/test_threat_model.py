"""Every test that protocol/THREAT_MODEL.md names exists, and every claim has one or says that it has none."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "protocol" / "THREAT_MODEL.md").read_text(encoding="utf-8")
NAMED = re.findall(r"(?:^- |\| )`(tests/[\w/]+\.py)::(test_\w+)`(?:$| \|$)", TEXT, re.MULTILINE)
CLAIMS = dict(re.findall(r"^### (C\d) [^\n]*\n(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL))
COALITIONS = (
    "Secretariat.", "One trustee", "t trustees.", "Shuffler.", "Shuffler and secretariat.", "Secretariat and a member",
    "c members.", "Auditor.", "Supplier.", "Network.", "Thief of a member's laptop.", "Thief of a trustee's disk.",
)  # fmt: skip


@cache
def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("path", "name"), NAMED, ids=lambda value: str(value).rpartition("/")[2])
def test_a_named_test_exists(path: str, name: str) -> None:
    assert name in functions_of(path)


def test_nothing_that_looks_like_a_test_escapes_the_check() -> None:
    assert len(re.findall(r"::test_", TEXT)) == len(NAMED) > 40


@pytest.mark.parametrize("claim", [f"C{i}" for i in range(1, 8)])
def test_every_claim_names_a_test_or_says_that_it_is_not_carried(claim: str) -> None:
    assert claim in CLAIMS
    assert ("::test_" in CLAIMS[claim]) != ("**Not carried yet:**" in CLAIMS[claim])


@pytest.mark.parametrize("party", COALITIONS)
def test_every_coalition_is_gone_through(party: str) -> None:
    assert f"\n**{party}" in TEXT


def test_the_readme_claims_nothing_that_is_not_here() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\bC[1-9]\b", readme)) <= set(CLAIMS)
