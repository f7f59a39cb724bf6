"""A figure of the bench with its bar, and how the table is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What was measured, in each round; `most` or `least` is the bar that the best round has to pass, if there is one.

    A busy machine only ever makes a figure worse, so the best of the rounds is the one that is judged.
    """

    name: str
    values: Sequence[float]
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def best(self) -> float:
        """Return the round that the bar is held against."""
        return max(self.values) if self.least is not None else min(self.values)

    @property
    def passed(self) -> bool:
        """Return whether the bar holds."""
        return (self.most is None or self.best <= self.most) and (self.least is None or self.best >= self.least)


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as text: best and median of the rounds, the bar, and whether it holds."""
    lines = [f"{'figure':<66}{'best':>10}{'median':>10}  {'bar':<12}"]
    for figure in figures:
        bar = "" if figure.most is None else f"<= {figure.most:g}"
        bar = bar if figure.least is None else f">= {figure.least:g}"
        mark = "" if not bar else ("pass" if figure.passed else "FAIL")
        best, middle = f"{figure.best:.4g}", f"{median(figure.values):.4g}"
        lines.append(f"{figure.name:<66}{best:>10}{middle:>10}  {bar:<12}{mark:<5} {figure.unit}")
    return "\n".join(lines) + "\n"
