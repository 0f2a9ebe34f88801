from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.running import World, wait_for
from tacit_server.observing import configure_logging

configure_logging("error")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A secretariat and three trustees (2 of 3, the third shuffles) whose ceremony is complete."""
    world = World(tmp_path_factory.mktemp("world"))
    world.start()
    world.open_epoch()
    wait_for(world.ceremony_complete, "the ceremony is complete")
    yield world
    world.stop()
