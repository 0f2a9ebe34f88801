"""Postcodes: canonical in the length the country uses, and found in the address where the list has no column for them.

The patterns are the countries' own formats as the Universal Postal Union publishes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# country -> digits of an all-digit code
_DIGITS: Mapping[str, int] = {
    country: digits
    for digits, countries in {
        4: "AL AM AT AU BD BE BG CH CY DK GE HU LU LV MD MK NO NZ PH PY SI TN VE ZA",
        5: "BA CU CZ DE DO DZ EE EG ES FI FR GR GT HN HR HT ID IQ IT JO KE KH KR KW LA LK LT MA MC ME MM MU MX MY NP "
        "PE PK PL RS SA SE SK SM SN TH TR TW UA US UY ZM",
        6: "BY CN CO EC IN KG KZ MN NG RO RU SG TJ TM UZ VN",
        7: "CL IL JP PT",
        8: "BR",
    }.items()
    for country in countries.split()
}
_LETTERED = {
    "GB": r"\b([A-Z]{1,2}\d[A-Z\d]?) ?(\d[A-Z]{2})\b",
    "NL": r"\b(\d{4}) ?([A-Z]{2})\b",
    "CA": r"\b([A-Z]\d[A-Z]) ?(\d[A-Z]\d)\b",
    "IE": r"\b([A-Z]\d[\dW]) ?([A-Z\d]{4})\b",
    "MT": r"\b([A-Z]{3}) ?(\d{4})\b",
}
_SPLIT = {"PL": r"\b(\d{2})-(\d{3})\b", "PT": r"\b(\d{4})-(\d{3})\b", "BR": r"\b(\d{5})-?(\d{3})\b",
          "JP": r"\b(\d{3})-(\d{4})\b", "SE": r"\b(\d{3}) (\d{2})\b", "CZ": r"\b(\d{3}) (\d{2})\b",
          "SK": r"\b(\d{3}) (\d{2})\b", "GR": r"\b(\d{3}) (\d{2})\b"}  # fmt: skip
_IN_ADDRESS = {
    country: re.compile(pattern)
    for country, pattern in (
        *((country, rf"(?<![\d#])(\d{{{size}}})(?!\d)()") for country, size in _DIGITS.items() if size in (5, 6)),
        *_SPLIT.items(),
        *_LETTERED.items(),
    )
}
_LETTER_PATTERNS = {country: re.compile(pattern) for country, pattern in _LETTERED.items()}
_LED_BY_COUNTRY = re.compile(r"[A-Z]{0,2}(\d+)")
_NOT_CODE = re.compile(r"[^A-Z0-9]+")


def normalise_postcode(text: str, country: str) -> str:
    """Return letters and digits of a postcode without the country's prefix, in the length the country uses.

    ``text`` is ASCII. A text without a digit is no postcode and gives an empty string.
    """
    code = text.upper()
    if pattern := _LETTER_PATTERNS.get(country):
        found = pattern.search(code)
        if found:
            return found.group(1) + found.group(2)
    code = _NOT_CODE.sub("", code)
    if country and code.startswith(country) and code[2:].isdigit():
        code = code[2:]
    width = _DIGITS.get(country)
    if width:
        # "10000 Zagreb", "LT-01103": the digits are the code.
        digits = _LED_BY_COUNTRY.match(code)
        if digits and len(digits.group(1)) >= width - 1:
            code = digits.group(1).zfill(width)[:width]
    return code if any(map(str.isdigit, code)) and len(code) > 2 and code.strip("0") else ""


def find_postcode(address: str, country: str) -> tuple[str, str]:
    """Return the last postcode in an ASCII address, or an empty string, and the address without it.

    The number that an address begins with is a house number, unless it is the only one (never in the United States,
    where house numbers have five digits too).
    """
    pattern = _IN_ADDRESS.get(country)
    is_only = country != "US" and len(re.findall(r"\d+", address)) == 1
    matches = [match for match in pattern.finditer(address.upper()) if is_only or match.start() > 2] if pattern else []
    if not matches:
        return "", address
    last = matches[-1]
    return last.group(1) + last.group(2), f"{address[: last.start()]} {address[last.end() :]}"
