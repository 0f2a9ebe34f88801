"""What an opened input of a batch is, in plain words: a match key of a known type, declared padding, or neither.

The member sees it before it discloses anything, the auditor after.
"""

from __future__ import annotations

from dataclasses import dataclass

from tacit_client import session
from tacit_matcher.keys import KEY_TYPES, KeyClass

PADDING, KEY, UNKNOWN = "padding", "key", "unknown"
_LABEL = b"tacit/1"
_IDENTIFIERS = (KeyClass.SITE_IDENTIFIER, KeyClass.ENTITY_IDENTIFIER)


@dataclass(frozen=True, slots=True)
class OpenedKey:
    """An input as people read it. ``kind`` is one of :data:`PADDING`, :data:`KEY`, :data:`UNKNOWN`."""

    kind: str
    key_type: str = ""
    value: str = ""

    @property
    def label(self) -> str:
        """Return the kind of key in words."""
        if self.kind == PADDING:
            return "padding"
        return KEY_TYPES[self.key_type].label if self.kind == KEY else "not a match key"

    @property
    def is_identifier(self) -> bool:
        """Tell whether it is a number out of a register, and not made of a name and an address."""
        return self.kind == KEY and KEY_TYPES[self.key_type].key_class in _IDENTIFIERS

    @property
    def parts(self) -> tuple[str, ...]:
        """Return the parts of the value; of a composite key the first is the country."""
        return tuple(self.value.split("|"))


def read_opened(value: bytes) -> OpenedKey:
    """Read an opened input; whatever is not in the encoding of a known key type is :data:`UNKNOWN`."""
    # Whatever follows the prefix: its output is nobody's tag, so a key cannot be hidden behind it.
    if session.is_dummy(value):
        return OpenedKey(PADDING)
    fields = _fields(value)
    if fields is None or len(fields) != 3 or fields[0] != _LABEL:
        return OpenedKey(UNKNOWN)
    try:
        key_type, _, version = fields[1].decode().partition("/")
        text = fields[2].decode()
    except UnicodeDecodeError:
        return OpenedKey(UNKNOWN)
    if key_type not in KEY_TYPES or not version or not text.strip() or not text.isprintable():
        return OpenedKey(UNKNOWN)
    return OpenedKey(KEY, key_type, text)


def _fields(value: bytes) -> list[bytes] | None:
    fields = []
    while value:
        length = int.from_bytes(value[:2], "big")
        if len(value) < 2 + length:
            return None
        fields.append(value[2 : 2 + length])
        value = value[2 + length :]
    return fields
