"""Check planned audits: evaluate their keys, download the whole index, open, judge, apply the member's own policy."""

from __future__ import annotations

import mmap
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from tacit_client import session
from tacit_client.contribution import own_records_name
from tacit_client.evaluation import Evaluator
from tacit_client.list_cells import ListError
from tacit_client.lists import write_results
from tacit_client.progress import Progress, silent
from tacit_client.row_keys import Row, RowKeys
from tacit_client.session import OpenedRecord, StreamContext
from tacit_client.vault import Vault
from tacit_matcher.judge import judge
from tacit_matcher.keys import KEY_TYPES
from tacit_matcher.normalise import NormalSite
from tacit_matcher.payload import SCHEMES, PayloadError, Scope, decode_payload
from tacit_matcher.policy import Hit, Policy, Result, apply
from tacit_matcher.records import PlannedAudit
from tacit_matcher.text import plain
from tacit_protocol import sealed_index
from tacit_protocol.board import Board, BoardError
from tacit_protocol.errors import IndexFileError
from tacit_protocol.group import Backend
from tacit_protocol.index_file import IndexFile
from tacit_protocol.messages import IndexRoot

COLUMNS = (
    "Plan ID", "Supplier name", "Address", "City", "Postcode", "Country", "Status", "Assessed in", "Scheme",
    "Scheme version", "Scope", "Report held at", "Matched by", "Sure", "What to do next",
)  # fmt: skip


@dataclass(frozen=True)
class ReportRow:
    """The answer for one planned audit."""

    plan: PlannedAudit
    status: str  # "assessed", "possible" or "not found"
    assessed_in: str = ""
    scheme: str = ""
    scheme_version: str = ""
    scope: str = ""
    held_at: str = ""
    matched_by: str = ""
    probability: float = 0.0
    next_step: str = ""

    @property
    def plan_id(self) -> str:
        """Return the plan's identifier."""
        return self.plan.plan_id


