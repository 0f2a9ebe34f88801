"""Countries from any usual spelling to ISO 3166 alpha-2: pycountry, and the everyday names of ten languages."""

from __future__ import annotations

from functools import lru_cache

import pycountry

from tacit_matcher.text import plain

# Our own table: everyday and foreign-language names that pycountry's official English ones do not cover.
_NAMES = """
AE: uae emirates, vereinigte arabische emirate, emirats arabes unis
AL: albanien, albanie | AR: argentinien, argentine | AT: osterreich, autriche, oostenrijk, osterrike, rakousko
AU: australien, australie | BA: bosnia, bosnien, bosnie, bosnia herzegovina | BD: bangladesch
BE: belgie, belgique, belgien, belgica, belgio, belgia | BG: bulgarien, bulgarie, bulgarije
BO: bolivia, bolivien | BR: brasil, brasilien, bresil, brasile, brazilie | BY: belarus, weissrussland
CA: kanada | CH: schweiz, suisse, svizzera, suiza, zwitserland, szwajcaria, swiss | CI: ivory coast
CL: chili | CN: prc, p r china, pr china, peoples republic of china, mainland china, chine, cina, chiny, zhongguo
CO: kolumbien, colombie | CR: costa rica
CZ: czech republic, tschechien, tschechische republik, republique tcheque, czechy, cesko, chequia
DE: deutschland, allemagne, alemania, germania, duitsland, niemcy, alemanha, tyskland, federal republic of germany, brd
DK: danmark, danemark, dinamarca, denemarken | DO: dominikanische republik, republica dominicana
EC: ecuador, equateur | EE: eesti, estland, estonie | EG: agypten, egypte, egipto, misr
ES: espana, spanien, espagne, spagna, spanje, hiszpania, espanha | ET: athiopien, ethiopie
FI: suomi, finnland, finlande, finlandia | FR: frankreich, francia, frankrijk, francja, franca, frankrike
GB: uk, u k, great britain, britain, england, scotland, wales, northern ireland, grossbritannien, royaume uni
GB: reino unido, regno unito, verenigd koninkrijk, vereinigtes konigreich, wielka brytania
GR: hellas, griechenland, grece, grecia, griekenland, ellada | GT: guatemala | HK: hong kong sar, hongkong, xianggang
HN: honduras | HR: hrvatska, kroatien, croatie, croacia | HT: haiti
HU: magyarorszag, ungarn, hongrie, hungria, ungheria, hongarije, wegry | ID: indonesien, indonesie
IE: irland, irlande, irlanda, republic of ireland, eire | IL: israel | IN: indien, inde, bharat
IT: italia, italien, italie, wlochy | JO: jordanien, jordanie | JP: nippon, nihon, giappone, japon, japonia
KE: kenia | KH: kambodscha, cambodge, kampuchea
KR: korea, south korea, korea south, republic of korea, rok, korea republic of, sudkorea, coree du sud, hangug
LA: laos, lao pdr | LK: ceylon, sri lanka | LT: lietuva, litauen, lituanie, lituania, litwa
LU: luxemburg, luxemburgo | LV: latvija, lettland, lettonie, letonia | MA: marokko, maroc, marruecos, marocco, maroko
MD: moldova, moldawien, moldavie | MG: madagaskar | MK: macedonia, mazedonien, nordmazedonien, fyrom
MM: burma, birma, birmanie, myanmar burma | MU: mauritius, ile maurice | MX: mexiko, mexique, messico, meksyk
MY: malaysia, malaisie | NI: nicaragua | NL: nederland, holland, niederlande, pays bas, paises bajos, paesi bassi
NL: holandia, the netherlands | NO: norge, norwegen, norvege, noruega | NZ: neuseeland, nouvelle zelande
PE: peru, perou | PH: philippinen, philippines, filipinas, pilipinas | PK: pakistan
PL: polska, polen, pologne, polonia, lengyelorszag | PT: portugal, portugalia | PY: paraguay
RO: rumanien, roumanie, rumania, romania, roemenie | RS: serbia, serbien, serbie, srbija
RU: russia, russland, russie, rossiia, rossiya, rusia | SE: sverige, schweden, suede, suecia, svezia, zweden, szwecja
SG: singapur, singapour | SI: slovenija, slowenien, slovenie | SK: slovensko, slowakei, slovaquie, slovak republic
SV: el salvador | SY: syria, syrien | TH: thailande, tailandia, prathetthai, aithy | TN: tunesien, tunisie, tunez
TR: turkey, turkiye, turkei, turquie, turquia, turchia, turkije, turcja | TW: taiwan, taiwan r o c, roc, chinese taipei
TZ: tanzania | UA: ukraine, ucrania, ukraina | US: usa, u s a, united states, america, vereinigte staaten, etats unis
US: estados unidos, stati uniti, verenigde staten, stany zjednoczone, united states of america
UY: uruguay | UZ: usbekistan | VN: vietnam, viet nam, s r vietnam, socialist republic of vietnam
ZA: sudafrika, afrique du sud, sudafrica, rsa
"""
_BY_NAME = {
    name.strip(): code.strip()
    for entry in _NAMES.replace("\n", "|").split("|")
    if entry.strip()
    for code, names in [entry.split(":")]
    for name in names.split(",")
}


@lru_cache(maxsize=4096)
def normalise_country(text: str) -> str:
    """Return the ISO 3166 alpha-2 code for any usual spelling, or an empty string."""
    if len(text) == 2 and text.isascii() and (known := pycountry.countries.get(alpha_2=text.upper())):
        return str(known.alpha_2)
    name = plain(text).removeprefix("the ")
    if not name:
        return ""
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name in _OFFICIAL:
        return _OFFICIAL[name]
    return ""


def _official() -> dict[str, str]:
    """Return pycountry's names and codes in plain form."""
    found: dict[str, str] = {}
    for country in pycountry.countries:
        for field in ("alpha_2", "alpha_3", "name", "official_name", "common_name"):
            if value := getattr(country, field, ""):
                found.setdefault(plain(value), country.alpha_2)
    return found


_OFFICIAL = _official()
COUNTRY_WORDS = frozenset(name for name in (*_BY_NAME, *_OFFICIAL) if " " not in name and len(name) > 3)
"""Names of countries of one word: in a supplier's name or address they tell nothing beside the country itself."""
