"""`tacit` as people run it: a process of its own, with its own folder."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from support.world import site

SECONDS = 300
# A test runner in the background ignores SIGINT, and its children would inherit that.
_TACIT = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from tacit_client.cli import main; main()"
)


@dataclass
class Shell:
    """A folder with a vault in it, and the commands run there."""

    folder: Path

    @property
    def home(self) -> Path:
        return self.folder / "vault"

    def start(self, *arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TACIT_")}
        return subprocess.Popen(
            [sys.executable, "-c", _TACIT, *map(str, arguments)],
            cwd=self.folder,
            env={**kept, "TACIT_HOME": str(self.home), "COLUMNS": "100", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str | Path, code: int = 0, **environment: str) -> str:
        """Run a command to its end; returns what it printed, on both streams."""
        process = self.start(*arguments, **environment)
        output, errors = process.communicate(timeout=SECONDS)
        assert process.returncode == code, f"exit code {process.returncode}\n{output}\n{errors}"
        return output + errors

    def audited(self, name: str, numbers: Iterable[int], day: str = "2026-05-04") -> Path:
        header = ["Supplier name", "Address", "City", "Postcode", "Country", "Audit date", "Scheme", "Platform"]
        return self._write(name, header, ([*_fields(n), day, "SMETA 4-pillar", "Sedex"] for n in numbers))

    def planned(self, name: str, numbers: Iterable[int]) -> Path:
        header = ["Plan ID", "Supplier name", "Address", "City", "Postcode", "Country"]
        return self._write(name, header, ([f"P{n}", *_fields(n)] for n in numbers))

    def _write(self, name: str, header: list[str], rows: Iterable[list[str]]) -> Path:
        path = self.folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *rows])
        return path


def _fields(number: int) -> list[str]:
    one = site(number)
    return [one.name, one.address, one.city, one.postcode, one.country]
