"""Who was silent, as far as the log shows it: in a key ceremony, and as a witness since.

A request that gets no answer leaves nothing that a third party could judge, so there is no evidence file for silence.
What the log shows is what is missing on it. A trustee that is named here was silent, or the secretariat did not take
what it sent: a trustee's own log of what it posted, and the others that reach it, tell which.
"""

from __future__ import annotations

import time

from tacit_client.audit.findings import FINDING, NOTE, Report, WitnessFacts
from tacit_client.audit.heads import COSIGNATURES, FRESH_SECONDS
from tacit_protocol.board import RESTART, Board, CeremonyRecord
from tacit_protocol.messages import Manifest

CEREMONIES = "key ceremonies"
CEREMONY_SECONDS = 86400  # after an epoch opens: without its key no member can use the epoch


def report_ceremony(report: Report, board: Board, manifest: Manifest, stream: str, now: int, *, complete: bool) -> bool:
    """Name the trustees that an attempt waited for in vain, and those that the present one waits for.

    Returns True when the present one waits for somebody. It is a finding where a key came about without a trustee, or
    none for a day after the epoch opened; what an attempt that was given up waited for is a note.
    """
    waits = False
    for number in range(1, board.attempt_number(manifest.epoch, stream) + 1):
        record = board.ceremonies.get((manifest.epoch, stream, number))
        for step, indices in _missing(record, manifest, complete).items():
            parties = [f"trustee {index}" for index in indices]
            names, place = ", ".join(parties), f"{step} of the key ceremony of {manifest.epoch}/{stream}"
            if record is not None and RESTART in record.cuts:
                severity, text = NOTE, f"attempt {number} was given up while {names} stayed silent in {place}"
            elif record is not None and step in record.cuts:
                severity, text = FINDING, f"{names} stayed silent in {place}, until the wait was cut"
            elif complete:
                continue  # an attempt that began after the key was in force: nobody waits for it
            else:
                late = now > manifest.opens + CEREMONY_SECONDS
                severity, text = FINDING if late else NOTE, f"no key yet: {names} has to speak in {place}"
                waits = True
            report.add(severity, CEREMONIES, text, *parties)
    return waits


def _missing(record: CeremonyRecord | None, manifest: Manifest, complete: bool) -> dict[str, list[int]]:
    if record is None:
        return {} if complete else {"ceremony-1": sorted(trustee.index for trustee in manifest.trustees)}
    steps: dict[str, list[int]] = {}
    for index, step in record.waited_for().items():
        steps.setdefault(step, []).append(index)
    return steps


def report_witnesses(report: Report, board: Board, now: int) -> None:
    """Name the trustees of a running epoch that have not cosigned the checkpoint, or stopped doing so.

    One missing cosignature proves little: a checkpoint is shown as soon as more than half have cosigned. One that is
    old beside fresh ones does: a log at rest is cosigned anew by all all the time. ``tacit audit monitor`` remembers.
    """
    newest = max((facts.time for facts in report.witnesses if facts.time is not None), default=None)
    for facts in report.witnesses:
        if not is_due(board, facts.trustee, now):
            continue
        party = f"trustee {facts.trustee}"
        if facts.time is None:
            text = f"{party} has not cosigned this checkpoint: it is away, or does not follow this log"
            report.add(NOTE, COSIGNATURES, text, party)
        elif newest is not None and newest - facts.time > FRESH_SECONDS:
            report.add(FINDING, COSIGNATURES, _stopped(facts.trustee, facts.time), party)


def report_absent(report: Report, last: dict[int, int], now: int) -> None:
    """Take the cosignatures of a report into ``last`` (trustee: when it was seen to cosign), and name who is overdue.

    A trustee that was never seen to cosign counts from the first look on. ``last`` is changed in place.
    """
    overdue = {facts.trustee for facts in _named(report)}
    for facts in report.witnesses:
        if facts.time is not None:
            last[facts.trustee] = max(facts.time, last.get(facts.trustee, 0))
        elif facts.trustee in overdue and now - last.setdefault(facts.trustee, now) > FRESH_SECONDS:
            report.add(FINDING, COSIGNATURES, _stopped(facts.trustee, last[facts.trustee]), f"trustee {facts.trustee}")


def is_due(board: Board, trustee: int, now: int) -> bool:
    """Tell whether a trustee belongs to an epoch that has not closed: only then does anybody count on it."""
    manifests = board.ledger.manifests.values()
    return any(now < m.closes and trustee in {t.index for t in m.trustees} for m in manifests)


def _named(report: Report) -> list[WitnessFacts]:
    """Return the witnesses that are missing and named for it."""
    named = {party for f in report.findings if f.check == COSIGNATURES and f.severity == NOTE for party in f.parties}
    return [facts for facts in report.witnesses if f"trustee {facts.trustee}" in named]


def _stopped(trustee: int, since: int) -> str:
    date = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(since))
    return f"trustee {trustee} has not been seen to cosign a checkpoint since {date}"
