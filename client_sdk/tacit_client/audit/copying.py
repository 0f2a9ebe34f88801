"""An auditor's own copy of the log: what was shown once must be shown again, or both versions are kept as evidence."""

from __future__ import annotations

from pathlib import Path

from tacit_client.audit.findings import FINDING, Report
from tacit_client.audit.sources import ENTRIES, FolderSource, download_entries, download_indexes
from tacit_client.parties import Secretariat
from tacit_protocol.messages import IndexRoot

CONSISTENCY = "one history"


def update(folder: Path, secretariat: Secretariat, report: Report) -> FolderSource:
    """Fetch the whole log anew, compare it with what was shown before, and let it take the old copy's place.

    A log that contradicts the old copy takes no place: it stays beside it as ``board.contradicting.jsonl``, the finding
    says where they part, and the audit goes on with the new one, which is what others are shown now.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    kept, fresh = folder / ENTRIES, folder / f".{ENTRIES}.new"
    download_entries(secretariat, fresh)
    parted = _parting(kept, fresh) if kept.exists() else None
    report.checked(CONSISTENCY, 1)
    if parted is None:
        fresh.replace(kept)
        return FolderSource(folder, secretariat.url)
    contradicting = folder / "contradicting"
    contradicting.mkdir(exist_ok=True)
    fresh.replace(contradicting / ENTRIES)
    report.add(
        FINDING,
        CONSISTENCY,
        f"the secretariat shows another history than before from entry {parted} on: {ENTRIES} holds what it showed "
        f"first, contradicting/{ENTRIES} what it shows now; both are signed by those who made the entries",
        "secretariat",
        entry=parted,
    )
    return FolderSource(contradicting, secretariat.url)


def add_indexes(source: FolderSource, secretariat: Secretariat, roots: list[IndexRoot]) -> None:
    """Fetch the published indexes that the copy lacks."""
    download_indexes(secretariat, source.folder, roots)


def _parting(kept: Path, fresh: Path) -> int | None:
    """Return the first entry in which the fresh log does not repeat the kept one, or None."""
    with kept.open("rb") as old, fresh.open("rb") as new:
        for number, line in enumerate(old):
            if new.readline() != line:
                return number
    return None
