"""Who may have evaluations in which stream: eligibility, and the statement that a member signs for an epoch.

Blinding hides which list an evaluation is for, so that a key of its own and these rules are what keep a member out of a
stream. The rules of an epoch stand on the log before its manifest, and do not change afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from tacit_protocol import messages, signing
from tacit_protocol.errors import GrantError
from tacit_protocol.messages import AccessRules, Eligibility, Manifest, StatementSignature
from tacit_protocol.signing import Signed

KINDS = frozenset({"rules", "eligibility", "statement"})


def statement_digest(rules: AccessRules) -> bytes:
    """Return what a member signs: the hash of the statement's text, bound to its epoch."""
    return hashlib.sha256(f"tacit/1 statement|{rules.epoch}|{rules.statement}".encode()).digest()


@dataclass
class Access:
    """The rules by epoch, who is eligible for what, and who has signed; as the log tells it."""

    rules: dict[str, AccessRules] = field(default_factory=dict)
    eligible: set[tuple[str, str, str]] = field(default_factory=set)  # epoch, stream, member
    signed: set[tuple[str, str]] = field(default_factory=set)  # epoch, member

    def apply(self, message: Signed, manifests: Mapping[str, Manifest], signing_keys: Mapping[str, bytes]) -> None:
        """Take in one entry of :data:`KINDS`; the secretariat's were verified to be the secretariat's."""
        if message.kind == "rules":
            self._apply_rules(messages.body_of(message, AccessRules), manifests)
        elif message.kind == "eligibility":
            self._apply_eligibility(messages.body_of(message, Eligibility), manifests, signing_keys)
        else:
            self._apply_signature(message, signing_keys)

    def check(self, epoch: str, stream: str, member: str) -> None:
        """Raise :class:`GrantError` unless ``member`` may have evaluations in this stream."""
        rules = self.rules.get(epoch)
        if rules is None:
            return
        if stream in rules.restricted and (epoch, stream, member) not in self.eligible:
            raise GrantError(
                f"member {member} is not eligible for {epoch}/{stream}: ask the secretariat to admit it to this stream",
                party=member,
            )
        if rules.statement and (epoch, member) not in self.signed:
            raise GrantError(
                f"member {member} has not signed the statement of epoch {epoch}: run 'tacit statement' first",
                party=member,
            )

    def _apply_rules(self, rules: AccessRules, opened: Collection[str]) -> None:
        if rules.epoch in opened or rules.epoch in self.rules:
            raise GrantError(f"the rules of epoch {rules.epoch} come once, before its manifest", party="secretariat")
        self.rules[rules.epoch] = rules

    def _apply_eligibility(
        self, message: Eligibility, manifests: Mapping[str, Manifest], members: Collection[str]
    ) -> None:
        rules, place = self.rules.get(message.epoch), (message.epoch, message.stream, message.member)
        if rules is None or message.stream not in rules.restricted or message.epoch not in manifests:
            raise GrantError(f"{message.epoch}/{message.stream} is open to every member", party="secretariat")
        if message.member not in members:
            raise GrantError(f"member {message.member} is not enrolled", party="secretariat")
        if message.eligible:
            self.eligible.add(place)
        else:
            self.eligible.discard(place)

    def _apply_signature(self, message: Signed, signing_keys: Mapping[str, bytes]) -> None:
        key = signing_keys.get(message.signer)
        if key is None:
            raise GrantError(f"member {message.signer} is not enrolled: run 'tacit enrol' first", party=message.signer)
        signing.verify(key, message)
        signature = messages.body_of(message, StatementSignature)
        rules = self.rules.get(signature.epoch)
        if rules is None or not rules.statement or signature.statement != statement_digest(rules):
            raise GrantError(f"epoch {signature.epoch} has no such statement to sign", party=message.signer)
        self.signed.add((signature.epoch, message.signer))
