"""Text to plain words, and the foldings that bring spellings together. ASCII out, whatever the script in."""

from __future__ import annotations

import re
from functools import lru_cache

from anyascii import anyascii

from tacit_matcher.words import SCRIPT_PHRASES

_PHRASES = re.compile("|".join(re.escape(phrase) for phrase, _ in SCRIPT_PHRASES))
_PUT = dict(SCRIPT_PHRASES)
_ELISION = re.compile(r"\b([dl])['`](?=[a-z])")
_GENITIVE = re.compile(r"['`]s\b")
_WORD = re.compile(r"[a-z]+|[0-9]+")
_FOLDINGS = (
    ("ae", "a"), ("oe", "o"), ("ue", "u"), ("ph", "f"), ("ck", "k"), ("c", "k"), ("y", "i"), ("w", "v"), ("th", "t"),
    ("dt", "t"), ("j", "i"),
)  # fmt: skip
_TWICE = re.compile(r"(.)\1+")
_SKELETON = 5  # letters; what follows is inflection as often as not
_NO_VOWELS = str.maketrans("", "", "aeiou")
# What a pass of folding would change: most words are done after one, many need none.
_TO_FOLD = re.compile("|".join([*(spelling for spelling, _ in _FOLDINGS if len(spelling) == 2), "[cywj]", r"(.)\1"]))


def plain(text: str) -> str:
    """Transliterate to lower-case ASCII words separated by single blanks; letters and digits are words of their own."""
    if not text.isascii():
        text = anyascii(_PHRASES.sub(lambda match: _PUT[match.group()], text))
    text = _GENITIVE.sub("", _ELISION.sub("", text.lower())).replace("'", "").replace("`", "")
    return " ".join(_WORD.findall(text))


@lru_cache(maxsize=65536)
def fold(word: str) -> str:
    """Fold spellings that stand for one another: umlauts, doubled letters, c/k, ph/f, y/i and the like."""
    if word.isdigit():
        return word
    while _TO_FOLD.search(word):
        word = _fold_once(word)
    return word


def _fold_once(word: str) -> str:
    for spelling, put in _FOLDINGS:
        word = word.replace(spelling, put)
    return _TWICE.sub(_once, word)


def _once(twice: re.Match[str]) -> str:
    return twice[1]  # a function: a template would be read anew at every call


@lru_cache(maxsize=65536)
def skeleton(word: str) -> str:
    """Return the first letter and the consonants of a folded word, five at most; a short word keeps its vowels."""
    bare = _TWICE.sub(_once, word[:1] + word[1:].translate(_NO_VOWELS))
    return (bare if len(bare) > 2 else word)[:_SKELETON]


def letters(words: tuple[str, ...]) -> str:
    """Return the letters of words in the order of the alphabet: the same however the words are split or ordered."""
    return "".join(sorted("".join(words)))