@dataclass(frozen=True)
class CheckReport:
    """The answers in the order of the plans, and the index they come from."""

    epoch: str
    stream: str
    window: int
    index_records: int
    rows: Sequence[ReportRow]
    without_keys: tuple[int, ...] = ()  # positions of plans too poor to be found

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the rows as .xlsx or .csv, whole or not at all."""
        facts = {
            "Epoch": self.epoch,
            "Stream": self.stream,
            "Index": f"window {self.window}, {self.index_records} records",
            "assessed": "another member's assessment fits your rules: ask the supplier for that report",
            "possible": "please look: it may be the same site, or the same company at another site",
            "not found": "nobody contributed this site, or it is written so differently that it was not recognised",
        }
        write_results(Path(path), [_cells(row) for row in self.rows], COLUMNS, about=facts, overwrite=overwrite)


@dataclass
class Checker:
    """Checks against the newest index of one (epoch, stream) for one member."""

    vault: Vault
    evaluator: Evaluator
    context: StreamContext
    cache: Path
    policy: Policy
    aliases: Mapping[str, str] = field(default_factory=dict)  # OS IDs of merged facilities

    def check(
        self, board: Board, plans: Sequence[PlannedAudit], today: date, progress: Progress = silent
    ) -> CheckReport:
        """Return one row for each plan; raises :class:`BoardError` when nothing was published yet."""
        root = board.latest_index(self.context.epoch, self.context.stream)
        if root is None:
            raise BoardError(
                f"no index of {self.context.epoch}/{self.context.stream} has been published yet: "
                "the secretariat publishes when it closes the first window"
            )
        keys = RowKeys(
            [plan.site for plan in plans], self.aliases, progress, secrets.token_bytes, keep=lambda site: site
        )
        outputs = self.evaluator.outputs(keys.inputs(), keys.whole)
        entry_keys = self.context.entry_keys(self.evaluator.group, outputs, outputs)
        own, rows = self._own(), []
        with self.verified(root, progress) as index:
            wanted = [[entry_keys[value] for value in row.inputs] for row in keys]
            opened = session.open_index(self.context, index, wanted, own)
            for done, (plan, row, (records, _)) in enumerate(zip(plans, keys, opened, strict=True)):
                hits = self._hits(records, row)
                rows.append(_row(plan, apply(self.policy, hits, today), findable=bool(row.inputs)))
                if done % 50 == 0:
                    progress("opening", done, len(plans))
        progress("opening", len(plans), len(plans))
        poor = tuple(position for position, row in enumerate(keys) if not row.inputs)
        return CheckReport(self.context.epoch, self.context.stream, root.window, root.records, rows, poor)

    def _hits(self, opened: Sequence[OpenedRecord], row: Row[NormalSite]) -> list[Hit]:
        hits = []
        for record in opened:
            agreed = tuple(row.types[position] for position in record.agreed)
            try:
                payload = decode_payload(record.payload)
            except PayloadError:
                continue  # a contributor's newer or broken program: nobody's match
            judgement = judge(record.sketch_key, payload.sketch, row.kept, agreed, payload.scope)
            hits.append(Hit(payload, judgement, agreed))
        return hits

    @contextmanager
    def verified(self, root: IndexRoot, progress: Progress = silent) -> Iterator[IndexFile]:
        """Open the index, fetched unless it is in the cache; a damaged one is fetched once more before giving up.

        What is read afterwards is the very map that was hashed.
        """
        for last in (False, True):
            path = self._fetch(root, progress)
            with _mapped(path) as data:
                index, fault = _verify(data, root, self.evaluator.group)
                if index is not None:
                    yield index
                    return
            path.unlink()  # once it is not mapped any more, which some systems demand
            if last and fault is not None:
                raise fault

    def _fetch(self, root: IndexRoot, progress: Progress) -> Path:
        """Bring the index into the cache, and let it be the only one of its stream there."""
        folder = self.cache / self.context.epoch / self.context.stream
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{root.root.hex()}.index"
        have = 0

        def received(count: int) -> None:
            nonlocal have
            have += count
            progress("index", have, root.size)

        self.evaluator.secretariat.download_index(root, path, received)
        for other in folder.glob("*.index"):  # of earlier windows
            if other != path:
                other.unlink()
        return path

    def _own(self) -> frozenset[bytes]:
        name = own_records_name(self.context)
        packed = self.vault.get(name) if self.vault.has(name) else b""
        size = sealed_index.COMMITMENT_BYTES
        return frozenset(packed[i : i + size] for i in range(0, len(packed), size))


def policy_with(
    threshold: float | None = None, max_age_months: int | None = None, schemes: Collection[str] = ()
) -> Policy:
    """Return the default policy with what the member wants otherwise; raises :class:`ListError` on an unknown scheme.

    Assessments are dated by quarters, so that an age in months is rounded up to whole ones.
    """
    known = {plain(name): name for name in SCHEMES}
    unknown = [name for name in schemes if plain(name) not in known]
    if unknown:
        raise ListError(f"--accept {unknown[0]!r}: no scheme is called that; there are {', '.join(SCHEMES)}")
    usual = Policy()
    return Policy(
        max_age_quarters=usual.max_age_quarters if max_age_months is None else -(-max_age_months // 3),
        accepted_schemes=frozenset(known[plain(name)] for name in schemes) or None,
        min_probability=usual.min_probability if threshold is None else threshold,
    )


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def _verify(data: mmap.mmap, root: IndexRoot, group: Backend) -> tuple[IndexFile | None, IndexFileError | None]:
    try:
        index = IndexFile(data, group)
        index.verify(root)
    except IndexFileError as error:
        return None, error
    return index, None


def _row(plan: PlannedAudit, result: Result, *, findable: bool) -> ReportRow:
    hit = result.hit
    if hit is None:
        step = "plan your own audit"
        if not findable:
            step = "add country and city, or an identifier, and check again: too little stands here to find the site by"
        return ReportRow(plan, "not found", next_step=step)
    payload, judgement = hit.payload, hit.judgement
    is_site = judgement.scope is Scope.SITE
    if result.status == "assessed":
        where = "the supplier" if payload.platform == "ask the supplier" else f"the supplier, on {payload.platform}"
        step = f"ask {where} for the report of {_quarter(payload.assessed)}"
    elif is_site:
        step = "look whether it is the same site, then ask the supplier"
    else:
        step = "the company was assessed, not this site: ask the supplier which sites it covers"
    return ReportRow(
        plan,
        result.status,
        _quarter(payload.assessed),
        payload.scheme,
        payload.scheme_version,
        "site" if is_site else "entity",
        payload.platform,
        "; ".join(_labels(hit.agreed)),
        judgement.probability,
        step,
    )


def _labels(agreed: Sequence[str]) -> list[str]:
    """Return in words what agreed, what says most first."""
    kinds = sorted({KEY_TYPES[name] for name in agreed}, key=lambda kind: (-kind.confidence, kind.name))
    return [kind.label for kind in kinds]


def _quarter(quarter: tuple[int, int]) -> str:
    return f"{quarter[0]}-Q{quarter[1]}"


def _cells(row: ReportRow) -> dict[str, object]:
    site = row.plan.site
    sure = round(row.probability, 3) if row.probability else ""
    values = (
        row.plan_id, site.name, site.address, site.city, site.postcode, site.country, row.status, row.assessed_in,
        row.scheme, row.scheme_version, row.scope, row.held_at, row.matched_by, sure, row.next_step,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))
