"""Grants: the batch digest, what a grant covers, and the one quota ledger that everybody recomputes.

Counting at each trustee separately would let a member collect n/t times its quota: the grants on the board are the
only ledger, and every trustee adds them up itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from tacit_protocol import access, messages, signing
from tacit_protocol.access import Access
from tacit_protocol.errors import GrantError
from tacit_protocol.group import ELEMENT_BYTES
from tacit_protocol.messages import Enrolment, GrantRequest, Manifest
from tacit_protocol.signing import Signed

BLOCK = 8192  # elements in one batch, and so under one proof: bounds memory, near the best of the multi-scalar step
PADDING = 2048  # a member's volume is visible only as a multiple of this


def padded_count(count: int) -> int:
    """Return the count after padding with dummies; at least one step of padding, so that nothing is free of it."""
    return max(1, -(-count // PADDING)) * PADDING


def batch_sizes(count: int) -> list[int]:
    """Split a padded count into batches of at most :data:`BLOCK` elements."""
    padded = padded_count(count)
    return [min(BLOCK, padded - start) for start in range(0, padded, BLOCK)]


def batch_digest(epoch: str, stream: str, blinded: bytes) -> bytes:
    """Return the digest d over all blinded elements of a batch, bound to epoch and stream."""
    count = len(blinded) // ELEMENT_BYTES
    header = f"tacit/1 batch|{epoch}|{stream}|{count}|".encode()
    return hashlib.sha512(header + blinded).digest()


@dataclass
class Ledger:
    """The members and their cumulative counts, as the board tells them; feed it every entry in order.

    Holds no opinion of its own: whoever follows the same board gets the same ledger.
    """

    manifests: dict[str, Manifest] = field(default_factory=dict)
    signing_keys: dict[str, bytes] = field(default_factory=dict)
    used: dict[tuple[str, str, str], int] = field(default_factory=dict)
    granted: dict[tuple[str, str, str, bytes], int] = field(default_factory=dict)
    access: Access = field(default_factory=Access)

    def apply(self, message: Signed) -> None:
        """Take in the next entry of the board; raises on a grant that breaks a rule."""
        if message.kind == "manifest":
            manifest = messages.body_of(message, Manifest)
            self.manifests.setdefault(manifest.epoch, manifest)
        elif message.kind == "enrolment":
            enrolment = messages.body_of(message, Enrolment)
            signing.verify(enrolment.signing_key, message)
            self.signing_keys.setdefault(message.signer, enrolment.signing_key)
        elif message.kind in access.KINDS:
            self.access.apply(message, self.manifests, self.signing_keys)
        elif message.kind == "grant":
            self._apply_grant(message)

    def check(self, message: Signed) -> GrantRequest:
        """Judge a grant request by the ledger without taking it in.

        Raises :class:`GrantError`, or :class:`SignatureError` or :class:`EncodingError` for a malformed one.
        """
        key = self.signing_keys.get(message.signer)
        if key is None:
            raise GrantError(f"member {message.signer} is not enrolled: run 'tacit enrol' first", party=message.signer)
        signing.verify(key, message)
        request = messages.body_of(message, GrantRequest)
        manifest = self.manifests.get(request.epoch)
        if manifest is None:
            raise GrantError(f"no epoch {request.epoch} is open", party=message.signer)
        if request.stream not in manifest.streams:
            raise GrantError(f"epoch {request.epoch} has no stream {request.stream}", party=message.signer)
        self.access.check(request.epoch, request.stream, message.signer)
        if request.count % PADDING or request.count > BLOCK:
            raise GrantError(f"a batch has a multiple of {PADDING} elements, at most {BLOCK}", party=message.signer)
        return self._check_quota(message, request, manifest)

    def _check_quota(self, message: Signed, request: GrantRequest, manifest: Manifest) -> GrantRequest:
        granted = self.granted.get((request.epoch, request.stream, message.signer, request.digest))
        if granted == request.count:
            return request  # a retry of a granted batch: costs nothing
        if granted is not None:
            raise GrantError(
                f"this batch of member {message.signer} was granted with {granted} elements, not {request.count}",
                party=message.signer,
                evidence={"digest": request.digest.hex(), "granted": granted, "asked": request.count},
            )
        used = self.used.get((request.epoch, request.stream, message.signer), 0)
        if used + request.count > manifest.quota:
            raise GrantError(
                f"the quota of member {message.signer} in {request.epoch}/{request.stream} is used up: "
                f"{used} of {manifest.quota} evaluations, {request.count} asked for; "
                "it starts anew with the next epoch",
                party=message.signer,
                evidence={"used": used, "quota": manifest.quota, "asked": request.count},
            )
        return request

    def covers(self, member: str, epoch: str, stream: str, digest: bytes, count: int) -> None:
        """Raise :class:`GrantError` unless the board grants this very batch to ``member``."""
        if self.granted.get((epoch, stream, member, digest)) != count:
            raise GrantError(
                f"no grant on the board covers this batch of member {member} in {epoch}/{stream}",
                party=member,
                evidence={"digest": digest.hex(), "count": count},
            )

    def _apply_grant(self, message: Signed) -> None:
        request = self.check(message)
        grant = (request.epoch, request.stream, message.signer, request.digest)
        if grant in self.granted:
            return
        self.granted[grant] = request.count
        usage = grant[:3]
        self.used[usage] = self.used.get(usage, 0) + request.count


def ledger_of(entries: Iterable[Signed]) -> Ledger:
    """Build the ledger of a whole board."""
    ledger = Ledger()
    for entry in entries:
        ledger.apply(entry)
    return ledger
