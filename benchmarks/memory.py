"""Peak memory of a member's command, in a process of its own that holds the other parties too.

python -m benchmarks.memory contribution native 2300
python -m benchmarks.memory check native 500 23000
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path


def peak_of(*arguments: str) -> dict[str, int]:
    """Run this module with arguments and return ``peak`` and, without the mapped index, ``own``, in bytes."""
    command = [sys.executable, "-m", "benchmarks.memory", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, int] = json.loads(result.stdout.splitlines()[-1])
    return figures


def main() -> None:
    """Run one command and print what the kernel says."""
    from benchmarks import synthetic_index
    from benchmarks.in_memory import EPOCH, STREAM, RoundInMemory, audited, planned

    kind, back_end, count, *rest = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        round_ = RoundInMemory(back_end, Path(folder) / "member")
        if kind == "contribution":
            round_.contribute(audited(range(int(count))))
        else:
            cache = Path(folder) / "cache"
            root = synthetic_index.write(cache / EPOCH / STREAM, int(rest[0]), [])
            round_.check(planned(range(int(count))), root, cache)
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    kib = {name: int(status[name].split()[0]) * 1024 for name in ("VmHWM", "RssAnon")}
    # Python keeps what it has once had, so that what is its own at the end is close to what was at the peak.
    print(json.dumps({"peak": kib["VmHWM"], "own": kib["RssAnon"]}))


if __name__ == "__main__":
    main()
