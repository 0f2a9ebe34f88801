"""One command at a time on one vault; a lock that a dead process left behind blocks nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tacit_client.errors import VaultError
from tacit_client.lock import HomeLock

HOLD = """
import sys, time
from pathlib import Path
from tacit_client.lock import HomeLock
with HomeLock(Path(sys.argv[1])).held():
    print("held", flush=True)
    time.sleep(60)
"""


def hold(home: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


def test_another_process_is_named_and_a_killed_one_blocks_nobody(tmp_path: Path) -> None:
    process = hold(tmp_path)
    try:
        message = rf"another command \(process {process.pid}\) is using this vault: wait"
        with pytest.raises(VaultError, match=message), HomeLock(tmp_path, patience=0.1).held():
            pass
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with HomeLock(tmp_path, patience=0.1).held():
        assert str(os.getpid()) in (tmp_path / "in-use.lock").read_text()


def test_a_short_wait_is_waited_out(tmp_path: Path) -> None:
    process = hold(tmp_path)
    timer = threading.Timer(0.3, process.kill)
    timer.start()
    with HomeLock(tmp_path, patience=30).held():
        pass
    process.wait()


def test_the_holder_may_go_in_again_and_others_after_it_left(tmp_path: Path) -> None:
    lock, other = HomeLock(tmp_path), HomeLock(tmp_path, patience=0.1)
    with lock.held():
        with lock.held():
            pass
        with pytest.raises(VaultError, match="another command"), other.held():
            pass
    with other.held():
        pass


def test_an_error_inside_releases_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), HomeLock(tmp_path).held():
        raise ZeroDivisionError
    with HomeLock(tmp_path, patience=0.1).held():
        pass


def test_threads_that_share_a_lock_wait_for_each_other(tmp_path: Path) -> None:
    lock, inside, worst = HomeLock(tmp_path), 0, 0

    def work() -> None:
        nonlocal inside, worst
        for _ in range(20):
            with lock.held():
                inside += 1
                worst = max(worst, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worst == 1


def test_a_folder_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(VaultError, match="cannot be written to"), HomeLock(tmp_path / "none").held():
        pass
