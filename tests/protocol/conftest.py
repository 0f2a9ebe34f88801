from __future__ import annotations

from collections.abc import Callable

import pytest

from support.vectors import draw_from
from tacit_protocol.group import Backend, load_backend


def installed_back_ends() -> list[str]:
    try:
        load_backend("native")
    except ImportError:
        return ["libsodium"]
    return ["libsodium", "native"]


@pytest.fixture(scope="session", params=installed_back_ends())
def group(request: pytest.FixtureRequest) -> Backend:
    """Every test that takes a group runs on every back end that is installed."""
    return load_backend(request.param)


@pytest.fixture
def draw(request: pytest.FixtureRequest) -> Callable[[int], bytes]:
    return draw_from(request.node.nodeid)
