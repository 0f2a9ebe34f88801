"""The record's payload: 24 bytes of facts and the sketch. Nothing on results, exact dates or who commissioned it."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from functools import lru_cache

from tacit_matcher.normalise import plain
from tacit_matcher.records import AuditedSite
from tacit_matcher.sketch import SKETCH_BYTES, Prepared, make_prepared, prepare

VERSION = 1
METADATA_BYTES = 24
PAYLOAD_BYTES = METADATA_BYTES + SKETCH_BYTES
_LAYOUT = struct.Struct(">BB8sBHHB8s")
_OTHER = 0

SCHEMES = (
    "other scheme", "SMETA 4-pillar", "SMETA 2-pillar", "amfori BSCI", "EcoVadis", "own protocol", "SA8000", "RBA VAP",
    "WRAP", "SLCP", "ICTI", "Fair Trade", "Rainforest Alliance", "BSI", "virtual assessment", "human-rights assessment",
    "IETP", "Better Work", "APSCA",
)  # fmt: skip
PLATFORMS = (
    "ask the supplier",
    "Sedex",
    "amfori Sustainability Platform",
    "EcoVadis",
    "SLCP Gateway",
    "Open Supply Hub",
    "SAI",
)
_SCHEME_CODES = {plain(name): code for code, name in enumerate(SCHEMES)}
_PLATFORM_CODES = {plain(name): code for code, name in enumerate(PLATFORMS)} | {"amfori": 2, "amfori platform": 2}


class PayloadError(ValueError):
    """A payload is not of a form this version understands."""


class Scope(Enum):
    """What the assessment covered."""

    SITE = 1
    ENTITY = 2


@dataclass(frozen=True, slots=True)
class Payload:
    """What an opened record says. Quarters are (year, 1 to 4)."""

    scheme: str
    scheme_version: str
    scope: Scope
    assessed: tuple[int, int]
    expires: tuple[int, int] | None
    platform: str
    sketch: bytes = field(repr=False)


def encode_payload(record: AuditedSite, key: bytes, prepared: Prepared | None = None) -> bytes:
    """Return the 224-byte payload of a record; ``key`` is the sketch key derived from its record key.

    ``prepared`` is what :func:`tacit_matcher.sketch.prepare` gave for the record's site, where the caller has it.
    """
    scheme = _scheme_code(record.scheme)
    version = record.scheme_version.encode("ascii", "ignore")[:8]
    scope = Scope.ENTITY if SCHEMES[scheme] == "EcoVadis" else Scope.SITE
    facts = _LAYOUT.pack(
        VERSION,
        scheme,
        version,
        scope.value,
        _quarter(record.audit_date),
        _quarter(record.expiry) if record.expiry else 0,
        _platform_code(record.platform),
        bytes(8),
    )
    return facts + make_prepared(key, prepare(record.site) if prepared is None else prepared)


# A list has few different ones.
@lru_cache(maxsize=1024)
def _scheme_code(text: str) -> int:
    return _SCHEME_CODES.get(plain(text), _OTHER)


@lru_cache(maxsize=1024)
def _platform_code(text: str) -> int:
    return _PLATFORM_CODES.get(plain(text), _OTHER)


def decode_payload(payload: bytes) -> Payload:
    """Read a payload strictly: an unknown version, code or quarter is a :class:`PayloadError`."""
    if len(payload) != PAYLOAD_BYTES:
        raise PayloadError(f"a payload has {PAYLOAD_BYTES} bytes, got {len(payload)}")
    version, scheme, scheme_version, scope, assessed, expires, platform, reserved = _LAYOUT.unpack_from(payload)
    if version != VERSION or any(reserved):
        raise PayloadError("the payload is of a version this program does not know: update it")
    if scheme >= len(SCHEMES) or platform >= len(PLATFORMS) or scope not in (1, 2):
        raise PayloadError("the payload holds a code this program does not know: update it")
    return Payload(
        SCHEMES[scheme],
        _text(scheme_version),
        Scope(scope),
        _of_quarter(assessed),
        _of_quarter(expires) if expires else None,
        PLATFORMS[platform],
        payload[METADATA_BYTES:],
    )


def quarter_of(day: date) -> tuple[int, int]:
    """Return (year, quarter)."""
    return day.year, (day.month + 2) // 3


def _quarter(day: date) -> int:
    year, quarter = quarter_of(day)
    return 4 * year + quarter - 1


def _of_quarter(code: int) -> tuple[int, int]:
    if not 4 * 1990 <= code < 4 * 2200:
        raise PayloadError("the payload holds an impossible quarter")
    return code // 4, code % 4 + 1


def _text(data: bytes) -> str:
    text = data.rstrip(b"\0")
    if any(not 32 <= octet < 127 for octet in text):
        raise PayloadError("the payload holds a scheme version that is no text")
    return text.decode("ascii")
