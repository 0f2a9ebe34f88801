"""From the fields as written to canonical tokens: names, addresses, cities, postcodes, countries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import pycountry
from anyascii import anyascii

from tacit_matcher.identifiers import IdentifierError, normalise_identifier
from tacit_matcher.records import Site

LEGAL_FORMS = frozenset(
    ["ab", "aps", "as", "asa", "bv", "bvba", "cia", "co", "comp", "company", "corp", "corporation", "cv", "doo", "dooel", "eirl", "ek", "ev", "eg", "eood", "esp", "eu", "eurl", "foundation", "gbr", "gesmbh", "gmbh", "gmbhco", "haftungsbeschrankt", "hf", "inc", "incorporated", "jsc", "kft", "kg", "kgaa", "kk", "kom", "ks", "lda", "limitada", "limited", "llc", "llp", "ltd", "ltda", "ltdco", "mbh", "mb", "nv", "ohg", "ood", "oy", "oyj", "oao", "ooo", "oü", "ou", "pao", "partg", "plc", "private", "pt", "pte", "pty", "pvt", "sa", "sac", "sad", "sae", "sagl", "sal", "sarl", "sas", "sasu", "scs", "sccl", "scl", "sdn", "bhd", "se", "sia", "sk", "sl", "sll", "slu", "slne", "snc", "sociedad", "societa", "societe", "soc", "soccoop", "sp", "zoo", "spa", "spj", "spk", "srl", "srls", "srlu", "sro", "tbk", "tov", "uab", "ug", "ukio", "ul", "vof", "xb", "zao", "zrt", "zt", "zs", "ek", "kb", "hb", "ky", "tmi", "ay", "ei", "fie", "ev", "nyrt", "bt", "oo", "z", "o", "und", "und", "and", "et", "e", "y", "i"]
)  # fmt: skip
_COMMON = """
    agrar agricola alimentacion alimentaria alimentos apparel backerei bakery bauernhof betrieb bio butcher cantine care
    carnes carnicas catering center centre comercial company confectionery conservas cooperativa dairy distribuciones
    distribuidora eier embutidos export factory farm fashion feinkost ferme fisch fischerei fish fleisch fleischerei
    fleischwaren food foods frigorifico frische fruit fruits garment garments gasthaus gasthof gida group grupo handel
    handels haus hof holding hotel huevos imp import industrial industrias industries industry international jamones
    kaserei knitting kantine konditorei kuche lager lebensmittel logistik manufacturing mariscos markt meat metzgerei milch
    molkerei naturkost new party partyservice pescados pieno produktion products productos quesos restaurant service
    services shop spolka stadt supermarkt textile textiles trade trading ubojnia verwaltung vertrieb wild wurst zaklad zpt
