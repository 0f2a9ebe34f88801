"""What each program loads: a server never the code that reads a supplier's name, a member no server framework."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.world import World, audited, planned

RECORD_CODE = {
    f"tacit_matcher.{name}"
    for name in ("records", "normalise", "keys", "sketch", "judge", "policy", "payload", "identifiers")
}


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A round whose servers note every module they import, at any time, in their logs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPROFILEIMPORTTIME", "1")
        world = World.start(tmp_path_factory.mktemp("traced"))
        patch.delenv("PYTHONPROFILEIMPORTTIME")
    yield world
    world.stop()


def imported(log: Path) -> set[str]:
    return set(re.findall(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", log.read_text(), re.M))


def test_running_servers_never_load_record_code(traced: World) -> None:
    member = traced.member("member")
    member.contribute([audited(number) for number in range(3)])
    traced.close_window(member)
    other = traced.member("other")
    assert other.check(planned(1)).rows[0].status == "assessed"
    modules = {
        server.name: imported(traced.folder / f"{server.name.replace(' ', '-')}.log")
        for server in traced.parties.servers()
    }
    assert len(modules) == 4
    for name, loaded in modules.items():
        assert f"tacit_server.{name.split()[0]}.app" in loaded, f"the trace of {name} shows nothing"
        assert not loaded & RECORD_CODE, name
    assert "tacit_matcher.index" in modules["secretariat"]


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}; import sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


SERVER_CODE = {"fastapi", "starlette", "uvicorn", "sqlmodel", "sqlalchemy", "duckdb", "tacit_server"}


@pytest.mark.parametrize(
    "statement",
    [
        "import tacit_client",
        "from tacit_client import Member",
        "import tacit_client.cli, tacit_client.show, tacit_client.lists, tacit_client.member",
    ],
)
def test_a_members_program_loads_no_server_code(statement: str) -> None:
    loaded = loaded_by(statement)
    assert "tacit_client" in loaded
    assert not loaded & SERVER_CODE


def test_the_command_line_starts_without_loading_what_only_work_needs() -> None:
    loaded = loaded_by("import tacit_client.cli")
    assert not loaded & {"tacit_client.member", "httpx2", "python_calamine", "xlsxwriter", "rbcl", "pycountry"}
