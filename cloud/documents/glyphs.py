"""Which letters the font of the papers can print; what it cannot is shown by its code point, and said.

A missing glyph leaves no trace in a PDF, so it is looked for before printing: a rare letter of a name becomes
`〓[U+20BB7]`, which a person can mend by hand, and is reported.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from fontTools.ttLib import TTFont

from common.errors import ensure

FONTS = Path(__file__).parent / "fonts"
FONT_FILES = ("NotoSansHans-Regular.otf", "NotoSansHans-Bold.otf")
_PLACEHOLDER = "〓"


@lru_cache(maxsize=1)
def printable() -> frozenset[int]:
    """Return the code points that both weights of the font have."""
    maps = []
    for path in font_paths():
        with TTFont(path, lazy=True) as font:
            maps.append(frozenset(font.getBestCmap()))
    return frozenset.intersection(*maps)


@lru_cache(maxsize=1)
def font_sha() -> bytes:
    """Return the SHA-256 over the files of the font, which is kept with every paper."""
    digest = sha256()
    for path in font_paths():
        digest.update(path.read_bytes())
    return digest.digest()


def font_paths() -> tuple[Path, ...]:
    """Return the files of the font.

    Raises:
        InvariantError: they are not there.
    """
    found = tuple(FONTS / name for name in FONT_FILES)
    ensure(all(path.is_file() for path in found), f"the font of the papers is in {FONTS}; `make` brings it")
    return found


def printed(value: Any, missing: set[str], known: frozenset[int] | None = None) -> Any:
    """Return a plain value in which every letter can be printed, and add what could not to `missing`."""
    glyphs = printable() if known is None else known
    if isinstance(value, str):
        return "".join(_letter(letter, missing, glyphs) for letter in value)
    if isinstance(value, list | tuple):
        return [printed(item, missing, glyphs) for item in value]
    if isinstance(value, dict):
        return {key: printed(item, missing, glyphs) for key, item in value.items()}
    return value


def _letter(letter: str, missing: set[str], glyphs: frozenset[int]) -> str:
    if not letter.isprintable():
        return " "
    if ord(letter) in glyphs:
        return letter
    missing.add(letter)
    return f"{_PLACEHOLDER}[U+{ord(letter):04X}]"
