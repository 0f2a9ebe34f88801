"""A member's whole view of Tacit in one class: create, enrol, contribute, check, status.

    >>> from tacit_client import Member                                        # doctest: +SKIP
    >>> me = Member.create("my-tacit")                                         # doctest: +SKIP
    >>> me.enrol("invitation.json")                                            # doctest: +SKIP
    >>> me.contribute("audited.xlsx")                                          # doctest: +SKIP
    >>> report = me.check("planned.xlsx")                                      # doctest: +SKIP

This module draws the randomness and the time; :mod:`tacit_client.session` holds the logic without either.
"""

from __future__ import annotations

import datetime
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tacit_client import configuration
from tacit_client.answering import Answerer
from tacit_client.checking import Checker, CheckReport
from tacit_client.configuration import Configuration, Invitation
from tacit_client.contribution import Contribution, Contributor
from tacit_client.errors import VaultError
from tacit_client.evaluation import Evaluator
from tacit_client.lists import read_audited, read_planned
from tacit_client.lock import HomeLock
from tacit_client.log_follower import LogFollower
from tacit_client.own_records import OwnRecords
from tacit_client.parties import Secretariat, TrusteeServer
from tacit_client.progress import Progress, silent
from tacit_client.session import StreamContext
from tacit_client.transport import HttpTransport, Transport
from tacit_client.vault import Vault
from tacit_matcher.policy import Policy
from tacit_matcher.records import AuditedSite, PlannedAudit
from tacit_protocol import messages, signing
from tacit_protocol.access import statement_digest
from tacit_protocol.board import Board, BoardError
from tacit_protocol.errors import CeremonyError
from tacit_protocol.group import Backend, load_backend
from tacit_protocol.messages import Enrolment, Manifest, StatementSignature

DEFAULT_STREAM = "social-audit"


@dataclass(frozen=True)
class StreamStatus:
    """How one (epoch, stream) stands for this member."""

    epoch: str
    stream: str
    ready: bool
    window: int
    contributed_window: int | None
    index_window: int | None
    index_records: int
    used: int
    quota: int
    closes: datetime.date


