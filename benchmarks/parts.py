"""Where the time of a contribution and of a check goes: CPU time of each part, in R for each record or plan.

Functions are wrapped, not sampled; what a wrapped function spends inside another one counts for the other. Everything
runs in one thread, so that nothing is hidden by waiting.

    python -m benchmarks.parts [--back-end native] [--records 5000] [--plans 2000] [--index 100000]
"""

from __future__ import annotations

import argparse
import importlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks import synthetic_index
from benchmarks.in_memory import EPOCH, STREAM, RoundInMemory, audited, planned
from benchmarks.reference import exchange_seconds
from tacit_client.vault import Vault
from tacit_protocol import shuffle

RESULTS = Path("build/bench/parts.json")
PARTS = {
    "group operations of the member": ["benchmarks.in_memory:MeteredBackend.__getattr__"],
    "trustees": ["benchmarks.in_memory:TrusteeInMemory.evaluate"],
    "match keys": ["tacit_client.row_keys:normalise_site", "tacit_client.row_keys:match_keys"],
    "payload with its sketch": ["tacit_client.contribution:prepare", "tacit_client.contribution:encode_payload"],
    "judging with the sketch": ["tacit_client.checking:judge"],
    "tags and wrap keys": ["benchmarks.in_memory:MeteredBackend.entry_keys", "tacit_protocol.sealed_index:entry_keys"],
    "sealing records": ["benchmarks.in_memory:MeteredBackend.seal_records", "tacit_protocol.sealed_index:record_keys"],
    "sealing to the secretariat (HPKE)": ["tacit_protocol.shuffle:seal_all_for_secretariat"],
    "padding and shuffling batches": ["tacit_client.session:_padded"],
    "vault": ["tacit_client.vault:Vault.put", "tacit_client.vault:Vault.get"],
    "hashing the index": ["tacit_protocol.index_file:root_of"],
    "checking the index's order": ["tacit_protocol.index_file:IndexFile._is_sorted"],
    "looking up and opening": ["tacit_client.session:open_index", "tacit_client.session:_open_plan"],
}


class Clock:
    """CPU seconds by part; a part that starts inside another one interrupts it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stack = ["all the rest"]
        self._since = time.process_time()

    @contextmanager
    def running(self, part: str) -> Iterator[None]:
        self.switch()
        self._stack.append(part)
        try:
            yield
        finally:
            self.switch()
            self._stack.pop()

    def switch(self) -> None:
        """Book the time since the last switch to the part that runs."""
        now = time.process_time()
        part = self._stack[-1]
        self.seconds[part] = self.seconds.get(part, 0.0) + now - self._since
        self._since = now

    def wrap(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **options: Any) -> Any:
            with self.running(part):
                return function(*arguments, **options)

        return timed

    def wrap_lookup(self, part: str, lookup: Callable[..., Any]) -> Callable[..., Any]:
        return lambda backend, name: self.wrap(part, lookup(backend, name))


class Inline:
    """Runs what it is given at once, in place of a thread pool."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self) -> Inline:
        return self

    def __exit__(self, *_: object) -> None: ...

    def shutdown(self, **_: object) -> None: ...

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def inline() -> Iterator[None]:
    """Let a member's commands do everything in the thread that calls them, one stage after the other."""
    with (
        mock.patch("tacit_client.evaluation.ThreadPoolExecutor", Inline),
        mock.patch("tacit_client.pipeline.ThreadPoolExecutor", Inline),
    ):
        yield


def parts_of(command: Callable[[], object]) -> dict[str, float]:
    """Run a command and return CPU seconds by part."""
    clock = Clock()
    patches: list[AbstractContextManager[object]] = [inline()]
    for part, places in PARTS.items():
        for place in places:
            module_name, _, path = place.partition(":")
            owner: Any = importlib.import_module(module_name)
            *outer, name = path.split(".")
            for step in outer:
                owner = getattr(owner, step)
            wrap = clock.wrap_lookup if name == "__getattr__" else clock.wrap
            patches.append(mock.patch.object(owner, name, wrap(part, getattr(owner, name))))
    with ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        clock.switch()
        clock.seconds.clear()
        command()
        clock.switch()
    return clock.seconds


def run(back_end: str, records: int, plans: int, index: int) -> dict[str, dict[str, float]]:
    """Return R per record of a contribution and R per plan of a check, by part; a small run first loads everything."""
    _run(back_end, 10, 10, 100)
    return _run(back_end, records, plans, index)


def _run(back_end: str, records: int, plans: int, index: int) -> dict[str, dict[str, float]]:
    reference = exchange_seconds()
    with tempfile.TemporaryDirectory() as folder:
        round_, sites = RoundInMemory(back_end, Path(folder) / "one"), audited(range(records))
        contribution = parts_of(lambda: round_.contribute(sites))
        pages = round_.trustees[0].pages.values()
        real = [
            shuffle.open_at_secretariat(round_.agreement_key, EPOCH, STREAM, upload)
            for page in pages
            for upload in shuffle.split_page(page)[: plans // 10]
        ][: plans // 10]
        cache = Path(folder) / "cache"
        root = synthetic_index.write(cache / EPOCH / STREAM, index, real)
        round_.vault = Vault.create(Path(folder) / "two")
        wanted = planned(range(plans))
        check = parts_of(lambda: round_.check(wanted, root, cache))
    reference = min(reference, exchange_seconds())
    return {
        "contribution": {part: seconds / records / reference for part, seconds in contribution.items()},
        "check": {part: seconds / plans / reference for part, seconds in check.items()},
    }


def main() -> None:
    """Print and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--back-end", default="auto")
    parser.add_argument("--records", type=int, default=5_000)
    parser.add_argument("--plans", type=int, default=2_000)
    parser.add_argument("--index", type=int, default=100_000)
    options = parser.parse_args()
    figures = run(options.back_end, options.records, options.plans, options.index)
    for command, parts in figures.items():
        print(f"{command}: {sum(parts.values()):.1f} R per {'record' if command == 'contribution' else 'plan'}")
        for part, ratio in sorted(parts.items(), key=lambda item: -item[1]):
            print(f"  {part:36} {ratio:7.2f} R")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    sizes = {"records": options.records, "plans": options.plans, "index": options.index}
    RESULTS.write_text(json.dumps({"sizes": sizes, **figures}, indent=1))


if __name__ == "__main__":
    main()
