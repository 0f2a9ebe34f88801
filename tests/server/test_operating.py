"""OPERATING.md names the settings and the commands that there are, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from tacit_server.cli import app
from tacit_server.settings import PREFIX, ServerSettings

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "server" / "OPERATING.md").read_text(encoding="utf-8")


def test_every_setting_is_described_and_no_other() -> None:
    described = set(re.findall(r"^\| `(TACIT_SERVER_\w+)`", TEXT, re.MULTILINE))
    assert described == {PREFIX + name.upper() for name in ServerSettings.model_fields}
    assert set(re.findall(r"TACIT_SERVER_\w+", TEXT)) == described


def test_every_command_and_option_named_exists() -> None:
    group = typer.main.get_command(app)
    named = re.findall(r"`tacit-server (\w+) ([\w-]+)([^`]*)`", TEXT)
    assert len(named) > 8
    for party, command, rest in named:
        found = group.commands[party].commands[command]
        options = {name for parameter in found.params for name in parameter.opts}
        assert set(re.findall(r"(?<!\S)--?[a-z][\w-]*", rest)) <= options, (party, command)
