"""Errors that say who is to blame and carry the evidence, and never a supplier's name, a key or a record."""

from __future__ import annotations

from collections.abc import Mapping


class TacitError(Exception):
    """Base of every error of the protocol.

    ``party`` names who is to blame, if that is known ("trustee 2", "secretariat", a member's pseudonym);
    ``evidence`` holds public facts (digests, sequence numbers, signatures) that let a third person check the claim.
    """

    def __init__(
        self, message: str, *, party: str | None = None, evidence: Mapping[str, str | int] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.party = party
        self.evidence = dict(evidence or {})

    def diagnostics(self) -> str:
        """Return the error for people: what happened, who is to blame, what can be shown."""
        lines = [self.message]
        if self.party is not None:
            lines.append(f"Responsible: {self.party}")
        lines += [f"  {name}: {value}" for name, value in self.evidence.items()]
        return "\n".join(lines)


class EncodingError(TacitError):
    """Foreign bytes are not what the format says: a wrong size, a non-canonical point, the identity."""

    def __init__(self, message: str, *, position: int | None = None, party: str | None = None) -> None:
        evidence = {} if position is None else {"position": position}
        super().__init__(message, party=party, evidence=evidence)
        self.position = position


class ProofError(TacitError):
    """A proof does not hold. It proves that the answer is wrong, not that the sender meant it to be."""


class SignatureError(TacitError):
    """A signature does not verify under the key that the signer is known by."""


class CeremonyError(TacitError):
    """A message of the key ceremony is missing, wrong or contradicts an earlier one."""


class GrantError(TacitError):
    """An evaluation is not covered by a grant on the board, or the grant exceeds the member's quota."""


class SealedRecordError(TacitError):
    """A sealed record does not open as its entry promised: the commitment or the authentication fails."""


class IndexFileError(TacitError):
    """A published index is damaged or is not the one whose root was announced."""


class UploadError(TacitError):
    """An upload to the shuffler, or the shuffler's hand-over, breaks a size, count or commitment."""


class HandoverListError(TacitError):
    """A published list of a hand-over is not the one that the shuffler signed, or that one breaks a rule."""


class QueryAuditError(TacitError):
    """A query audit breaks a rule: an order that may not be given, an opening that does not fit what was granted."""


class TallyError(TacitError):
    """A tally breaks a rule: a roster that may not be announced, an input or a release that is not due."""


class QuorumError(TacitError):
    """Fewer than the threshold of trustees answered; nothing is lost and the command can be run again."""


class BoardError(TacitError):
    """The board contradicts itself or what was seen of it before: the secretariat has to explain."""


class UnpinnedTrusteeError(BoardError):
    """A manifest names a trustee whose key is not pinned here: it may be right, but that has to be learnt elsewhere."""
