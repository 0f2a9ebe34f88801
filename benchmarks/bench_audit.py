"""`tacit audit verify` on a log of 100,000 entries: the auditor's whole command on the log's own files, per entry in R.

Forty-five members with some 2,200 grants each, two windows with their indexes, one key ceremony; all tiles, bundles and
cosignatures are there. The time is that of one process and one thread: reading, hashing, every signature, every rule.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from benchmarks.conftest import InR
from support.audits import Case, time_at
from support.boards import MadeBoard
from tacit_client.cli import app

ENTRIES = 100_000
MEMBERS = 45


def fill(made: MadeBoard, members: list[Ed25519PrivateKey]) -> None:
    """Append almost everything; the windows come last."""
    made.quota = 2**40
    made.open()
    members += [made.member() for _ in range(MEMBERS)]
    while len(made.entries) < ENTRIES:
        made.time -= 58  # two seconds from entry to entry, or the epoch is over before they are all there
        made.grant_any(members[len(made.entries) % MEMBERS])


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    members: list[Ed25519PrivateKey] = []
    case = Case(tmp_path_factory.mktemp("audit") / "log", lambda made: fill(made, members))  # with two more, one window
    case.made.window(*case.members, *members)
    case.write()
    return case


def test_verify_a_whole_log(in_r: InR, case: Case, tmp_path: Path) -> None:
    keys, report = case.folder / "keys.json", tmp_path / "report.json"
    arguments = ["--folder", str(case.folder), "--trustee-keys", str(keys), "--json", str(report)]

    def verify() -> None:
        with time_at(case.made.time):
            result = CliRunner().invoke(app, ["audit", "verify", *arguments])
        assert result.exit_code == 0, result.output

    entries = len(case.made.entries)
    in_r.measure(verify, entries, rounds=1, table="log", row="`tacit audit verify`, everything", entries=entries)
    assert json.loads(report.read_bytes())["entries"] == entries
