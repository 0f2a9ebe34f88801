"""Identifiers with right check digits, made up: none of them is taken from a register."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from stdnum import ean
from stdnum.iso7064 import mod_97_10

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def os_id(country: str, draw: random.Random) -> str:
    """Return an OS ID: country, year and day, five base-32 digits, check digit."""
    head = f"{country}{draw.randint(2018, 2025)}{draw.randint(1, 365):03d}"
    body = head + "".join(draw.choices(_CROCKFORD, k=5))
    total = sum(map(ord, body[:2])) + sum(map(_CROCKFORD.index, body[2:]))
    return body + _CROCKFORD[total % 32]


def sedex_site(_country: str, draw: random.Random) -> str:
    """Return a Sedex site code."""
    return f"ZS{draw.randint(400_000_000, 499_999_999)}"


def gln(_country: str, draw: random.Random) -> str:
    """Return a GLN of 13 digits."""
    body = f"{draw.randint(400, 599)}{draw.randint(0, 999_999_999):09d}"
    return body + ean.calc_check_digit(body)


def lei(_country: str, draw: random.Random) -> str:
    """Return an LEI of 20 characters (ISO 17442)."""
    body = f"{draw.randint(2000, 9999)}00" + "".join(draw.choices("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", k=12))
    return body + str(mod_97_10.calc_check_digits(body))


def duns(_country: str, draw: random.Random) -> str:
    """Return a D-U-N-S number."""
    return f"{draw.randint(0, 999_999_999):09d}"


IDENTIFIER_MAKERS: Mapping[str, tuple[float, Callable[[str, random.Random], str]]] = {
    "os_id": (0.15, os_id),
    "sedex_site": (0.2, sedex_site),
    "gln": (0.08, gln),
    "lei": (0.05, lei),
    "duns": (0.06, duns),
}
"""Kind -> share of sites that have one, and how it is made."""