"""
_STREET = {
    "strasse": "str", "street": "str", "straat": "str", "st": "str", "ulica": "ul", "avenue": "av", "avenida": "av",
    "ave": "av", "avda": "av", "road": "rd", "calle": "c", "rue": "r", "platz": "pl", "plaza": "pl", "place": "pl",
    "gatve": "g", "gatvė": "g", "utca": "u", "utja": "u", "ut": "u", "number": "", "no": "", "nr": "", "num": "", "house": "", "plot": "",
}  # fmt: skip
_COUNTRIES = {
    "uk": "GB", "great britain": "GB", "england": "GB", "usa": "US", "united states": "US", "deutschland": "DE",
    "allemagne": "DE", "espana": "ES", "spanien": "ES", "espagne": "ES", "frankreich": "FR", "italia": "IT",
    "italien": "IT", "polska": "PL", "polen": "PL", "suisse": "CH", "schweiz": "CH", "svizzera": "CH",
    "osterreich": "AT", "nederland": "NL", "niederlande": "NL", "belgique": "BE", "belgien": "BE", "belgie": "BE",
    "sverige": "SE", "schweden": "SE", "magyarorszag": "HU", "ungarn": "HU", "lietuva": "LT", "eesti": "EE",
    "turkey": "TR", "turkiye": "TR", "turkei": "TR", "vietnam": "VN", "viet nam": "VN", "south korea": "KR",
    "korea": "KR", "russia": "RU", "taiwan": "TW", "czech republic": "CZ", "prc": "CN", "p r china": "CN",
    "peoples republic of china": "CN", "hong kong": "HK", "ivory coast": "CI",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NormalSite:
    """A site in canonical tokens; an empty value means that the list does not say."""

    country: str
    name: tuple[str, ...]
    address: tuple[str, ...]
    house_number: str
    numbers: tuple[str, ...]
    postcode: str
    city: tuple[str, ...]
    identifiers: tuple[tuple[str, str], ...]


def normalise_site(site: Site) -> NormalSite:
    """Bring every field of a site into canonical form; fields that make no sense come out empty."""
    country = normalise_country(site.country)
    address = plain(site.address)
    numbers = tuple(re.findall(r"\d+", address))
    house = re.search(r"\b(\d+)\s?([a-z]?)\b", address)
    return NormalSite(
        country,
        name_tokens(site.name),
        tuple(token for word in address.split() if not any(map(str.isdigit, word)) and (token := _street(word))),
        house.group(1) + house.group(2) if house else "",
        numbers,
        normalise_postcode(site.postcode, country),
        tuple(fold(word) for word in plain(site.city).split() if len(word) > 1 and not word.isdigit()),
        _identifiers(site),
    )


@lru_cache(maxsize=65536)
def plain(text: str) -> str:
    """Transliterate to lower-case ASCII words separated by single blanks."""
    return " ".join(re.findall(r"[a-z0-9]+", anyascii(text).lower().replace("'", "").replace(".", " ")))


@lru_cache(maxsize=65536)
def fold(word: str) -> str:
    """Fold spellings that stand for one another: umlauts, doubled letters, c/k, ph/f, y/i."""
    word = word.replace("ae", "a").replace("oe", "o").replace("ue", "u").replace("ph", "f").replace("ck", "k")
    word = word.replace("c", "k").replace("y", "i").replace("w", "v").replace("th", "t")
    return re.sub(r"(.)\1+", r"\1", word)


COMMON_STREETS = frozenset(
    fold(word)
    for word in """
    hauptstr dorfstr bahnhofstr industriestr schulstr gartenstr ringstr kirchstr bergstr lindenstr waldstr gewerbepark
    industrie industrial industriegebiet gewerbegebiet zone estate area park village district province city town road
    commune township ward street economic development building floor china india vietnam bangladesh cambodia kossuth
    petofi rakoczi poligono calle carretera avenida rue place chapelle eglise centre route
    """.split()
)
"""Words of addresses that occur in most towns or stand for no place at all."""
COMMON_WORDS = frozenset(fold(word) for word in _COMMON.split())
"""Words of the trade that many names share; they say little about which company it is."""


def name_tokens(name: str) -> tuple[str, ...]:
    """Return the folded words of a name without legal forms; all words when nothing else is left."""
    words = re.sub(r"\b((?:[a-z] ){1,5}[a-z])\b", lambda m: m.group(1).replace(" ", ""), plain(name)).split()
    kept = [fold(word) for word in words if word not in LEGAL_FORMS]
    return tuple(kept or (fold(word) for word in words))


@lru_cache(maxsize=4096)
def normalise_country(text: str) -> str:
    """Return the ISO 3166 alpha-2 code for any usual spelling, or an empty string."""
    name = plain(text)
    if not name:
        return ""
    if name in _COUNTRIES:
        return _COUNTRIES[name]
    try:
        found = pycountry.countries.lookup(text.strip())
    except LookupError:
        return ""
    return str(found.alpha_2)


def normalise_postcode(text: str, country: str) -> str:
    """Return letters and digits of a postcode without the country's prefix, in the length the country uses."""
    code = plain(text).replace(" ", "").upper()
    if country and code.startswith(country) and code[2:].isdigit():
        code = code[2:]
    width = {"DE": 5, "ES": 5, "FR": 5, "IT": 5, "EE": 5, "LT": 5, "US": 5, "PL": 5, "SE": 5}.get(country)
    if width and code.isdigit():
        return code.zfill(width)[:width]
    return code if any(map(str.isdigit, code)) else ""


def _street(word: str) -> str:
    for ending in ("strasse", "straße", "str"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return fold(word[: -len(ending)]) + "str"
    return _STREET.get(word, fold(word))


def _identifiers(site: Site) -> tuple[tuple[str, str], ...]:
    valid = []
    for kind, text in sorted(site.identifiers.items()):
        try:
            valid.append((kind, normalise_identifier(kind, text)))
        except IdentifierError:
            continue
    return tuple(valid)
