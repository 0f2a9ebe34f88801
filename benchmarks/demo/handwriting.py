"""How another member writes the same site: the differences that real lists show, each by its name."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace

from benchmarks.demo.sites import TrueSite, renamed

_ABBREVIATIONS = (
    ("straße", "str."), ("Street", "St"), ("Road", "Rd."), ("avenue", "av."), ("boulevard", "bd"), ("rue ", "r. "),
    ("Avenida", "Avda."), ("Calle", "C/"), ("Polígono Industrial", "P.I."), ("Carretera", "Ctra."), ("Via ", "V. "),
    ("Viale", "V.le"), ("Piazza", "P.zza"), ("ul. ", ""), ("utca", "u."), ("Caddesi", "Cad."), ("Sokak", "Sk."),
    ("Mahallesi", "Mah."), ("zone industrielle", "Z.I."), ("Industrial Estate", "Ind. Estate"), ("Lane", "Ln"),
    ("Λεωφόρος", "Λεωφ."),
)  # fmt: skip
_LEGAL = {
    "GmbH": ("G.m.b.H.", "Gmbh", ""), "GmbH & Co. KG": ("GmbH und Co KG", "GmbH&Co.KG", ""),
    "AG": ("Aktiengesellschaft", ""),
    "S.L.": ("SL", "Sociedad Limitada", ""), "S.A.": ("SA", ""), "S.r.l.": ("SRL", "srl", ""),
    "Ltd": ("Limited", "Ltd.", ""),
    "S.p.A.": ("SPA", ""), "Sp. z o.o.": ("Spółka z o.o.", "Sp.z.o.o.", ""), "Kft.": ("KFT", ""), "A.Ş.": ("AS", ""),
    "Pvt. Ltd.": ("Private Limited", "Pvt Ltd", ""), "Co. Ltd.": ("Company Limited", "CO.,LTD", ""),
    "SARL": ("S.A.R.L.", ""),
}  # fmt: skip
_PLAIN = str.maketrans({"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "đ": "d", "Đ": "D", "ı": "i", "Ø": "O"})


@dataclass(frozen=True, slots=True)
class Written:
    """A site as one member's list has it."""

    name: str
    address: str
    city: str
    postcode: str
    differences: tuple[str, ...] = ()


def as_printed(site: TrueSite, latin: bool) -> Written:
    """Return the site as its owner prints it."""
    return Written(site.company(latin), site.address(latin), site.town(latin), site.postcode)


def by_another_hand(site: TrueSite, draw: random.Random) -> Written:
    """Return the site as somebody else writes it, with the names of the differences."""
    names = []
    if draw.random() < 0.03:
        site, names = renamed(site, draw), ["renamed"]
    latin = draw.random() < 0.7
    written = as_printed(site, latin)
    if latin and site.has_latin_form:
        names.append("Latin letters")
    for name in draw.sample(tuple(_EDITS), draw.choice((1, 1, 2, 2, 3, 4))):
        changed = _EDITS[name](written, draw)
        if changed != written:
            written, names = changed, [*names, name]
    return replace(written, differences=tuple(names))


def _legal_form(site: Written, draw: random.Random) -> Written:
    for form in sorted(_LEGAL, key=len, reverse=True):
        if site.name.endswith(" " + form):
            return replace(site, name=f"{site.name.removesuffix(form)}{draw.choice(_LEGAL[form])}".strip())
    return site


def _capitals(site: Written, draw: random.Random) -> Written:
    return replace(site, name=site.name.upper(), address=site.address.upper(), city=site.city.upper())


def _accents(site: Written, draw: random.Random) -> Written:
    def plain(text: str) -> str:
        if not text.isascii() and all(ord(letter) < 0x250 for letter in text):
            decomposed = unicodedata.normalize("NFKD", text.translate(_PLAIN))
            return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
        return text

    return replace(site, name=plain(site.name), address=plain(site.address), city=plain(site.city))


def _abbreviations(site: Written, draw: random.Random) -> Written:
    address = site.address
    for whole, short in _ABBREVIATIONS:
        address = address.replace(whole, short)
    return replace(site, address=address)


def _typing_error(site: Written, draw: random.Random) -> Written:
    at = draw.randrange(1, max(2, len(site.name) - 1))
    letters = list(site.name)
    kind = draw.choice(("swap", "double", "drop"))
    if kind == "swap":
        letters[at - 1 : at + 1] = reversed(letters[at - 1 : at + 1])
    elif kind == "double":
        letters.insert(at, letters[at])
    else:
        del letters[at]
    return replace(site, name="".join(letters))


def _no_postcode(site: Written, draw: random.Random) -> Written:
    return replace(site, postcode="")


def _postcode_spacing(site: Written, draw: random.Random) -> Written:
    return replace(site, postcode=site.postcode.replace(" ", "").replace("-", ""))


def _word_order(site: Written, draw: random.Random) -> Written:
    first, _, rest = site.name.partition(" ")
    second, _, rest = rest.partition(" ")
    return replace(site, name=f"{second} {first} {rest}".strip()) if second else site


def _house_range(site: Written, draw: random.Random) -> Written:
    words = site.address.split(" ")
    numbers = [i for i, word in enumerate(words) if word.isdigit()]
    if numbers:
        words[numbers[-1]] = f"{words[numbers[-1]]}-{int(words[numbers[-1]]) + 2}"
    return replace(site, address=" ".join(words))


def _no_address(site: Written, draw: random.Random) -> Written:
    return replace(site, address="")


def _and_sign(site: Written, draw: random.Random) -> Written:
    return replace(site, name=site.name.replace(" & ", " and "))


def _town_in_address(site: Written, draw: random.Random) -> Written:
    return replace(site, address=f"{site.address}, {site.postcode} {site.city}".strip(), postcode="")


_EDITS: dict[str, Callable[[Written, random.Random], Written]] = {
    "legal form": _legal_form,
    "capitals": _capitals,
    "accents": _accents,
    "abbreviations": _abbreviations,
    "typing error": _typing_error,
    "no postcode": _no_postcode,
    "postcode spacing": _postcode_spacing,
    "word order": _word_order,
    "house range": _house_range,
    "no address": _no_address,
    "and sign": _and_sign,
    "town in address": _town_in_address,
}
