"""Sort keys of Chinese names: PostgreSQL has no Chinese collation here, so the order is stored beside the name.

The readings of single characters come from the table of the `pypinyin` package, read the first time a name with Chinese
characters is sorted; its phrase tables (55 MB in memory) are left alone. What they would tell is told below, for the
words that stand in names of places and people.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from common.errors import RefusalError

_NUMBER = re.compile(r"[0-9]+")
_DIGITS = 8
_CJK = re.compile(r"[\u3007\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_TONES = {"\u0304": "1", "\u0301": "2", "\u030c": "3", "\u0300": "4"}
_NEUTRAL = "5"
# In names these characters are read otherwise than the table's first reading says.
_IN_NAMES = {"长": "chang2", "都": "du1"}
# Characters that are read otherwise within these words than by themselves.
_WORDS = {
    "曲江": ("qu3", "jiang1"),
    "朝阳": ("zhao1", "yang2"),
    "西藏": ("xi1", "zang4"),
    "重庆": ("chong2", "qing4"),
    "重阳": ("chong2", "yang2"),
    "厦门": ("xia4", "men2"),
    "乐清": ("yue4", "qing1"),
    "音乐": ("yin1", "yue4"),
    "银行": ("yin2", "hang2"),
    "分行": ("fen1", "hang2"),
    "支行": ("zhi1", "hang2"),
    "会计": ("kuai4", "ji4"),
    "少年": ("shao4", "nian2"),
    "校长": ("xiao4", "zhang3"),
    "万俟": ("mo4", "qi2"),
    "尉迟": ("yu4", "chi2"),
}
_WORD = re.compile("|".join(_WORDS))


def sort_key(name: str) -> str:
    """Return a key that sorts names by pinyin with tones, and numbers by value: 2 栋 before 10 栋.

    Syllables are parted by spaces, `ü` is written `v`, and the tone is a digit, 5 for the neutral one.
    """
    padded = _NUMBER.sub(lambda number: number.group().zfill(_DIGITS), name.strip().casefold())
    if _CJK.search(padded) is None:
        return padded
    parts: list[str] = []
    at = 0
    for word in _WORD.finditer(padded):
        parts += [*_syllables(padded[at : word.start()]), *_WORDS[word.group()]]
        at = word.end()
    return " ".join([*parts, *_syllables(padded[at:])])


def _syllables(text: str) -> list[str]:
    """Return one syllable for each Chinese character, and what stands between them as it is."""
    readings = _readings()
    found: list[str] = []
    plain = ""
    for character in text:
        if character in readings:
            found += [plain, readings[character]] if plain else [readings[character]]
            plain = ""
        else:
            plain += character
    return [*found, plain] if plain else found


@cache
def _readings() -> Mapping[str, str]:
    """Return the first reading of each character, in its written form with marks turned into a tone digit."""
    spec = find_spec("pypinyin")
    if spec is None or spec.origin is None:
        raise RefusalError("the table of pinyin readings is missing; install gatehouse[cloud]")
    table = json.loads((Path(spec.origin).parent / "pinyin_dict.json").read_text(encoding="utf-8"))
    syllables: dict[str, str] = {}
    found = {}
    for code, readings in table.items():
        first = readings.partition(",")[0]
        if first not in syllables:
            syllables[first] = _numbered(first)
        found[chr(int(code))] = syllables[first]
    return found | _IN_NAMES


def _numbered(marked: str) -> str:
    """Return a syllable with its tone as a digit: lǜ becomes lv4."""
    tone = _NEUTRAL
    letters = ""
    for part in unicodedata.normalize("NFD", marked.replace("ü", "v")):
        if part in _TONES:
            tone = _TONES[part]
        else:
            letters += part
    return unicodedata.normalize("NFC", letters).replace("ü", "v") + tone
