"""Chinese number plates (号牌): which texts are one, of what kind, and which two may be the same plate misread. Pure.

Colour is no part of a plate's identity; some cameras write it in front, and it is taken off. A car without a readable
plate is `None`, never a plate of its own. Likeness is for finding the entry of a car that leaves, never for opening
to a stranger.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
CHARACTERS_MOST = 12
NO_PLATES = frozenset({"", "_无_", "无车牌", "无牌车", "车牌", "000000", "unknown", "no plate"})
_LETTER = "A-HJ-NP-Z"
_COLOURS = "蓝黄白黑绿"
_COLOUR_FIRST = re.compile(rf"[{_COLOURS}]+(?=[{PROVINCES}])")
_SEPARATORS = re.compile(r"[\s·•.\-]+")


class PlateKind(StrEnum):
    """What kind of plate a text is, in the words of the published vectors."""

    ORDINARY = "blue/yellow, ordinary"
    NEW_ENERGY_SMALL = "new energy, small"
    NEW_ENERGY_LARGE = "new energy, large"
    POLICE = "police"
    SCHOOL = "school"
    TRAILER = "trailer"
    CROSS_BORDER = "cross-border (Hong Kong, Macau)"
    EMBASSY = "embassy"
    CONSULATE = "consulate"
    ARMED_POLICE = "armed police"
    MILITARY = "military"
    AVIATION = "civil aviation"
    EMERGENCY = "emergency"


_FORMS: Mapping[PlateKind, re.Pattern[str]] = {
    PlateKind.CROSS_BORDER: re.compile(rf"粤Z[{_LETTER}0-9]{{4}}[港澳]"),
    PlateKind.POLICE: re.compile(rf"[{PROVINCES}][A-HJ-Z][{_LETTER}0-9]{{4}}警"),
    PlateKind.SCHOOL: re.compile(rf"[{PROVINCES}][A-HJ-Z][{_LETTER}0-9]{{4}}学"),
    PlateKind.TRAILER: re.compile(rf"[{PROVINCES}][A-HJ-Z][{_LETTER}0-9]{{4}}挂"),
    PlateKind.EMERGENCY: re.compile(rf"[{PROVINCES}][A-HJ-Z][{_LETTER}0-9]{{3,4}}应急"),
    PlateKind.CONSULATE: re.compile(rf"[{PROVINCES}][A-HJ-Z](?:[{_LETTER}0-9]{{4}}领|领[{_LETTER}0-9]{{4}})"),
    PlateKind.EMBASSY: re.compile(r"[0-9]{6}使|使[0-9]{6}"),
    PlateKind.ARMED_POLICE: re.compile(rf"WJ[{PROVINCES}]?[{_LETTER}0-9]{{4,6}}"),
    PlateKind.AVIATION: re.compile(rf"民航[{_LETTER}0-9]{{5}}"),
    PlateKind.NEW_ENERGY_SMALL: re.compile(rf"[{PROVINCES}][A-HJ-Z][A-HJK][{_LETTER}0-9][0-9]{{4}}"),
    PlateKind.NEW_ENERGY_LARGE: re.compile(rf"[{PROVINCES}][A-HJ-Z][0-9]{{5}}[A-HJK]"),
    PlateKind.ORDINARY: re.compile(rf"[{PROVINCES}][A-HJ-Z][{_LETTER}0-9]{{5}}"),
    PlateKind.MILITARY: re.compile(r"[A-HJ-NP-Z]{2}[0-9]{5}"),
}
_CONFUSED = ("0ODQ", "1ILT", "2Z", "5S", "6G", "7T", "8B", "UV", "CG")
_ALIKE: frozenset[frozenset[str]] = frozenset(
    frozenset({one, other}) for group in _CONFUSED for one in group for other in group if one != other
)
_LONGEST_GREEN = 8


def normalise(text: str) -> str | None:
    """Return a plate as it is compared and shown, or None when the text says that none was read."""
    plain = _SEPARATORS.sub("", text.strip().upper())
    if text.strip().lower() in NO_PLATES or plain.lower() in NO_PLATES:
        return None
    return _COLOUR_FIRST.sub("", plain)


def kind_of(plate: str) -> PlateKind | None:
    """Return the kind of a plate, or None when the text has the form of none."""
    return next((kind for kind, form in _FORMS.items() if form.fullmatch(plate)), None)


def find_likely(seen: str, inside: Iterable[str]) -> str | None:
    """Return the plate that a camera most likely misread as `seen`, when exactly one is left; else None.

    First one confusable character at the same length, then all but the province sign, then the lost last character of
    a green plate.
    """
    candidates = tuple(dict.fromkeys(inside))
    if seen in candidates:
        return seen
    for alike in (_one_character_confused, _same_without_province, _last_character_lost):
        found = [plate for plate in candidates if alike(seen, plate)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _one_character_confused(seen: str, other: str) -> bool:
    if len(seen) != len(other):
        return False
    differing = [frozenset(pair) for pair in zip(seen, other, strict=True) if pair[0] != pair[1]]
    return len(differing) == 1 and differing[0] in _ALIKE


def _same_without_province(seen: str, other: str) -> bool:
    return len(seen) == len(other) and seen[1:] == other[1:] and {seen[0], other[0]} <= set(PROVINCES)


def _last_character_lost(seen: str, other: str) -> bool:
    longer, shorter = sorted((seen, other), key=len, reverse=True)
    return len(longer) == _LONGEST_GREEN and longer[:-1] == shorter and kind_of(longer) is not None
