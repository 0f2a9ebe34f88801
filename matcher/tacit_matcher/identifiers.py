"""Identifiers in canonical form, with their check digits: python-stdnum where it knows them, our own where not."""

from __future__ import annotations

import re
from collections.abc import Callable

from stdnum import ean, lei
from stdnum.eu import vat
from stdnum.exceptions import ValidationError

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class IdentifierError(ValueError):
    """An identifier cannot be right; the message says why and never repeats it."""


def normalise_identifier(kind: str, text: str) -> str:
    """Return the canonical form of an identifier of ``kind``; raises :class:`IdentifierError`."""
    compact = re.sub(r"[\s.\-/]", "", text).upper()
    if not compact:
        raise IdentifierError("it is empty")
    rule = _RULES.get(kind)
    if rule is None:
        raise IdentifierError("this kind of identifier is not known")
    return rule(compact)


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
