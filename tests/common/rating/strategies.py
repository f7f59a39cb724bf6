"""Random tariffs and requests for the laws, as the documents a person would write."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from tests.common.tariff.builders import body

MILLI_MAX = 10**9


def decimal_text(places: int, most: int) -> st.SearchStrategy[str]:
    """Return decimals of at least zero as text."""
    return st.integers(0, most * 10**places).map(lambda value: f"{Decimal(value).scaleb(-places):f}")


PRICES = decimal_text(6, 20)
BOUNDS = st.lists(st.integers(1, 5_000_000), min_size=1, max_size=6, unique=True).map(
    lambda milli: [f"{Decimal(value).scaleb(-3):f}" for value in sorted(milli)]
)
QUANTITIES = st.integers(0, 10_000_000)
GRIDS = st.sampled_from(["0.01", "0.1", "1"])
MODES = st.sampled_from(["half_up", "half_even", "up", "down"])


@st.composite
def charges(draw: st.DrawFn, count: int, *, flats: bool) -> list[dict[str, Any]]:
    """Return charges over tiers, some at one price for all of them."""
    found: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 3))):
        charge: dict[str, Any] = {"key": f"c{number}"}
        if draw(st.booleans()):
            charge["prices"] = draw(st.lists(PRICES, min_size=count, max_size=count))
            if flats and draw(st.booleans()):
                charge["flats"] = draw(st.lists(PRICES, min_size=count, max_size=count))
        else:
            charge["price"] = draw(PRICES)
        found.append(charge)
    return found


@st.composite
def graduated(draw: st.DrawFn) -> dict[str, Any]:
    """Return a graduated tariff without flat amounts, whose price is continuous."""
    bounds = draw(BOUNDS)
    return body(tiers={"bounds": bounds}, charges=draw(charges(len(bounds) + 1, flats=False)))


@st.composite
def tiered(draw: st.DrawFn) -> dict[str, Any]:
    """Return a tariff of any mode, boundary and uplift, with a rounding plan."""
    bounds = draw(BOUNDS)
    tiers: dict[str, Any] = {
        "bounds": bounds,
        "mode": draw(st.sampled_from(["graduated", "volume", "band"])),
        "boundary": draw(st.sampled_from(["lower", "upper"])),
    }
    if draw(st.booleans()):
        kind = draw(st.sampled_from(["once", "each"]))
        tiers["uplift"] = {"persons_from": draw(st.integers(1, 8)), kind: draw(decimal_text(3, 500))}
    document = body(tiers=tiers, charges=draw(charges(len(bounds) + 1, flats=tiers["mode"] != "band")))
    document["rounding"] = [{"stage": "line", "to": draw(GRIDS), "mode": draw(MODES)}]
    document["adjust"] = draw(adjustments())
    return document


@st.composite
def adjustments(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return some adjustments, each at most once, cap above minimum."""
    kinds = draw(st.lists(st.sampled_from(["discount", "surcharge", "rebate"]), unique=True))
    steps = [{kind: draw(decimal_text(4, 1))} for kind in kinds]
    low = draw(st.integers(0, 100))
    if draw(st.booleans()):
        steps.append({"minimum": str(low)})
    if draw(st.booleans()):
        steps.append({"cap": str(low + draw(st.integers(0, 10_000)))})
    return steps


@st.composite
def blocks(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return one or two blocks of whole units."""
    every = draw(st.sampled_from([1, 10, 15, 30, 60, 120]))
    last = {"every": every, "price": draw(decimal_text(2, 20))}
    if draw(st.booleans()):
        return [last]
    first = draw(st.sampled_from([10, 30, 60]))
    return [{"minutes": first * draw(st.integers(1, 3)), "every": first, "price": draw(decimal_text(2, 20))}, last]


@st.composite
def sessions(draw: st.DrawFn) -> dict[str, Any]:
    """Return session rules with two windows that cover the day."""
    turn, back = sorted(draw(st.lists(st.integers(0, 47), min_size=2, max_size=2, unique=True)))
    start, end = (f"{half // 2:02d}:{30 * (half % 2):02d}" for half in (turn, back))
    session: dict[str, Any] = {
        "units": draw(st.sampled_from(["started", "completed", "exact"])),
        "windows": [
            {"name": "day", "times": [f"{start}-{end}"], "blocks": draw(blocks())},
            {"name": "night", "times": [f"{end}-{start}"], "blocks": draw(blocks())},
        ],
    }
    if draw(st.booleans()):
        session["free"] = {"minutes": draw(st.integers(1, 120))}
    if draw(st.booleans()):
        session["cut"] = "day_from_entry"
        session["day_cap"] = draw(decimal_text(2, 100))
    return session
