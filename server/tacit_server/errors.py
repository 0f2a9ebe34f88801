"""What a server refuses besides the protocol's own errors; :mod:`tacit_server.http` gives each its status."""

from __future__ import annotations

from tacit_protocol.errors import TacitError


class UnauthenticatedError(TacitError):
    """The request is unsigned, stale, replayed, altered or signed by a key nobody here knows (401)."""


class ForbiddenError(TacitError):
    """The signer is known but may not do this (403)."""


class NotFoundError(TacitError):
    """What was asked for does not exist here (404)."""


class SlowRequestError(TacitError):
    """The body did not arrive in time (408)."""


class ConflictError(TacitError):
    """It cannot be done now, or not any more (409)."""


class TooLargeError(TacitError):
    """The body is larger than this path takes (413)."""


class BusyError(TacitError):
    """Too much is waiting already; the same request can be sent again in a moment (503)."""


class ConfigurationError(TacitError):
    """A setting, a file of the party's home or the server secret is missing or wrong."""
