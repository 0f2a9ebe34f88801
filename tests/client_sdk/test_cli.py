"""The command line without servers: help, misuse, and errors as one message and an exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tacit_client import cli
from tacit_client.cli import app
from tacit_client.member import Member

COMMANDS = ["init", "enrol", "contribute", "check", "status", "answer-audit"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TACIT_PASSPHRASE", raising=False)
    monkeypatch.setenv("TACIT_HOME", str(tmp_path / "vault"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "vault"


def run(*arguments: str, code: int = 0, typed: str | None = None) -> str:
    result = CliRunner().invoke(app, list(arguments), input=typed)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return " ".join(result.output.split())


def test_help_lists_every_command_and_every_option_has_words(home: Path) -> None:
    text = run("--help")
    assert all(command in text for command in COMMANDS)
    group = typer.main.get_command(app)
    assert set(group.commands) >= set(COMMANDS)  # type: ignore[attr-defined]
    for command in COMMANDS:
        assert run(command, "--help")
        for parameter in group.commands[command].params:  # type: ignore[attr-defined]
            assert parameter.name == "help" or parameter.help, f"{command} {parameter.name}"


def test_the_version_is_the_packages(home: Path) -> None:
    from importlib.metadata import version

    assert run("--version") == f"tacit {version('tacit')}"


def test_init_makes_a_vault_once_and_names_the_next_step(home: Path) -> None:
    assert "Next: tacit enrol invitation.json" in run("init")
    assert Member.open(home).pseudonym
    assert "already holds a vault" in run("init", code=1)


def test_a_passphrase_is_asked_twice_and_not_shown(home: Path) -> None:
    text = run("init", "--passphrase", typed="correct horse\ncorrect horse\n")
    assert "correct horse" not in text
    assert Member.open(home, "correct horse").pseudonym


@pytest.mark.parametrize("arguments", [("status",), ("enrol", "x.json"), ("contribute", "x.csv"), ("check", "x.csv")])
def test_without_a_vault_the_next_step_is_named(home: Path, arguments: tuple[str, ...]) -> None:
    assert "holds no Tacit vault: run 'tacit init' first" in run(*arguments, code=1)


def test_before_enrolment_the_next_step_is_named(home: Path) -> None:
    run("init")
    assert "not enrolled: run 'tacit enrol INVITATION' first" in run("status", code=1)


def test_a_bad_invitation_is_one_message(home: Path, tmp_path: Path) -> None:
    run("init")
    assert "does not exist" in run("enrol", "none.json", code=1)
    (tmp_path / "bad.json").write_text("{}")
    assert "bad.json is no invitation" in run("enrol", "bad.json", code=1)


BAD_LISTS = {
    "none.csv": (None, "none.csv does not exist"),
    "empty.csv": (b"", "empty.csv has no rows"),
    "old.xls": (b"\xd0\xcf\x11\xe0", "old.xls is in the format .xls"),
    "half.csv": (b"Supplier name,City\n,Ulm\n", "row 2, column Supplier name"),
}


@pytest.mark.parametrize("name", BAD_LISTS)
def test_a_bad_list_is_one_message_and_nothing_is_sent(home: Path, tmp_path: Path, name: str) -> None:
    content, message = BAD_LISTS[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    run("init")
    text = run("check", name, "--yes", code=1)
    assert message in text and text.endswith("Nothing was sent.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--columns", "town=Ort"), "no field is called 'town'"),
        (("--columns", "city=Otr"), "no column is headed 'Otr'"),
        (("--sheet", "Liste"), "has no sheets"),
        (("-o", "plans.csv"), "is your list itself"),
        (("-o", "out.pdf"), "written as .xlsx or .csv"),
    ],
)
def test_options_that_do_not_fit_the_list_are_explained(
    home: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "plans.csv").write_text("Supplier name,Ort\nMolkerei,Ulm\n")
    run("init")
    assert message in run("check", "plans.csv", "--yes", *arguments, code=1)


@pytest.mark.parametrize("threshold", ["0.2", "1.5", "x"])
def test_a_threshold_outside_its_range_is_misuse(home: Path, threshold: str) -> None:
    run("check", "plans.csv", "--threshold", threshold, code=2)


def test_a_back_end_that_is_none_is_one_message(home: Path, tmp_path: Path) -> None:
    (tmp_path / "plans.csv").write_text("Supplier name,City,Country\nMolkerei,Ulm,DE\n")
    run("init")
    assert run("check", "plans.csv", "--yes", "--back-end", "abacus", code=1)


def test_a_terminal_that_cannot_show_a_script_does_not_stop_the_command(home: Path) -> None:
    command = [sys.executable, "-m", "tacit_client.cli", "init"]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "vault made" in result.stdout


def test_an_error_of_the_system_is_one_message(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "board.jsonl")

    run("init")
    monkeypatch.setattr(Member, "status", full)
    assert "board.jsonl: No space left on device" in run("status", code=1)


def test_an_interrupt_before_anything_was_sent_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    run("init")
    monkeypatch.setattr(Member, "status", interrupt)
    assert "Interrupted. Nothing was sent." in run("status", code=cli.INTERRUPTED)
