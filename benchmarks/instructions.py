"""Instructions per element of each party's work, counted by valgrind: the same on a busy machine as on a quiet one.

Every step runs on a small and on a larger batch; the difference, divided by the difference in elements, leaves out
the interpreter's start. valgrind knows no AVX-512, so the native core runs its AVX2 code here: fewer instructions do
each of them less than with IFMA. That it runs at all shows that the choice is made at run time.

    python -m benchmarks.instructions
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from benchmarks.conftest import back_ends

RESULTS = Path("build/bench/instructions.json")
SMALL, LARGE = 128, 640
STEPS = ("blind", "trustee", "client")
_COLLECTED = re.compile(r"Collected : (\d+)")


def count(back_end: str, step: str, elements: int) -> int:
    """Return the instructions of one process that does the step on so many elements."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    command += [sys.executable, "-m", "benchmarks.instructions", "--run", back_end, step, str(elements)]
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONHASHSEED": "0"}
    )
    found = _COLLECTED.search(result.stderr)
    if result.returncode != 0 or found is None:
        raise RuntimeError(f"valgrind failed:\n{result.stderr[-2000:]}")
    return int(found.group(1))


def run_step(back_end: str, step: str, elements: int) -> None:
    """Set up a round of so many elements and do one step of it, or nothing more."""
    from benchmarks import bench_evaluation
    from tacit_protocol.group import load_backend

    bench_evaluation.COUNT = elements
    batch = bench_evaluation.Round(load_backend(back_end))
    steps = {"nothing": lambda: None, "blind": batch.blind, "trustee": batch.trustee, "client": batch.client}
    steps[step]()


def main() -> int:
    """Count and keep the figures; without valgrind say so."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        run_step(options.run[0], options.run[1], int(options.run[2]))
        return 0
    if shutil.which("valgrind") is None:
        print("valgrind is not here: no instructions were counted")
        return 0
    results = []
    for back_end in back_ends():
        # A round is set up with one of everything; what a step adds is the difference to doing nothing.
        bases = {elements: count(back_end, "nothing", elements) for elements in (SMALL, LARGE)}
        for step in STEPS:
            added = {elements: count(back_end, step, elements) - bases[elements] for elements in (SMALL, LARGE)}
            per_element = (added[LARGE] - added[SMALL]) / (LARGE - SMALL)
            print(f"{back_end:10} {step:8} {per_element:12,.0f} instructions per element", flush=True)
            results.append({"back_end": back_end, "step": step, "per_element": round(per_element)})
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
