"""Identifiers in canonical form, with their check digits: python-stdnum where it knows them, our own where not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from stdnum import ean, lei
from stdnum.eu import vat
from stdnum.exceptions import ValidationError

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class IdentifierError(ValueError):
    """An identifier cannot be right; the message says why and never repeats it."""


def normalise_identifier(kind: str, text: str, aliases: Mapping[str, str] | None = None) -> str:
    """Return the canonical form of an identifier of ``kind``; raises :class:`IdentifierError`.

    ``aliases`` maps the OS IDs of facilities that were merged into others to those (see :func:`parse_aliases`).
    """
    compact = re.sub(r"[\s.\-/]", "", text).upper()
    if not compact:
        raise IdentifierError("it is empty")
    rule = _RULES.get(kind)
    if rule is None:
        raise IdentifierError("this kind of identifier is not known")
    value = rule(compact)
    return aliases.get(value, value) if aliases and kind == "os_id" else value


def parse_aliases(lines: Iterable[str]) -> dict[str, str]:
    """Read "retired OS ID, current OS ID" pairs, one a line, and follow chains to their end.

    Open Supply Hub publishes such pairs for facilities that it merged. All members of a round need the same table, or
    the one without it misses what the others find. Raises :class:`IdentifierError` naming the line.
    """
    direct: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in re.split(r"[,;\t]", line.strip())]
        if cells == [""] or line.startswith("#") or (number == 1 and not any(map(str.isdigit, line))):
            continue
        if len(cells) < 2:
            raise IdentifierError(f"line {number} has no pair of OS IDs")
        try:
            direct[normalise_identifier("os_id", cells[0])] = normalise_identifier("os_id", cells[1])
        except IdentifierError as error:
            raise IdentifierError(f"line {number}: {error}") from None
    return {retired: _last(retired, direct) for retired in direct}


def _last(value: str, direct: Mapping[str, str]) -> str:
    seen = {value}
    while (value := direct.get(value, value)) not in seen:
        seen.add(value)
    # A circle of aliases names one facility all the same: every member takes the lowest.
    return value if value not in direct else min(seen)


def _os_id(value: str) -> str:
    """OS ID: two letters, YYYYDDD, five Crockford base-32 digits, one check digit (source: Open Supply Hub)."""
    if not re.fullmatch(r"[A-Z]{2}\d{7}[0-9A-HJKMNP-TV-Z]{6}", value):
        raise IdentifierError("an OS ID has two letters, seven digits and six more letters or digits")
    total = sum(ord(letter) for letter in value[:2]) + sum(_CROCKFORD.index(digit) for digit in value[2:14])
    if _CROCKFORD[total % 32] != value[14]:
        raise IdentifierError("its check digit is wrong")
    return value


def _gln(value: str) -> str:
    if len(value) != 13:
        raise IdentifierError("a GLN has 13 digits")
    return _by_library(ean.validate, value)


def _lei(value: str) -> str:
    return _by_library(lei.validate, value)


def _vat(value: str) -> str:
    return _by_library(vat.validate, value)


def _duns(value: str) -> str:
    if not re.fullmatch(r"\d{9}", value):
        raise IdentifierError("a DUNS number has nine digits")
    return value


def _prefixed(prefix: str) -> Callable[[str], str]:
    def rule(value: str) -> str:
        if not re.fullmatch(prefix + r"\d{6,12}", value):
            raise IdentifierError(f"it begins with {prefix}, then 6 to 12 digits")
        return value

    return rule


def _free(value: str) -> str:
    if not re.fullmatch(r"[A-Z0-9]{5,24}", value):
        raise IdentifierError("it has 5 to 24 letters and digits")
    return value


def _by_library(validate: Callable[[str], str], value: str) -> str:
    try:
        return str(validate(value)).upper()
    except ValidationError as error:
        raise IdentifierError(f"it is not valid ({type(error).__name__})") from None


_RULES: dict[str, Callable[[str], str]] = {
    "os_id": _os_id,
    "sedex_site": _prefixed("ZS"),
    "sedex_company": _prefixed("ZC"),
    "amfori_id": _free,
    "ecovadis_id": _free,
    "gln": _gln,
    "lei": _lei,
    "duns": _duns,
    "vat": _vat,
}
