"""Sort keys of Chinese names: PostgreSQL has no Chinese collation here, so the order is stored beside the name."""

from __future__ import annotations

import re

from pypinyin import Style, lazy_pinyin

_NUMBER = re.compile(r"[0-9]+")
_DIGITS = 8


def sort_key(name: str) -> str:
    """Return a key that sorts names by pinyin with tones, and numbers by value: 2 栋 before 10 栋."""
    padded = _NUMBER.sub(lambda number: number.group().zfill(_DIGITS), name.strip().casefold())
    syllables = lazy_pinyin(padded, style=Style.TONE3, neutral_tone_with_five=True)
    return " ".join(syllables)
