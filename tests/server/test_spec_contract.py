"""Appendix A of protocol/SPEC.md is the servers' contract: every path and status in it, and none beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from server.running import World
from tacit_protocol.request_signing import CLOCK_SKEW_SECONDS, TAG, VALIDITY_SECONDS
from tacit_server import http, problems
from tacit_server.secretariat import rounds
from tacit_server.secretariat.app import create_app as secretariat_app
from tacit_server.trustee.app import TrusteeOptions
from tacit_server.trustee.app import create_app as trustee_app

SPEC = (Path(__file__).parents[2] / "protocol" / "SPEC.md").read_text(encoding="utf-8")
APPENDIX = SPEC[SPEC.index("## Appendix A") : SPEC.index("## Appendix B")]


UNLISTED = ("/metrics", "/", "/console/style.css")  # named in words: not for programs of the protocol


def section(number: str) -> str:
    return re.split(r"^### A\.\d", APPENDIX, flags=re.MULTILINE)[int(number)]


def paths_in(text: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^\| `(GET|PUT|POST) (/[^?`\s]*)", text, re.MULTILINE))


def log_paths(party: str) -> set[tuple[str, str]]:
    rows = re.findall(r"^\| `(GET|POST) (/\S*)` \| (\w+) \|", section("5"), re.MULTILINE)
    return {(method, path) for method, path, where in rows if where == party}


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    routes = [route for route in app.routes if isinstance(route, APIRoute) and route.path not in UNLISTED]
    found = {(method, route.path.replace(":path", "")) for route in routes for method in route.methods or ()}
    return {(method, path) for method, path in found if method != "HEAD"}


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FastAPI]:
    world = World(tmp_path_factory.mktemp("contract"), trustee_count=1)
    return {
        "3": secretariat_app(world.home(0), world.settings),
        "4": trustee_app(world.home(1), world.settings, TrusteeOptions(back_end="libsodium", threads=1)),
    }


@pytest.mark.parametrize("number", ["3", "4"], ids=["secretariat", "trustee"])
def test_the_paths_are_those_of_the_specification(apps: dict[str, FastAPI], number: str) -> None:
    assert len(paths_in(section(number))) >= 5
    of_the_log = log_paths("secretariat" if number == "3" else "trustee")
    assert of_the_log
    assert paths_in(section(number)) | of_the_log == routes_of(apps[number])


def test_the_statuses_are_those_of_the_specification() -> None:
    rows = re.findall(r"^\| (\d{3}) \| ([^|]*) \|", section("2"), re.MULTILINE)
    listed = {(int(status), name) for status, names in rows for name in re.findall(r"`([a-z-]+)`", names)}
    assert listed == set(problems._STATUS.values())


def test_times_sizes_and_kinds_are_those_of_the_specification() -> None:
    assert f'`tag="{TAG}"`' in APPENDIX
    assert f"`E - C` is at most {VALIDITY_SECONDS}" in APPENDIX
    assert f"`C <= now + {CLOCK_SKEW_SECONDS}`" in APPENDIX
    assert f"`now <= E + {CLOCK_SKEW_SECONDS}`" in APPENDIX
    assert f"| JSON body | {http.JSON_BYTES:,} bytes |" in SPEC
    for kind in (*rounds.MEMBER_KINDS, "handover"):
        assert f"`{kind}`" in section("3")
