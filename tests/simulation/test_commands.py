"""The member's commands as processes against a real round: a day's work, interrupts, two at once, a moved vault."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pytest
from benchmarks.demo.processes import run

from support.command import Shell
from support.world import EPOCH, STREAM, World, audited
from tacit_client import Member, configuration
from tacit_client.parties import Secretariat
from tacit_protocol.grants import ledger_of
from tacit_protocol.messages import BoardEntry

DAY = (date.today() - timedelta(days=200)).isoformat()


@pytest.fixture(scope="module")
def watcher(world: World) -> Member:
    """A member that contributed to a first window, and through whose eyes tests look at the board."""
    member = world.member("watcher")
    member.contribute([audited(number) for number in range(10)])
    world.close_window(member)
    return member


@pytest.fixture
def shell(world: World, watcher: Member, tmp_path: Path) -> Shell:
    """An enrolled member at its command line."""
    shell = Shell(tmp_path)
    assert "vault made" in shell.run("init")
    assert "enrolled as" in shell.run("enrol", world.invitations.pop())
    return shell


def test_enrolling_shows_the_names_of_the_trustees_keys_as_each_trustee_tells_them(
    world: World, watcher: Member, tmp_path: Path
) -> None:
    shell = Shell(tmp_path)
    shell.run("init")
    shown = shell.run("enrol", world.invitations.pop())
    for server in world.parties.trustees:
        told = run("trustee", "status", "--home", server.home)
        name = told.split("'tacit enrol': ")[1].split()[0]
        assert f"{server.name}: {name}" in shown


def pseudonym(shell: Shell) -> str:
    with Member.open(shell.home) as member:
        return member.pseudonym


def used(watcher: Member, name: str) -> int:
    """Return what a member was granted as the secretariat shows it: frozen trustees cosign nothing."""
    secretariat = Secretariat(watcher.transport, configuration.load(watcher.home).secretariat.url)
    entries: list[BoardEntry] = []
    while (page := secretariat.board(len(entries))).entries:
        entries += page.entries
    return ledger_of(entry.message for entry in entries).used.get((EPOCH, STREAM, name), 0)


def until(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_a_members_day(world: World, watcher: Member, shell: Shell) -> None:
    shell.audited("audited.csv", range(50, 53), DAY)
    shell.planned("planned.csv", [3, 50, 400])
    printed = shell.run("contribute", "audited.csv", "--yes")
    assert "3 sites contributed to 2026-h2/social-audit" in printed
    assert "row 2, as an example" in printed
    assert "nothing was sent again" in shell.run("contribute", "audited.csv", "--yes")
    printed = shell.run("check", "planned.csv", "-o", "overlaps.xlsx", "--yes")
    assert "1 assessed" in printed and "of 3 planned audits" in printed
    sheet = openpyxl.load_workbook(shell.folder / "overlaps.xlsx")["Result"]
    found = {row[0].value: row[6].value for row in sheet.iter_rows(min_row=2)}
    assert found["P3"] == "assessed" and found["P50"] != "assessed"  # P50 is its own, and not published yet
    status = shell.run("status")
    assert pseudonym(shell) in status and "4,096" in status and "131,072" in status


@pytest.mark.parametrize("command", ["contribute", "check"])
def test_an_interrupt_ends_at_once_and_the_same_command_goes_on_at_no_further_quota(
    command: str, world: World, watcher: Member, shell: Shell
) -> None:
    shell.audited("list.csv", range(60, 70), DAY)
    if command == "check":
        shell.planned("list.csv", range(5, 15))
    name = pseudonym(shell)
    with world.frozen(1, 2):
        process = shell.start(command, "list.csv", "--yes")
        until(lambda: used(watcher, name), process)  # the batch is granted, and the trustees stay silent
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, output + errors
    assert time.monotonic() - begun < 60
    assert "Interrupted. Run the same command again: it goes on where it stopped, at no further quota." in errors
    assert "Traceback" not in errors
    spent = used(watcher, name)
    printed = shell.run(command, "list.csv", "--yes")
    assert ("10 sites contributed" if command == "contribute" else "5 assessed") in printed
    assert used(watcher, name) == spent == 2048


def test_a_killed_contribution_is_finished_under_its_own_grant(world: World, watcher: Member, shell: Shell) -> None:
    shell.audited("list.csv", range(70, 75), DAY)
    name = pseudonym(shell)
    with world.frozen(1, 2):
        process = shell.start("contribute", "list.csv", "--yes")
        until(lambda: used(watcher, name), process)
        process.kill()
        process.communicate()
    assert "5 sites contributed" in shell.run("contribute", "list.csv", "--yes")
    assert used(watcher, name) == 2048


def test_two_commands_on_one_vault_do_not_mix(world: World, watcher: Member, shell: Shell) -> None:
    shell.audited("list.csv", range(80, 85), DAY)
    name = pseudonym(shell)
    with world.frozen(1, 2):
        first = shell.start("contribute", "list.csv", "--yes")
        until(lambda: used(watcher, name), first)
        for second in (("status",), ("contribute", "list.csv", "--yes")):
            refusal = shell.run(*second, code=1)
            assert f"another command (process {first.pid}) is using this vault" in " ".join(refusal.split())
        first.kill()
        first.communicate()
    assert name in shell.run("status")  # the lock went with its process
    assert "5 sites contributed" in shell.run("contribute", "list.csv", "--yes")


def test_a_vault_with_a_passphrase_that_is_moved(world: World, watcher: Member, tmp_path: Path) -> None:
    old, new = Shell(tmp_path / "old"), Shell(tmp_path / "new")
    old.folder.mkdir()
    secret = {"TACIT_PASSPHRASE": "correct horse battery staple"}
    old.run("init", "--passphrase", **secret)
    old.run("enrol", world.invitations.pop(), **secret)
    old.planned("planned.csv", [3])
    old.run("check", "planned.csv", "-o", "a.csv", "--yes", **secret)
    old.folder.rename(new.folder)
    assert "wrong passphrase" in new.run("status", code=1, TACIT_PASSPHRASE="wrong")
    assert "locked with a passphrase" in new.run("status", code=1)
    assert "2,048" in new.run("status", **secret)
    new.run("check", "planned.csv", "-o", "b.csv", "--yes", **secret)
    assert (new.folder / "b.csv").read_bytes() == (new.folder / "a.csv").read_bytes()
    assert "2,048" in new.run("status", **secret)  # the outputs were in the vault
    assert secret["TACIT_PASSPHRASE"].encode() not in b"".join(
        p.read_bytes() for p in new.home.rglob("*") if p.is_file()
    )


def test_below_the_threshold_the_command_says_who_and_that_nothing_is_lost(
    world: World, watcher: Member, shell: Shell
) -> None:
    shell.planned("planned.csv", [3])
    for index in (1, 3):
        world.kill(index)
    try:
        printed = " ".join(shell.run("check", "planned.csv", "--yes", code=1).split())
    finally:
        for index in (1, 3):
            world.revive(index)
    # The third is alive, and answers nothing that a majority of witnesses has not cosigned.
    assert "2 trustees must answer, 0 did. Nothing is lost: run the command again later" in printed
    assert "trustee 1" in printed and "trustee 3" in printed
    assert not (shell.folder / "overlaps.xlsx").exists()
    assert "1 assessed" in shell.run("check", "planned.csv", "--yes")
    assert used(watcher, pseudonym(shell)) == 2048


def test_nothing_is_asked_of_anybody_when_the_result_cannot_be_written(
    world: World, watcher: Member, shell: Shell
) -> None:
    shell.planned("planned.csv", [3])
    (shell.folder / "there.xlsx").write_text("x")
    for target, why in (
        ("there.xlsx", "exists already"),
        ("planned.csv", "your list itself"),
        ("x.pdf", ".xlsx or .csv"),
    ):
        printed = shell.run("check", "planned.csv", "-o", target, "--yes", code=1)
        assert why in printed and "Nothing was sent" in printed
    assert used(watcher, pseudonym(shell)) == 0
    assert (shell.folder / "there.xlsx").read_text() == "x"


def test_without_a_terminal_and_without_yes_nothing_is_sent(world: World, watcher: Member, shell: Shell) -> None:
    shell.planned("planned.csv", [3])
    assert "add --yes" in shell.run("check", "planned.csv", code=2)
    assert used(watcher, pseudonym(shell)) == 0
