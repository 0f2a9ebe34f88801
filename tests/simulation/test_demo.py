"""`make demo` in small: the same program, its table, its figures, its exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.demo", "--folder", str(folder), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_a_small_round_ends_with_figures_and_no_identifier_at_the_secretariat(tmp_path: Path) -> None:
    ran = demo(tmp_path / "demo", "--members", "4", "--records", "150", "--plans", "30", "--back-end", "libsodium")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    facts = json.loads((tmp_path / "demo" / "summary.json").read_text())
    assert facts["members"] == 4 and facts["records"] == 150 and facts["plans"] == 30
    assert facts["found"] + facts["missed"] == facts["overlaps"] == 9
    assert facts["found"] >= 6
    assert facts["identifiers_found_at_secretariat"] == 0
    assert facts["back_end"] == "libsodium"
    assert all(phase["seconds"] > 0 for phase in facts["phases"].values())
    assert facts["phases"]["check of the planned audits"]["received"]["secretariat"] > facts["index"]["bytes"]
    assert set(facts["peak_memory_bytes"]) >= {"secretariat", "trustee 1", "trustee 2", "trustee 3", "member checking"}
    assert (tmp_path / "demo" / "overlaps.xlsx").stat().st_size > 1000
    for line in ("Compared with the truth", "What each phase cost", "What each party held at the end"):
        assert line in ran.stdout

    again = demo(tmp_path / "again", "--lists", str(tmp_path / "empty"))
    assert again.returncode == 2 and "members" in again.stdout
