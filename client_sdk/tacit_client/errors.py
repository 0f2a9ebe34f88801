"""Errors of the member's tools, beside those of the protocol: what went wrong, where, and what to do."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from tacit_protocol.errors import TacitError


class VaultError(TacitError):
    """The member's vault is missing, locked, in use or damaged."""


class PartyUnavailable(TacitError):  # noqa: N818  (a state of affairs, not only an error)
    """A party does not answer, or not in the form agreed; running the command again is safe."""


class Refused(TacitError):  # noqa: N818
    """A party understood the request and refused it, with its reason.

    ``party`` is who refused: whom it blames is its own word, and stands in the evidence. ``kind`` is the name of the
    refusal as the HTTP contract has it, such as ``grant`` or ``unauthenticated``.
    """

    def __init__(
        self, message: str, *, party: str, kind: str = "", evidence: Mapping[str, str | int] | None = None
    ) -> None:
        super().__init__(message, party=party, evidence=evidence)
        self.kind = kind

    def diagnostics(self) -> str:
        """Return the error for people; who refused stands in the message, and need not be responsible for it."""
        return "\n".join([self.message, *(f"  {name}: {value}" for name, value in self.evidence.items())])


def printable(text: str, limit: int = 1000) -> str:
    """Return foreign text without what would drive the terminal that shows it, and no longer than ``limit``."""
    return "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text[:limit])
