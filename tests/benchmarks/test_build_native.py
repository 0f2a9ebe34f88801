"""Building the native core never fails a target: where it cannot be built, one line says why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import build_native


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the stamp out of the real environment, and no cargo from running."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(build_native.shutil, "which", lambda _: "/somewhere/cargo")
    return tmp_path


def answer(monkeypatch: pytest.MonkeyPatch, code: int, stderr: str = "") -> list[list[str]]:
    calls: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, code, "", stderr)

    monkeypatch.setattr(build_native.subprocess, "run", run)
    return calls


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_without_cargo_one_line_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    calls = answer(monkeypatch, 0)
    monkeypatch.setattr(build_native.shutil, "which", lambda _: None)
    assert build_native.main() == 0
    assert lines(capsys) == ["native core: cargo is not here, going on with the wheel library (libsodium)"]
    assert not calls


@pytest.mark.parametrize(
    "stderr",
    [
        "error: failed to get `sha2` as a dependency of package `tacit-native v0.1.0`",
        "error: failed to download from `https://example.invalid/sha2`\n\nCaused by:\n  [6] Could not resolve hostname",
        "    Updating index\nerror: failed to load source for dependency `pyo3`",
    ],
)
def test_without_its_registry_one_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stderr: str
) -> None:
    answer(monkeypatch, 1, stderr)
    assert build_native.main() == 0
    assert lines(capsys)[1:] == [
        "native core: not built (cargo's registry does not answer), going on with the wheel library (libsodium)"
    ]


def test_another_failure_is_told_by_its_first_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, 1, "warning: x\nerror: rustc 1.70.0 is not supported by the following package:\n  it\n")
    assert build_native.main() == 0
    (line,) = lines(capsys)[1:]
    assert "rustc 1.70.0 is not supported" in line


def test_a_build_is_not_repeated_while_the_sources_stay(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = answer(monkeypatch, 0)
    assert (build_native.main(), build_native.main()) == (0, 0)
    assert len(calls) == 1
    assert lines(capsys)[-1] == "native core: built"
    monkeypatch.setattr(build_native, "_digest", lambda: "other sources")
    assert build_native.main() == 0
    assert len(calls) == 2


def test_a_failed_build_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = answer(monkeypatch, 1, "error: something")
    build_native.main()
    build_native.main()
    assert len(calls) == 2
