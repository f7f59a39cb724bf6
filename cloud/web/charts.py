"""Charts as ECharts options: plain data, drawn in the browser as SVG.

Amounts are shown in yuan; the figures that count stand in the tables beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

INK, ACCENT, GOOD, QUIET = "#1d2733", "#0b5c8a", "#2e8b57", "#b9c6d2"
_FEN = 100
_MILLI = 1_000
_GRID = {"left": 8, "right": 16, "top": 40, "bottom": 8, "containLabel": True}
_TIP = {"trigger": "axis", "renderMode": "richText", "confine": True}

Option = dict[str, Any]


def yuan_of(fen: int) -> float:
    """Return fen as yuan for a drawing, where a rounding of the last place cannot be seen."""
    return fen / _FEN


def bars(names: Sequence[str], series: Sequence[tuple[str, str, Sequence[int]]]) -> Option:
    """Return bars side by side; each series is a name, a colour and its amounts in fen."""
    return {
        "grid": _GRID,
        "tooltip": _TIP,
        "legend": {"top": 0, "left": 0, "textStyle": {"color": INK}},
        "xAxis": {"type": "category", "data": list(names), "axisLabel": {"color": INK, "hideOverlap": True}},
        "yAxis": {"type": "value", "axisLabel": {"color": INK}},
        "series": [
            {
                "type": "bar",
                "name": name,
                "color": colour,
                "barMaxWidth": 32,
                "data": [yuan_of(fen) for fen in amounts],
            }
            for name, colour, amounts in series
        ],
    }


def counts(names: Sequence[str], name: str, numbers: Sequence[int]) -> Option:
    """Return one bar for each name, as high as its number; the names lie along a slope where they are long."""
    return {
        "grid": _GRID,
        "tooltip": _TIP,
        "xAxis": {"type": "category", "data": list(names), "axisLabel": {"color": INK, "rotate": 30, "fontSize": 10}},
        "yAxis": {"type": "value", "minInterval": 1, "axisLabel": {"color": INK}},
        "series": [{"type": "bar", "name": name, "color": ACCENT, "barCategoryGap": "10%", "data": list(numbers)}],
    }


def uses(names: Sequence[str], name: str, used_milli: Sequence[int | None]) -> Option:
    """Return one bar for each hour's use, in whole units; an hour that is not known has no bar."""
    return {
        "grid": _GRID,
        "tooltip": _TIP,
        "xAxis": {"type": "category", "data": list(names), "axisLabel": {"color": INK, "hideOverlap": True}},
        "yAxis": {"type": "value", "axisLabel": {"color": INK}},
        "series": [
            {
                "type": "bar",
                "name": name,
                "color": ACCENT,
                "data": [None if used is None else used / _MILLI for used in used_milli],
            }
        ],
    }


def curve(names: Sequence[str], name: str, amounts: Sequence[int]) -> Option:
    """Return one curve of amounts in fen over days."""
    return {
        "grid": _GRID,
        "tooltip": _TIP,
        "xAxis": {
            "type": "category",
            "boundaryGap": False,
            "data": list(names),
            "axisLabel": {"color": INK, "hideOverlap": True},
        },
        "yAxis": {"type": "value", "axisLabel": {"color": INK}},
        "series": [
            {
                "type": "line",
                "name": name,
                "color": ACCENT,
                "symbol": "none",
                "areaStyle": {"opacity": 0.15},
                "data": [yuan_of(fen) for fen in amounts],
            }
        ],
    }
