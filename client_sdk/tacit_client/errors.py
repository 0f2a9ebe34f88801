"""Errors of the member's tools, beside those of the protocol: what went wrong, where, and what to do."""

from __future__ import annotations

from tacit_protocol.errors import TacitError


class VaultError(TacitError):
    """The member's vault is missing, locked or damaged."""


class PartyUnavailable(TacitError):  # noqa: N818  (a state of affairs, not only an error)
    """A party does not answer, or not in the form agreed; running the command again is safe."""


class Refused(TacitError):  # noqa: N818
    """A party understood the request and refused it, with its reason."""
