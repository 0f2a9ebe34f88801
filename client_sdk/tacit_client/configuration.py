"""What a member's machine knows beside its vault: whom it deals with, and the invitation that told it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tacit_client.errors import VaultError
from tacit_client.vault import write_atomically
from tacit_matcher.identifiers import IdentifierError, parse_aliases
from tacit_protocol import checkpoint as notes
from tacit_protocol import messages, signing
from tacit_protocol.checkpoint import Note
from tacit_protocol.errors import EncodingError
from tacit_protocol.messages import Index, Key32, Message, Url
from tacit_protocol.witnessing import Cosigned, WitnessError, WitnessPolicy, majority

_POLICY = "witness-policy.json"

_LIMIT_BYTES = 65536


class SecretariatCard(Message, frozen=True):
    """The secretariat's address and signing key."""

    url: Url
    signing_key: Key32


class PinnedTrustee(Message, frozen=True):
    """A trustee's signing key, pinned by the invitation: the secretariat cannot put another in its place later."""

    index: Index
    signing_key: Key32
    retired: bool = False  # stands in earlier manifests, and is no witness any more


class Invitation(Message, frozen=True):
    """The file by which the secretariat invites a member; it reaches the member by a trusted way, such as by hand."""

    version: int
    secretariat: SecretariatCard
    code: str
    trustees: tuple[PinnedTrustee, ...]


class Configuration(Message, frozen=True):
    """Non-secret settings in ``config.json``."""

    version: int
    member: str
    secretariat: SecretariatCard
    trustees: tuple[PinnedTrustee, ...]

    @property
    def trustee_keys(self) -> Mapping[int, bytes]:
        """Return the pinned signing keys by trustee index."""
        return {trustee.index: trustee.signing_key for trustee in self.trustees}


class WitnessPolicyFile(Message, frozen=True):
    """``witness-policy.json``: which trustees must have cosigned the log before this member acts on it.

    Made from the invitation; whoever edits it decides how many cosignatures are demanded and how old they may be.
    With n witnesses of which f might lie together with the secretariat, more than (n + f) / 2 rule a fork out.
    """

    version: Literal[1]
    log_key: Key32  # the secretariat's signing key
    witnesses: tuple[PinnedTrustee, ...]
    needed: Index
    maximum_age_seconds: Annotated[int, Meta(ge=1)] | None = 86400

    def verify(self, note: Note, now: int) -> Cosigned:
        """Return the checkpoint; raises :class:`WitnessError` that names the trustees that are behind."""
        names = {notes.witness_name(each.signing_key): each for each in self.witnesses}
        keys = {name: each.signing_key for name, each in names.items()}
        policy = WitnessPolicy(self.log_key, keys, self.needed, self.maximum_age_seconds)
        try:
            return policy.verify(note, now)
        except WitnessError as error:
            behind = {f"trustee {names[name].index}": fact for name, fact in error.evidence.items() if name in names}
            raise WitnessError(error.message, party=", ".join(behind), evidence=behind) from error


def policy_of(configuration: Configuration) -> WitnessPolicyFile:
    """Return the policy that follows from the pinned trustees: more than half of those that are not retired."""
    witnesses = tuple(trustee for trustee in configuration.trustees if not trustee.retired)
    return WitnessPolicyFile(1, configuration.secretariat.signing_key, witnesses, majority(len(witnesses)))


def load_policy(home: Path) -> WitnessPolicyFile:
    """Read ``witness-policy.json``; raises :class:`VaultError` that says what is wrong with it."""
    path = home / _POLICY
    if not path.exists():
        save_policy(home, policy_of(load(home)))
    policy = messages.decode(path.read_bytes(), WitnessPolicyFile, path.name)
    if policy.log_key != load(home).secretariat.signing_key:
        raise VaultError(f"{path.name} names another log key than the invitation did")
    if policy.needed > len(policy.witnesses):
        raise VaultError(
            f"{path.name} demands {policy.needed} cosignatures and names {len(policy.witnesses)} witnesses"
        )
    return policy


