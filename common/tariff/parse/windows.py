"""Reading of the time windows of metered tariffs (peak, flat, valley)."""

from __future__ import annotations

from common.tariff.coverage import uncovered
from common.tariff.model import Window
from common.tariff.parse.section import Section
from common.tariff.parse.words import read_days, read_spans, read_words


def read_windows(root: Section) -> tuple[Window, ...]:
    """Return the windows, none when the tariff does not price by time.

    Names may repeat: peak in winter and peak in summer are one name with other hours.
    """
    if "windows" not in root:
        return ()
    windows = tuple(_read_window(entry) for entry in root.sections("windows"))
    if not windows:
        root.fault("windows", "there is no window", "write at least one, or leave the field out")
    for hole in uncovered([(window.spans, window.days) for window in windows]):
        root.fault("windows", f"no window holds {hole}", "cover every minute of every day")
    return windows


def _read_window(entry: Section) -> Window:
    name = entry.text("name")
    if not name.replace("_", "").isalnum() or not name.isascii() or not name.islower():
        entry.fault("name", f"{name!r} cannot stand in a formula", "use small ASCII letters, digits and _")
    spans = read_spans(entry, "times")
    if not spans:
        entry.fault("times", "no time of day falls into the window", 'write spans such as ["08:00-22:00"]')
    window = Window(name=name, label=read_words(entry, "label", name), spans=spans, days=read_days(entry))
    entry.close()
    return window
