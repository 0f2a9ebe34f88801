"""The protocol read a second time: a member in JavaScript on @noble, written from SPEC.md, on vectors and real servers.

Needs Node 20.19 or newer and the packages of package.json (``make interop`` installs them); says so where it has not.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.running import EPOCH, GROUP, STREAM, FakeMember, World, wait_for
from tacit_protocol import sealed_index, signing
from tacit_protocol.index_file import IndexFile
from tacit_server.observing import configure_logging
from tacit_server.secretariat.operator import operations

configure_logging("error")
FOLDER = Path(__file__).parent
VECTORS = FOLDER.parent / "vectors" / "tacit"
TIMEOUT_SECONDS = 300

pytestmark = pytest.mark.xdist_group("second-reading")


@pytest.fixture(scope="module")
def node() -> str:
    """Return the program; skips with the reason where it or the packages are not there."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("the second reading of the protocol was NOT run: there is no node on this machine")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if tuple(map(int, version.removeprefix("v").split(".")[:2])) < (20, 19):
        pytest.skip(f"the second reading of the protocol was NOT run: node is {version}, it needs v20.19")
    if not (FOLDER / "node_modules" / "@noble" / "curves").is_dir():
        pytest.skip("the second reading of the protocol was NOT run: 'make interop' installs its packages")
    return program


def run(node: str, script: str, *arguments: str, given: str = "") -> str:
    done = subprocess.run(
        [node, script, *arguments],
        cwd=FOLDER,
        input=given,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_every_vector_is_what_the_specification_says(node: str) -> None:
    lines = run(node, "vectors.mjs", str(VECTORS)).splitlines()
    files = {path.stem for path in VECTORS.glob("*.json")} - {"match_keys"}
    assert {line.split(":")[0] for line in lines} == files


@pytest.mark.parametrize("name", ["proof", "answer", "outputs", "sealed_record", "ceremony", "board", "log"])
def test_a_changed_vector_is_noticed(node: str, name: str, tmp_path: Path) -> None:
    """The check above could not fail otherwise."""
    shutil.copytree(VECTORS, tmp_path / "vectors", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = tmp_path / "vectors" / f"{name}.json"
    field = {
        "proof": "composite_z", "outputs": "outputs", "sealed_record": "sealed", "ceremony": "transcript",
        "answer": "wrong_answer", "board": "root",
        "log": "root",
    }[name]  # fmt: skip
    text = path.read_text(encoding="utf-8")
    at = text.index('"', text.index(f'"{field}":') + len(field) + 3) + 1
    other = "0" if text[at] != "0" else "1"
    path.write_text(text[:at] + other + text[at + 1 :], encoding="utf-8")
    done = subprocess.run(
        [node, "vectors.mjs", str(path.parent)], cwd=FOLDER, capture_output=True, timeout=TIMEOUT_SECONDS, check=False
    )
    assert done.returncode != 0


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Real servers: a secretariat and three trustees, 2 of 3; the ceremony is complete."""
    world = World(tmp_path_factory.mktemp("second-reading"))
    world.start()
    world.open_epoch(minimum_contributors=1)
    wait_for(world.ceremony_complete, "the ceremony is complete")
    yield world
    world.stop()


def close_window(world: World, window: int) -> None:
    assert operations.close_window(world.keeper, EPOCH, STREAM).window == window
    world.wait_for_index(window)


def opened(world: World, member: FakeMember, window: int, output: bytes) -> list[bytes]:
    """Open what an output finds in a window's index, with our own code."""
    data = member.send(0, "GET", f"/v1/indexes/{EPOCH}/{STREAM}/{window}").content
    index = IndexFile(data)
    index.verify(member.board().indexes[EPOCH, STREAM, window])
    key = sealed_index.entry_key(sealed_index.entry_context(EPOCH, STREAM, world.stream_keys().public_key), output)
    found = []
    for salt, wrapped in index.find(key.tag):
        record_key = sealed_index.unwrap(key, salt, wrapped)
        record = index.record(sealed_index.record_keys(record_key).commitment)
        assert record is not None
        found.append(sealed_index.open_record(EPOCH, STREAM, record_key, record))
    return found


def test_a_member_written_from_the_specification_takes_part(node: str, world: World) -> None:
    """It checks the board, has its inputs evaluated, finds our record, and contributes one that we find."""
    ours, theirs, nobodys = (b"match key of " + name for name in (b"ours", b"theirs", b"nobody's"))
    payload, answer = secrets.token_bytes(224), secrets.token_bytes(224)
    member = world.member()
    outputs = member.outputs([ours, theirs, nobodys])
    member.upload(member.seal([(payload, [ours])], outputs))
    close_window(world, 1)

    configuration: dict[str, Any] = {
        "secretariat": {"url": world.url(0), "key": world.keeper.home.public_key.hex()},
        "trustees": {i: signing.public_bytes(world.home(i).signing_key).hex() for i in (1, 2, 3)},
        "code": world.invitation(),
        "epoch": EPOCH,
        "stream": STREAM,
        "inputs": [value.hex() for value in (ours, theirs, nobodys)],
        "contribute": {"input": theirs.hex(), "payload": answer.hex()},
        "tamper": 1,
    }
    result = json.loads(run(node, "member.mjs", given=json.dumps(configuration)))

    assert result["publicKey"] == world.stream_keys().public_key.hex()
    # Trustee 1's answers were changed on the way: its signature does not hold, the next trustee's replaces it.
    ((index, party, why),) = result["refused"]
    assert (index, party) == (1, "nobody") and "is not signed by it" in why
    assert result["outputs"] == {value.hex(): outputs[value].hex() for value in (ours, theirs, nobodys)}
    assert result["found"] == {ours.hex(): [payload.hex()], theirs.hex(): [], nobodys.hex(): []}
    assert result["contributed"]["window"] == 2

    close_window(world, 2)
    assert opened(world, member, 2, outputs[theirs]) == [answer]
    assert opened(world, member, 2, outputs[ours]) == [payload]
    assert opened(world, member, 2, outputs[nobodys]) == []


def test_a_manifest_with_a_trustee_that_is_not_pinned_is_refused(node: str, world: World) -> None:
    configuration = {
        "secretariat": {"url": world.url(0), "key": world.keeper.home.public_key.hex()},
        "trustees": {i: signing.public_bytes(world.home(i).signing_key).hex() for i in (1, 2)},
        "code": world.invitation(),
        "epoch": EPOCH,
        "stream": STREAM,
        "inputs": ["00"],
    }
    done = subprocess.run(
        [node, "member.mjs"],
        cwd=FOLDER,
        input=json.dumps(configuration),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode != 0
    assert "trustee 3 that is not pinned" in done.stderr


def test_the_group_of_both_is_the_same(node: str) -> None:
    """One line of arithmetic on each side, so that a wrong library shows here and not deep in a ceremony."""
    script = "import { Point } from './blocks.mjs'; console.log(Point.BASE.multiply(5n).toHex());"
    done = subprocess.run(
        [node, "--input-type=module", "-e", script], cwd=FOLDER, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == GROUP.multiply_base((5).to_bytes(32, "little")).encode().hex()
