"""What a member runs on its own machine.

``Member`` is the whole of it: ``Member.create``, ``enrol``, ``contribute``, ``check``, ``status``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tacit_client.member import Member

__all__ = ["Member"]


def __getattr__(name: str) -> object:
    """Load :class:`Member` when it is first asked for, so that `tacit --help` stays quick."""
    if name == "Member":
        from tacit_client.member import Member

        return Member
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
