"""Reading of the time windows of metered tariffs (peak, flat, valley)."""

from __future__ import annotations

from collections.abc import Sequence

from common.tariff.coverage import WindowTimes, uncovered, unreached
from common.tariff.model import Window
from common.tariff.parse.section import Section
from common.tariff.parse.words import read_days, read_spans, read_words

REGISTERS = 4
# How meters of the trade number the rates (DL/T 645: 尖 峰 平 谷); a window of another name says its register.
USUAL_REGISTERS = {"sharp": 1, "peak": 2, "flat": 3, "valley": 4}


def read_windows(root: Section) -> tuple[Window, ...]:
    """Return the windows, none when the tariff does not price by time.

    Names may repeat: peak in winter and peak in summer are one name with other hours.
    """
    if "windows" not in root:
        return ()
    entries = root.sections("windows")
    read = [(entry, _read_window(entry)) for entry in entries]
    windows = tuple(window for _, window in read)
    if not windows:
        root.fault("windows", "there is no window", "write at least one, or leave the field out")
    registers = {window.name: window.register for window in windows}
    for entry, window in read:
        if window.register != registers[window.name]:
            entry.fault("register", f"{window.name} has another register elsewhere", "give all of one name the same")
    check_coverage(
        root, entries, [(window.spans, window.days) for window in windows], "cover every minute of every day"
    )
    return windows


def check_coverage(section: Section, entries: Sequence[Section], windows: Sequence[WindowTimes], remedy: str) -> None:
    """Note the minutes that no window holds, and the windows that earlier ones leave nothing to."""
    for hole in uncovered(windows):
        section.fault("windows", f"no window holds {hole}", remedy)
    for number in unreached(windows):
        if windows[number][0]:
            entries[number].fault("times", "earlier windows hold all of its time", "put it before them, or remove it")


def _read_window(entry: Section) -> Window:
    name = entry.text("name")
    if not f"usage_{name}".isidentifier() or not name.isascii() or not name.islower():
        entry.fault("name", f"{name!r} cannot stand in a formula", "use small ASCII letters, digits and _")
    spans = read_spans(entry, "times")
    if not spans:
        entry.fault("times", "no time of day falls into the window", 'write spans such as ["08:00-22:00"]')
    window = Window(
        name=name,
        label=read_words(entry, "label", name),
        spans=spans,
        days=read_days(entry),
        register=entry.integer("register", 1, REGISTERS, 0) or USUAL_REGISTERS.get(name),
    )
    entry.close()
    return window
