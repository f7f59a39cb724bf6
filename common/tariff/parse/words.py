"""Reading of labels in both languages, and of the times of day."""

from __future__ import annotations

import re
from datetime import time

from common.tariff.model import DayKind, Days, TimeSpan, Words
from common.tariff.parse.section import Section

_WEEKDAYS = {name: index for index, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
_SPAN = re.compile(r"([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])", re.ASCII)
_HOURS_PER_DAY = 24


def read_words(section: Section, key: str, default: str | None = None) -> Words:
    """Return a label `{zh: ..., en: ...}`; a plain text stands for both, a default makes the label optional."""
    if section.raw(key) is None and default is not None:
        return Words(zh=default, en=default)
    if isinstance(section.raw(key), str):
        text = section.text(key)
        return Words(zh=text, en=text)
    entry = section.section(key)
    words = Words(zh=entry.text("zh"), en=entry.text("en"))
    entry.close()
    return words


def read_spans(section: Section, key: str) -> tuple[TimeSpan, ...]:
    """Return spans of the day written as `07:00-19:00`; `24:00` is the midnight at the end."""
    spans: list[TimeSpan] = []
    for index, item in enumerate(section.items(key)):
        span = _parse_span(str(item))
        if span is None:
            section.fault(f"{key}[{index}]", f"{item!r} is no span of the day", 'write it like "07:00-19:00"')
        else:
            spans.append(span)
    return tuple(spans)


def _parse_span(text: str) -> TimeSpan | None:
    match = _SPAN.fullmatch(text)
    if match is None:
        return None
    start, end = _moment(match[1], match[2]), _moment(match[3], match[4])
    return None if start is None or end is None else TimeSpan(start=start, end=end)


def _moment(hour: str, minute: str) -> time | None:
    hours, minutes = int(hour), int(minute)
    if hours > _HOURS_PER_DAY or (hours == _HOURS_PER_DAY and minutes):
        return None
    return time(hours % _HOURS_PER_DAY, minutes)


def read_days(section: Section) -> Days:
    """Return the days named by the fields `months`, `weekdays` and `days` of a section."""
    return Days(
        months=section.month_set("months"),
        weekdays=section.word_set("weekdays", _WEEKDAYS),
        kinds=section.word_set("days", {str(kind): kind for kind in DayKind}),
    )
