"""Pages stay as they are while they are judged."""

from __future__ import annotations

import pytest

from tacit_server.errors import BusyError
from tacit_server.gate import Gate


def test_several_write_at_once_and_nobody_judges_meanwhile() -> None:
    gate = Gate()
    with gate.writing(1):
        with gate.writing(1):
            pass
        with pytest.raises(BusyError), gate.judging(1):
            pass
        with gate.judging(2):  # another place has nothing to do with it
            pass
    with gate.judging(1):
        pass


def test_nobody_writes_or_judges_beside_a_judge_and_an_error_opens_the_gate_again() -> None:
    gate = Gate()
    with pytest.raises(KeyError), gate.judging(1):
        for way in (gate.writing, gate.judging):
            with pytest.raises(BusyError), way(1):
                pass
        raise KeyError
    with pytest.raises(KeyError), gate.writing(1):
        raise KeyError
    with gate.judging(1):
        pass
