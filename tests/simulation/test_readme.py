"""What the README shows works: the SDK example in a real round; every command, option and path it names exists."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import openpyxl
import pytest
import typer

from support.command import Shell
from support.world import World, audited
from tacit_client.cli import app as client
from tacit_server.cli import app as server

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CLOSES = "# ... the secretariat closes the window ..."


def example() -> str:
    match = re.search(r"<!-- sdk-example: [^>]*-->\n```python\n(.*?)```", README, re.S)
    assert match is not None, "the README has no SDK example"
    return match[1]


def test_the_example_is_at_most_ten_lines_of_code() -> None:
    lines = [line for line in example().splitlines() if line.strip() and not line.startswith("#")]
    assert len(lines) <= 10


def test_the_example_runs(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = world.member("other")
    other.contribute([audited(number) for number in range(5)])
    shell = Shell(tmp_path)
    shell.audited("audited.csv", range(20, 25))
    shell.planned("planned.csv", [3, 500])
    (tmp_path / "invitation.json").write_bytes(world.invitations.pop().read_bytes())
    monkeypatch.chdir(tmp_path)
    before, closes, after = example().partition(CLOSES)
    assert closes
    names: dict[str, object] = {}
    exec(compile(before, "README.md", "exec"), names)
    world.close_window(other)
    exec(compile(after, "README.md", "exec"), names)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split()[:2] == ["P3", "assessed"]
    assert len(printed) == 2
    sheet = openpyxl.load_workbook(tmp_path / "overlaps.xlsx")["Result"]
    assert sheet.max_row == 3


def options_of(command: object) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}  # type: ignore[attr-defined]


def all_commands(group: object) -> list[object]:
    below = [each for command in getattr(group, "commands", {}).values() for each in all_commands(command)]
    return [group, *below]


def commands_in(text: str, program: str) -> list[list[str]]:
    """Every use of a program in code, as words; comments and what stands for a value are left in."""
    code = [line for block in re.findall(r"```\w*\n(.*?)```", text, re.S) for line in block.splitlines()]
    code += re.findall(r"`([^`\n]+)`", text)
    used = [line.partition("  #")[0].strip() for line in code]
    return [shlex.split(line) for line in used if line == program or line.startswith(program + " ")]


def test_every_client_command_and_option_exists() -> None:
    group = typer.main.get_command(client)
    used = commands_in(README, "tacit")
    assert {words[1] for words in used if len(words) > 1} >= {"init", "enrol", "contribute", "check", "status"}
    for _, *words in used:
        if not words:
            continue
        assert words[0] in group.commands, f"tacit {words[0]}"  # type: ignore[attr-defined]
        command, rest = group, words
        while rest and rest[0] in getattr(command, "commands", {}):
            command, rest = command.commands[rest[0]], rest[1:]  # type: ignore[attr-defined]
        known = options_of(command)
        assert {word for word in rest if word.startswith("-")} <= known, words


def test_every_option_named_alone_exists_somewhere() -> None:
    group = typer.main.get_command(client)
    known = set().union(*(options_of(command) for command in all_commands(group)))
    alone = {match.split()[0] for match in re.findall(r"`(--[a-z][^`]*)`", README)}
    assert alone and alone <= known


def test_every_server_command_exists() -> None:
    group = typer.main.get_command(server)
    for _, *words in commands_in(README, "tacit-server"):
        assert words[0] in group.commands, words  # type: ignore[attr-defined]


def test_every_make_target_and_module_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    for _, target, *_ in commands_in(README, "make"):
        assert target in targets, f"make {target}"
    for module in re.findall(r"python -m ([\w.]+)", README):
        assert importlib.util.find_spec(module) is not None, module


def test_every_test_and_module_file_named_exists() -> None:
    for path in re.findall(r"`(tests/[\w/]+\.py)`", README):
        assert (ROOT / path).is_file(), path
    for module in re.findall(r"`(\w+\.py)`", README):
        assert list(ROOT.glob(f"*/tacit_*/**/{module}")), module
    for path in re.findall(r"`(tacit_\w+/\w+\.py)`", README):
        assert list(ROOT.glob(f"*/{path}")), path
