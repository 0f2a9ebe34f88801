from __future__ import annotations

from pathlib import Path

import pytest

from support.audits import Case


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """An honest board with two members, a published window and its files in a folder."""
    return Case(tmp_path / "log")
