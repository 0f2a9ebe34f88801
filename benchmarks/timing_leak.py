"""Does the time of an evaluation, or of sealing, tell anything of the secret? A statistical check like dudect's.

One element is multiplied by a fixed secret or by a fresh random one, in random order, many times; Welch's t compares
the two classes of CPU times, on all of them and on the faster parts, where interruptions do not hide small differences
(Reparaz, Balasch, Verbauwhede, "Dude, is my code constant time?", DATE 2017). |t| above 4.5 is a leak; below, none
was seen with that many measurements, which is no proof. As a control the same is done with a sum that may run in
variable time and is never given a secret: there the check must find the leak, or it could not find any.

    python -m benchmarks.timing_leak [--samples 200000]
"""

from __future__ import annotations

import argparse
import gc
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from benchmarks.conftest import back_ends
from tacit_protocol import scalars
from tacit_protocol.group import ORDER, Backend, load_backend

THRESHOLD = 4.5
RESULTS = Path("build/bench/timing_leak.json")
_PARTS = (0.25, 0.5, 0.75, 0.9, 1.0)
_WARM_UP = 1000
_SEALINGS = 64  # in one call, and so many times fewer calls: each makes the recipient's table
# All of full length, as every real share is but for a chance of 2^-60: leading zeros are not what is looked for.
FIXED = {
    "few bits set": 2**252,
    "many bits set": 2**252 - 1 - 2**200,
    "order - 1": ORDER - 1,
    "a random one": int.from_bytes(b"\x0d" + bytes(range(77, 46, -1)), "big"),
}


@dataclass(frozen=True)
class Finding:
    """One comparison."""

    back_end: str
    operation: str
    fixed: str
    samples: int
    t: float

    @property
    def leaks(self) -> bool:
        return abs(self.t) > THRESHOLD


def compare(work: Callable[[bytes], object], fixed: bytes, samples: int) -> float:
    """Return the largest t (by its absolute value) between a fixed and random scalars, over several parts."""
    classes = [bit & 1 for bit in secrets.token_bytes(samples)]
    arguments = [fixed if is_fixed else scalars.reduce(secrets.token_bytes(64)) for is_fixed in classes]
    arguments = [bytes(bytearray(argument)) for argument in arguments]  # every one an object of its own
    times = [0] * samples
    for argument in arguments[:_WARM_UP]:
        work(argument)
    gc.disable()
    try:
        for i, argument in enumerate(arguments):
            start = time.thread_time_ns()
            work(argument)
            times[i] = time.thread_time_ns() - start
    finally:
        gc.enable()
    return max((_t_of_part(times, classes, part) for part in _PARTS), key=abs)


def _t_of_part(times: Sequence[int], classes: Sequence[int], part: float) -> float:
    limit = sorted(times)[int(part * (len(times) - 1))]
    kept = [
        [time for time, cls in zip(times, classes, strict=True) if cls == wanted and time <= limit] for wanted in (0, 1)
    ]
    if min(map(len, kept)) < 2:
        return 0.0
    variance = sum(statistics.variance(values) / len(values) for values in kept)
    difference = statistics.fmean(kept[1]) - statistics.fmean(kept[0])
    return difference / variance**0.5 if variance else 0.0


def run(samples: int) -> list[Finding]:
    """Compare every fixed secret on every back end, and run the control."""
    findings = []
    for name in back_ends():
        group = load_backend(name)
        element = group.decode(group.hash_to_group([b"one element"], b"timing").encode())
        for label, value in FIXED.items():
            fixed = scalars.from_int(value)
            t = compare(_evaluation(group, element), fixed, samples)
            findings.append(Finding(name, "evaluate", label, samples, t))
            fewer = samples // _SEALINGS
            t = compare(_sealing(group), fixed, fewer)
            findings.append(Finding(name, "seal each", label, fewer, t))
    if "native" in back_ends():
        native = load_backend("native")
        points = native.decode(native.hash_to_group([b"public"], b"timing").encode())
        sparse = scalars.from_int(2**252)
        t = compare(lambda scalar: native.weighted_sum(scalar, points), sparse, samples)
        findings.append(Finding("native", "control: weighted sum", "few bits set", samples, t))
    return findings


def _sealing(group: Backend) -> Callable[[bytes], object]:
    """Seal several messages with one ephemeral key, which nobody else ever does, so that the key's share shows."""
    recipient, plaintexts = X25519PrivateKey.generate().public_key().public_bytes_raw(), bytes(_SEALINGS)
    return lambda secret: group.seal_each(recipient, b"timing", plaintexts, 1, secret * _SEALINGS)


def _evaluation(group: Backend, element: object) -> Callable[[bytes], object]:
    return lambda secret: group.multiply(secret, element)  # type: ignore[arg-type]


def main() -> int:
    """Print and keep the findings; the exit code says whether a leak was seen or the control found none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=200_000)
    findings = run(parser.parse_args().samples)
    for finding in findings:
        verdict = "differs" if finding.leaks else "no difference seen"
        print(f"{finding.back_end:10} {finding.operation:24} {finding.fixed:14} t = {finding.t:8.2f}  {verdict}")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode([asdict(finding) for finding in findings])))
    bad = [f for f in findings if f.leaks != f.operation.startswith("control")]
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
