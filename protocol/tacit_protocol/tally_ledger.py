"""What the log says about tallies: which roster was announced, who has submitted, what was released.

The log holds digests only: of every member's masked, encrypted tally and of the release. The rules keep anybody from
reading one member out of two sums: a roster is replaced only while it cannot be summed, and one tally is released once.
The sums themselves (masks, encryption, suppression of small cells) are no part of the log.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tacit_protocol import messages, signing
from tacit_protocol.errors import SignatureError, TallyError
from tacit_protocol.grants import Ledger
from tacit_protocol.messages import BoardEntry, TallyAnnouncement, TallyInput, TallyRelease

KINDS = frozenset({"tally", "tally-input", "tally-release"})


@dataclass
class AnnouncedTally:
    """A roster, and what came for it."""

    entry: int
    announcement: TallyAnnouncement
    inputs: dict[str, bytes] = field(default_factory=dict)  # member: digest of what it submitted
    release: TallyRelease | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the members of the roster that have not submitted."""
        return tuple(member for member in self.announcement.roster if member not in self.inputs)


@dataclass
class TallyLedger:
    """Announcements by entry, fed with the log's entries in order; ``latest`` is the one that counts for each tally."""

    announced: dict[int, AnnouncedTally] = field(default_factory=dict)
    latest: dict[tuple[str, str], int] = field(default_factory=dict)  # (epoch, tally): entry

    def apply(self, entry: BoardEntry, ledger: Ledger) -> None:
        """Take in one entry of :data:`KINDS`; raises :class:`TallyError` or :class:`SignatureError`.

        That an announcement is signed by the secretariat is checked before.
        """
        if entry.message.kind == "tally":
            self._announce(entry, ledger)
        elif entry.message.kind == "tally-input":
            self._submit(entry, ledger)
        else:
            self._release(entry, ledger)

    def _announce(self, entry: BoardEntry, ledger: Ledger) -> None:
        announcement = messages.body_of(entry.message, TallyAnnouncement)
        place, name = (announcement.epoch, announcement.tally), f"tally {announcement.tally} of {announcement.epoch}"
        manifest = ledger.manifests.get(announcement.epoch)
        if manifest is None:
            raise TallyError(f"{name}: the epoch was not opened", party="secretariat")
        if announcement.trustee not in {trustee.index for trustee in manifest.trustees}:
            raise TallyError(f"{name}: the epoch has no trustee {announcement.trustee}", party="secretariat")
        roster = announcement.roster
        if list(roster) != sorted(set(roster)) or not set(roster) <= ledger.signing_keys.keys():
            raise TallyError(
                f"the roster of {name} must name enrolled members, each once and in order", party="secretariat"
            )
        earlier = self.announced.get(self.latest.get(place, -1))
        if earlier is not None and not earlier.missing:
            # Two sums over rosters that differ in one member would give away what that member submitted.
            raise TallyError(f"{name} has a roster whose members have all submitted: it stays", party="secretariat")
        self.announced[entry.sequence] = AnnouncedTally(entry.sequence, announcement)
        self.latest[place] = entry.sequence

    def _submit(self, entry: BoardEntry, ledger: Ledger) -> None:
        member = entry.message.signer
        key = ledger.signing_keys.get(member)
        if key is None:
            raise SignatureError(f"member {member} is not enrolled: run 'tacit enrol' first", party=member)
        signing.verify(key, entry.message)  # first: what a member did not sign is not held against it
        submitted = messages.body_of(entry.message, TallyInput)
        tally = self._current(submitted.announcement, f"member {member}", member)
        if member not in tally.announcement.roster:
            raise TallyError(f"member {member} is not on the roster of entry {tally.entry}", party=member)
        if tally.inputs.get(member, submitted.digest) != submitted.digest:
            raise TallyError(f"member {member} submitted to the tally of entry {tally.entry} already", party=member)
        tally.inputs[member] = submitted.digest

    def _release(self, entry: BoardEntry, ledger: Ledger) -> None:
        release = messages.body_of(entry.message, TallyRelease)
        tally = self._current(release.announcement, f"signer {entry.message.signer}", "secretariat")
        index = tally.announcement.trustee
        party = f"trustee {index}"
        try:
            signing.verify(ledger.manifests[tally.announcement.epoch].trustee(index).signing_key, entry.message)
        except SignatureError as error:
            raise TallyError(f"only {party} releases the tally of entry {tally.entry}", party="secretariat") from error
        if tally.missing:
            raise TallyError(
                f"{party} released the tally of entry {tally.entry} without {len(tally.missing)} of its roster",
                party=party,
                evidence={"missing": ", ".join(tally.missing)},
            )
        if tally.release not in (None, release):
            raise TallyError(f"{party} released the tally of entry {tally.entry} twice", party=party)
        tally.release = release

    def _current(self, announcement: int, who: str, party: str) -> AnnouncedTally:
        tally = self.announced.get(announcement)
        if tally is None:
            raise TallyError(f"{who} refers to entry {announcement}, which announces no tally", party=party)
        if self.latest[tally.announcement.epoch, tally.announcement.tally] != announcement:
            raise TallyError(f"{who} refers to entry {announcement}, whose roster was replaced", party=party)
        return tally
