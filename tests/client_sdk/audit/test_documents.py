"""AUDITING.md says what the program does: its commands exist, its figures are the constants."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import typer

from tacit_client.audit import judging, trawling, verifying
from tacit_client.audit.heads import FRESH_SECONDS
from tacit_client.cli import app
from tacit_protocol import audit_ledger, messages

PAGE = Path(__file__).parents[3] / "client_sdk" / "AUDITING.md"
DAY = 86400


def test_every_command_in_the_page_can_be_parsed() -> None:
    root = typer.main.get_command(app)
    lines = re.findall(r"^ {4,}tacit (audit .+)$", PAGE.read_text(), flags=re.M)
    assert len(lines) >= 10
    for line in lines:
        command, arguments, context = root, shlex.split(line), click.Context(root)
        while hasattr(command, "commands"):
            command = command.commands[arguments.pop(0)]
        parsed = command.make_context(line, list(arguments), parent=context, resilient_parsing=False)
        assert parsed.args == [], line


def test_every_check_is_in_the_table() -> None:
    text = PAGE.read_text()
    from tacit_client.audit.copying import CONSISTENCY
    from tacit_client.audit.heads import CHECKPOINTS, COSIGNATURES, TILES

    names = [CONSISTENCY, CHECKPOINTS, COSIGNATURES, TILES, verifying.ENTRIES, verifying.RULES]
    names += [verifying.KEYS, verifying.CEREMONIES, verifying.FILES, verifying.AUDITS, verifying.ERASURES]
    rows = re.findall(r"^\| ([a-z ]+) \|", text, flags=re.M)
    assert sorted(rows) == sorted([*names, "check"])


def test_the_figures_are_the_constants() -> None:
    text = " ".join(PAGE.read_text().split())
    assert f"within {audit_ledger.ANSWER_SECONDS // DAY} days" in text
    assert f"until {audit_ledger.AUDIT_PERIOD_SECONDS // DAY} days after" in text
    assert f"{verifying.ERASURE_SECONDS // DAY} days after it" in text
    assert FRESH_SECONDS == DAY and "not longer than a day ago" in text
    assert f"at most {messages.MAX_POSITIONS} of its elements" in text
    assert f"more than {judging.TOLERANCE:.0%}".replace("%", " %") in text
    assert trawling.DENSITY == 1 / 20 and "one in twenty or more" in text
    assert trawling.FEW_LETTERS == 3 and "three neighbouring letters" in text
    assert round(1 / (1 - 0.05) ** 64) == 27 and "one case out of 27" in text