class Member:
    """One member on one machine; ``home`` is the folder of its vault, settings and cache."""

    def __init__(
        self, home: Path, vault: Vault, *, back_end: str = "auto", threads: int = 0, transport: Transport | None = None
    ) -> None:
        self.home, self._vault = home, vault
        self._signing_key = Ed25519PrivateKey.from_private_bytes(vault.get("keys/signing"))
        self._agreement_key = X25519PrivateKey.from_private_bytes(vault.get("keys/agreement"))
        self._back_end, self._threads = back_end, threads or os.cpu_count() or 1
        self.transport: Transport = transport or HttpTransport(self._signing_key)
        self._lock = HomeLock(home)
        self.warnings: list[str] = []
        self._log: LogFollower | None = None

    @classmethod
    def create(
        cls,
        home: str | Path,
        passphrase: str | None = None,
        *,
        back_end: str = "auto",
        threads: int = 0,
        transport: Transport | None = None,
    ) -> Member:
        """Make a new vault with fresh keys in the folder ``home``."""
        folder = Path(home).expanduser()
        keys = {
            "keys/signing": Ed25519PrivateKey.generate().private_bytes_raw(),
            "keys/agreement": X25519PrivateKey.generate().private_bytes_raw(),
        }
        vault = Vault.create(folder, passphrase, keys)
        return cls(folder, vault, back_end=back_end, threads=threads, transport=transport)

    @classmethod
    def open(
        cls,
        home: str | Path,
        passphrase: str | None = None,
        *,
        back_end: str = "auto",
        threads: int = 0,
        transport: Transport | None = None,
    ) -> Member:
        """Open the member that lives in ``home``; raises :class:`VaultError` when there is none."""
        folder = Path(home).expanduser()
        vault = Vault.open(folder, passphrase)
        return cls(folder, vault, back_end=back_end, threads=threads, transport=transport)

    def close(self) -> None:
        """Close all connections."""
        if isinstance(self.transport, HttpTransport):
            self.transport.close()

    def __enter__(self) -> Member:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pseudonym(self) -> str:
        """Return the name under which this member stands on the board."""
        return signing.pseudonym(signing.public_bytes(self._signing_key))

    @cached_property
    def group(self) -> Backend:
        """Return the group back end in use."""
        return load_backend(self._back_end, self._threads)

    def enrol(self, invitation: str | Path | Invitation) -> None:
        """Join the round with an invitation file; doing it again with the same one changes nothing.

        Raises :class:`VaultError` for a file that is no invitation, or is of another round than this vault's, and
        ``Refused`` when the invitation was used by somebody else or has expired.
        """
        if not isinstance(invitation, Invitation):
            invitation = configuration.read_invitation(Path(invitation).expanduser())
        with self._lock.held():
            self._enrol(invitation)

    def _enrol(self, invitation: Invitation) -> None:
        if (self.home / "config.json").exists():
            configuration.verify_same_round(self._settings, invitation)
        public_key = signing.public_bytes(self._signing_key)
        message = Enrolment(public_key, self._agreement_key.public_key().public_bytes_raw())
        signed = signing.sign(self._signing_key, messages.kind_of(message), messages.encode(message))
        Secretariat(self.transport, invitation.secretariat.url).enrol(invitation.code, signed)
        settings = configuration.of_invitation(invitation, public_key)
        if not configuration.is_enrolled(self.home) or configuration.load(self.home).trustees != settings.trustees:
            configuration.save_policy(self.home, configuration.policy_of(settings))
        configuration.save(self.home, settings)
        self._log = None

    @property
    def pinned_trustees(self) -> dict[int, str]:
        """Return the names of the pinned trustees' keys by index; compare them with what each trustee itself says."""
        return {index: signing.pseudonym(key) for index, key in sorted(self._settings.trustee_keys.items())}

    def statement(self, *, stream: str = DEFAULT_STREAM, epoch: str | None = None) -> str:
        """Return what the epoch asks this member to sign and it has not signed yet; "" when there is nothing."""
        board = self.board()
        name = epoch or self._current(board, stream).epoch
        rules = board.ledger.access.rules.get(name)
        signed = (name, self.pseudonym) in board.ledger.access.signed
        return "" if rules is None or signed else rules.statement

    def sign_statement(self, *, stream: str = DEFAULT_STREAM, epoch: str | None = None) -> None:
        """Sign the statement of an epoch, on the log; without one to sign, nothing happens."""
        if not self.statement(stream=stream, epoch=epoch):
            return
        board = self.log.board
        rules = board.ledger.access.rules[epoch or self._current(board, stream).epoch]
        message = StatementSignature(rules.epoch, statement_digest(rules))
        signed = signing.sign(self._signing_key, messages.kind_of(message), messages.encode(message))
        self.log.wait_for(Secretariat(self.transport, self._settings.secretariat.url).post(signed))

    def contribute(
        self,
        audited: str | Path | Sequence[AuditedSite],
        *,
        stream: str = DEFAULT_STREAM,
        epoch: str | None = None,
        columns: Mapping[str, str] | None = None,
        sheet: str | None = None,
        progress: Progress = silent,
    ) -> Contribution:
        """Contribute a list (a file, or records): only assessments of the last three years go in.

        Raises ``ListError`` when the file has rows that cannot be used: nothing is sent then. An interrupted
        contribution goes on where it stopped when it is called again, and spends no quota twice.
        """
        if isinstance(audited, str | Path):
            preview = read_audited(Path(audited).expanduser(), columns=columns, today=self.today(), sheet=sheet)
            preview.raise_for_errors()
            audited = [record for _, record in preview.rows]
        with self._lock.held():
            return self._contribute(audited, stream, epoch, progress)

    def _contribute(
        self, audited: Sequence[AuditedSite], stream: str, epoch: str | None, progress: Progress
    ) -> Contribution:
        board = self.board()
        manifest, context = self._stream(board, stream, epoch)
        evaluator = self._evaluator(manifest, context)
        shuffler = TrusteeServer(self.transport, manifest.trustee(manifest.shuffler))
        aliases = configuration.load_aliases(self.home)
        contributor = Contributor(self._vault, evaluator, context, manifest, shuffler, self._signing_key, aliases)
        try:
            return contributor.contribute(board, audited, progress)
        finally:
            self.warnings += evaluator.warnings

    def check(
        self,
        planned: str | Path | Sequence[PlannedAudit],
        *,
        stream: str = DEFAULT_STREAM,
        epoch: str | None = None,
        columns: Mapping[str, str] | None = None,
        sheet: str | None = None,
        policy: Policy | None = None,
        progress: Progress = silent,
    ) -> CheckReport:
        """Check planned audits against the published index and return one row for each, in their order.

        Raises what :meth:`contribute` raises, and :class:`BoardError` before the first index was published.
        """
        if isinstance(planned, str | Path):
            preview = read_planned(Path(planned).expanduser(), columns=columns, sheet=sheet)
            preview.raise_for_errors()
            planned = [record for _, record in preview.rows]
        with self._lock.held():
            return self._check(planned, stream, epoch, policy or Policy(), progress)

    def _check(
        self, planned: Sequence[PlannedAudit], stream: str, epoch: str | None, policy: Policy, progress: Progress
    ) -> CheckReport:
        board = self.board()
        manifest, context = self._stream(board, stream, epoch)
        evaluator = self._evaluator(manifest, context)
        aliases = configuration.load_aliases(self.home)
        checker = Checker(self._vault, evaluator, context, self.home / "cache", policy, aliases)
        try:
            report = checker.check(board, planned, self.today(), progress)
        finally:
            self.warnings += evaluator.warnings
        self._verify_own(board, context, checker)
        return report

    def status(self) -> list[StreamStatus]:
        """Tell for every open stream what is ready, contributed, published and spent.

        An index that must contain the own records is fetched once and looked through: see ``warnings``.
        """
        board = self.board()
        self.warnings += self.query_audits().reminders(board)
        found = []
        for manifest in board.ledger.manifests.values():
            for stream in manifest.streams:
                found.append(self._stream_status(board, manifest, stream))
                if found[-1].contributed_window is not None and found[-1].ready:
                    _, context = self._stream(board, stream, manifest.epoch)
                    evaluator = self._evaluator(manifest, context)
                    self._verify_own(
                        board, context, Checker(self._vault, evaluator, context, self.home / "cache", Policy())
                    )
        return found

    def query_audits(self) -> Answerer:
        """Return what answers the query audits that are addressed to this member."""
        secretariat = Secretariat(self.transport, self._settings.secretariat.url)
        return Answerer(self.group, self._vault, secretariat, self._signing_key, self.log.wait_for, self._lock)

    def board(self) -> Board:
        """Follow the log and return the view of it; raises when it is not witnessed as the policy demands."""
        with self._lock.held():
            return self.log.follow()

    @property
    def log(self) -> LogFollower:
        """Return the log as this member follows it."""
        if self._log is None or self._log.transport is not self.transport:
            settings = self._settings
            secretariat = Secretariat(self.transport, settings.secretariat.url)
            board = Board(settings.secretariat.signing_key, settings.trustee_keys)
            self._log = LogFollower(self.home, board, configuration.load_policy(self.home), secretariat)
        return self._log

    def today(self) -> datetime.date:
        """Return today's date (UTC)."""
        return datetime.datetime.now(datetime.UTC).date()

    @property
    def _settings(self) -> Configuration:
        return configuration.load(self.home)

    def _stream(self, board: Board, stream: str, epoch: str | None) -> tuple[Manifest, StreamContext]:
        manifest = board.manifest(epoch) if epoch else self._current(board, stream)
        if stream not in manifest.streams:
            raise BoardError(f"epoch {manifest.epoch} has no stream {stream}, only: {', '.join(manifest.streams)}")
        keys = board.stream_keys(self.group, manifest.epoch, stream)
        for index, reason in keys.disqualified.items():
            self.warnings.append(f"trustee {index} was disqualified in the key ceremony: it {reason}")
        return manifest, StreamContext(manifest.epoch, stream, manifest.threshold, keys.public_key, keys.public_shares)

    def _verify_own(self, board: Board, context: StreamContext, checker: Checker) -> None:
        """Look whether the own records are under the logged index root; warn with a complaint file if not."""
        own = OwnRecords(self._vault, context, self.log, self._signing_key)
        secretariat = Secretariat(self.transport, self._settings.secretariat.url)
        warning = own.verify(board, checker.verified, secretariat.handover_list)
        if warning is not None:
            self.warnings.append(warning)

    def _current(self, board: Board, stream: str) -> Manifest:
        now = time.time()
        candidates = [
            manifest
            for manifest in board.ledger.manifests.values()
            if stream in manifest.streams and manifest.opens <= now < manifest.closes
        ]
        if not candidates:
            raise BoardError(f"the secretariat has no open epoch with the stream {stream}: ask it when the next opens")
        return max(candidates, key=lambda manifest: manifest.opens)

    def _evaluator(self, manifest: Manifest, context: StreamContext) -> Evaluator:
        trustees = [
            TrusteeServer(self.transport, trustee)
            for trustee in manifest.trustees
            if trustee.index in context.public_shares
        ]
        # Members start with different trustees, so that the load is shared; which ones answer is no secret.
        start = int.from_bytes(signing.public_bytes(self._signing_key)[:4], "big") % len(trustees)
        secretariat = Secretariat(self.transport, self._settings.secretariat.url)
        rotated = trustees[start:] + trustees[:start]
        return Evaluator(
            self.group, self._vault, context, secretariat, rotated, self._signing_key,
            self.log.wait_for, self.log.keep_wrong_answer,
        )  # fmt: skip

    def _stream_status(self, board: Board, manifest: Manifest, stream: str) -> StreamStatus:
        try:
            board.stream_keys(self.group, manifest.epoch, stream)
            ready = True
        except CeremonyError:
            ready = False
        mine = [
            c.window
            for m, c in board.uploads.values()
            if m == self.pseudonym and (c.epoch, c.stream) == (manifest.epoch, stream)
        ]
        index = board.latest_index(manifest.epoch, stream)
        return StreamStatus(
            manifest.epoch,
            stream,
            ready,
            board.open_window(manifest.epoch, stream),
            max(mine, default=None),
            index.window if index else None,
            index.records if index else 0,
            board.ledger.used.get((manifest.epoch, stream, self.pseudonym), 0),
            manifest.quota,
            datetime.datetime.fromtimestamp(manifest.closes, datetime.UTC).date(),
        )


__all__ = ["Member", "StreamStatus", "VaultError"]
