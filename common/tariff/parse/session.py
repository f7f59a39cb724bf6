"""Reading of session rules: free time, windows with their blocks, cuts and caps."""

from __future__ import annotations

import re
from datetime import time
from itertools import pairwise

from common.tariff.model import Days, TimeSpan, Words
from common.tariff.parse.section import Section
from common.tariff.parse.windows import check_coverage
from common.tariff.parse.words import read_days, read_spans, read_words
from common.tariff.session_model import (
    Block,
    Cut,
    FreeLimit,
    FreeTime,
    Gather,
    SessionRule,
    SessionWindow,
    UnitRounding,
    Visits,
)

MINUTES_MAX = 366 * 24 * 60
_MICRO_EXPONENT = 6
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


def read_session(section: Section) -> SessionRule:
    """Return the rule of a session; without windows one window holds all day."""
    windows = _read_windows(section)
    rule = SessionRule(
        windows=windows,
        cut=section.choice("cut", Cut, Cut.NEVER),
        gather=section.choice("gather", Gather, Gather.RUN),
        rounding=section.choice("units", UnitRounding, UnitRounding.STARTED),
        free=_read_free(section),
        visits=section.choice("visits", Visits, Visits.SEPARATE),
        count_seconds=section.flag("count_seconds", default=False),
        restart_blocks=section.flag("restart_blocks", default=True),
        allowance_minutes=section.integer("allowance_minutes", 0, MINUTES_MAX, 0),
        tail_minutes=section.integer("tail_minutes", 0, MINUTES_MAX, 0),
        short_stay_minutes=section.integer("short_stay_minutes", 0, MINUTES_MAX, 0),
        full_part_micro=_price(section, "full_day"),
        part_caps_micro=_read_caps(section),
        rolling_cap_micro=_price(section, "rolling_cap"),
        rejoin_minutes=section.integer("rejoin_minutes", 0, MINUTES_MAX, 0),
        missing_exit=_read_missing_exit(section),
        exit_grace_minutes=section.integer("exit_grace_minutes", 0, MINUTES_MAX, 0),
    )
    _check_together(section, rule)
    section.close()
    return rule


def _check_together(section: Section, rule: SessionRule) -> None:
    """Note the rules that cannot stand beside each other."""
    if rule.cut is Cut.NEVER and rule.full_part_micro is not None:
        section.fault("full_day", "a stay that is never cut has no full day", "write `cut: day_from_entry`")
    if rule.visits is Visits.TOGETHER and rule.cut not in {Cut.CALENDAR_DAY, Cut.DAY_FROM_FIRST_ENTRY}:
        remedy = "write `cut: calendar_day` or `cut: day_from_first_entry`"
        section.fault("visits", "visits are put together by day", remedy)
    if rule.rolling_cap_micro is None:
        return
    if rule.gather is not Gather.RUN:
        section.fault("rolling_cap", "gathered minutes have no hour of their own", "leave `gather` out")
    if rule.part_caps_micro:
        section.fault("rolling_cap", "it stands beside the cap of a day", "write one of the two")


def _read_windows(section: Section) -> tuple[SessionWindow, ...]:
    if "windows" not in section:
        all_day = TimeSpan(start=time(), end=time())
        window = SessionWindow(
            name="all_day",
            label=Words(zh="停车", en="parking"),
            spans=(all_day,),
            days=Days(),
            blocks=_read_blocks(section),
        )
        return (window,)
    entries = section.sections("windows")
    windows = tuple(_read_window(entry) for entry in entries)
    times = [(window.spans, window.days) for window in windows]
    check_coverage(section, entries, times, "cover every minute of every day; a price may be 0")
    return windows


def _read_window(entry: Section) -> SessionWindow:
    name = entry.text("name")
    most = entry.section("most") if "most" in entry else None
    spans = read_spans(entry, "times")
    if not spans:
        entry.fault("times", "no time of day falls into the window", 'write spans such as ["07:00-19:00"]')
    window = SessionWindow(
        name=name,
        label=read_words(entry, "label", name),
        spans=spans,
        days=read_days(entry),
        blocks=_read_blocks(entry) if "once" not in entry else (),
        once_micro=_price(entry, "once"),
        cap_micro=_price(entry, "cap"),
        most_minutes=most.integer("minutes", 1, MINUTES_MAX) if most else 0,
        most_of=most.integer("of", 1, MINUTES_MAX) if most else 0,
    )
    if most:
        most.close()
    entry.close()
    return window


def _read_blocks(section: Section) -> tuple[Block, ...]:
    entries = section.sections("blocks")
    if not entries:
        section.fault("blocks", "there is no price", 'write blocks such as [{every: 60, price: "5"}]')
    blocks: list[Block] = []
    for index, entry in enumerate(entries):
        every = entry.integer("every", 1, MINUTES_MAX)
        minutes = entry.integer("minutes", 1, MINUTES_MAX) if "minutes" in entry else None
        last = index == len(entries) - 1
        if last and minutes is not None:
            entry.fault("minutes", "time after the last block would be free", "leave `minutes` out of the last block")
        if not last and minutes is None:
            entry.fault("minutes", "the block never ends, so later ones are never used", "write its length")
        if minutes is not None and minutes % every:
            entry.fault("minutes", f"{minutes} minutes hold no whole units of {every}", "write a multiple of `every`")
        blocks.append(Block(minutes=minutes, every=every, price_micro=entry.decimal("price", _MICRO_EXPONENT)))
        entry.close()
    return tuple(blocks)


def _read_free(section: Section) -> FreeTime | None:
    if "free" not in section:
        return None
    entry = section.section("free")
    free = FreeTime(
        minutes=entry.integer("minutes", 1, MINUTES_MAX),
        limit=entry.choice("limit", FreeLimit, FreeLimit.UP_TO),
        deducted=entry.flag("deducted", default=False),
        each_part=entry.flag("each_part", default=False),
    )
    entry.close()
    return free


def _read_caps(section: Section) -> tuple[int, ...]:
    """Read the caps of the parts: one amount, or amounts rising by day."""
    if "day_caps" not in section:
        return () if "day_cap" not in section else (section.decimal("day_cap", _MICRO_EXPONENT),)
    caps = section.decimals("day_caps", _MICRO_EXPONENT)
    if any(low > high for low, high in pairwise(caps)):
        section.fault("day_caps", "a later cap is below an earlier one", "let the caps rise by day")
    return caps


def _price(section: Section, key: str) -> int | None:
    return section.decimal(key, _MICRO_EXPONENT) if key in section else None


def _read_missing_exit(section: Section) -> time | None:
    if "missing_exit" not in section:
        return None
    text = section.text("missing_exit")
    match = _TIME.fullmatch(text)
    if match is None:
        section.fault("missing_exit", f"{text!r} is no time of day", 'write it like "23:59"')
        return None
    return time(int(match[1]), int(match[2]))