def save_policy(home: Path, policy: WitnessPolicyFile) -> None:
    """Write ``witness-policy.json`` atomically, readable for people."""
    write_atomically(home / _POLICY, msgspec.json.format(messages.encode(policy), indent=2))


def read_invitation(path: Path) -> Invitation:
    """Read an invitation file; raises :class:`VaultError` that names the file."""
    try:
        if not path.is_file():
            raise VaultError(f"the invitation {path.name} does not exist or is no file: check the name and the folder")
        with path.open("rb") as file:
            data = file.read(_LIMIT_BYTES + 1)
    except OSError as error:
        raise VaultError(f"the invitation {path.name} cannot be read: {error.strerror}") from error
    try:
        invitation = messages.decode(data[:_LIMIT_BYTES], Invitation, path.name)
    except EncodingError as error:
        raise VaultError(
            f"{path.name} is no invitation, or a damaged one: ask the secretariat to send it again"
        ) from error
    if invitation.version != 1:
        raise VaultError(f"the invitation {path.name} is of version {invitation.version}: update this program")
    return invitation


def is_enrolled(home: Path) -> bool:
    """Tell whether this machine has joined a round."""
    return (home / "config.json").exists()


def load_aliases(home: Path) -> dict[str, str]:
    """Read ``os-id-aliases.csv`` ("retired OS ID, current OS ID"), where it is there.

    Facilities that a register merged keep two OS IDs; all members of a round need the same table. Raises
    :class:`VaultError` that names the line.
    """
    path = home / "os-id-aliases.csv"
    try:
        return parse_aliases(path.read_text(encoding="utf-8-sig").splitlines())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError):
        raise VaultError(f"{path.name} cannot be read: save it as CSV in UTF-8, or remove it") from None
    except IdentifierError as error:
        raise VaultError(f"{path.name}: {error}; correct that line, or remove the file") from None


def load(home: Path) -> Configuration:
    """Read ``config.json``; raises :class:`VaultError` when this machine is not enrolled."""
    path = home / "config.json"
    if not path.exists():
        raise VaultError("this machine is not enrolled: run 'tacit enrol INVITATION' first")
    try:
        configuration = messages.decode(path.read_bytes(), Configuration, path.name)
    except (OSError, EncodingError) as error:
        raise VaultError(
            f"{path.name} is damaged: restore it, or delete it and enrol again with your invitation"
        ) from error
    if configuration.version != 1:
        raise VaultError(f"{path.name} is of version {configuration.version}: update this program")
    return configuration


def verify_same_round(known: Configuration, invitation: Invitation) -> None:
    """Raise :class:`VaultError` when an invitation would put other parties in the place of those pinned.

    A vault belongs to one round: its board, blinds and quota are of that secretariat and those trustees. A trustee that
    came later may be added; one that is known keeps its key.
    """
    if invitation.secretariat.signing_key != known.secretariat.signing_key:
        raise VaultError(
            "this vault belongs to the round of another secretariat: make another vault for this invitation, with "
            "'tacit init --home FOLDER'"
        )
    for trustee in invitation.trustees:
        if known.trustee_keys.get(trustee.index, trustee.signing_key) != trustee.signing_key:
            raise VaultError(
                f"the invitation gives trustee {trustee.index} another key than the one pinned when you enrolled: ask "
                "that trustee itself before you go on",
                party="secretariat",
            )


def save(home: Path, configuration: Configuration) -> None:
    """Write ``config.json`` atomically, readable for people."""
    write_atomically(home / "config.json", msgspec.json.format(messages.encode(configuration), indent=2))


def of_invitation(invitation: Invitation, signing_key: bytes) -> Configuration:
    """Return the settings that follow from an invitation."""
    return Configuration(1, signing.pseudonym(signing_key), invitation.secretariat, invitation.trustees)
