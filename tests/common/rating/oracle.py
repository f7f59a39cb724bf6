"""An independent second opinion on prices, in exact fractions, read straight from the tariff document.

It shares no code with the engine and no idea: tiers are walked unit slice by unit slice from the bottom, sessions are
counted second by second off the wall clock. Slow and obvious; it knows only what the generated tariffs use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

Document = Mapping[str, Any]
HALF = Fraction(1, 2)


def charge_total(document: Document, quantity: Fraction, prior: Fraction, persons: int = 1) -> Fraction:
    """Return the exact amount in major units of all charges on a usage after a prior usage."""
    bounds = [Fraction(bound) for bound in document["tiers"]["bounds"]] if "tiers" in document else []
    uplift = document.get("tiers", {}).get("uplift")
    if uplift and persons >= uplift["persons_from"]:
        extra = Fraction(uplift.get("once", 0)) + Fraction(uplift.get("each", 0)) * (
            persons - uplift["persons_from"] + 1
        )
        bounds = [bound + extra for bound in bounds]
    mode = document.get("tiers", {}).get("mode", "graduated")
    upper = document.get("tiers", {}).get("boundary", "lower") == "upper"
    total = Fraction(0)
    for charge in document["charges"]:
        prices = [Fraction(price) for price in charge.get("prices", [charge.get("price")])]
        flats = [Fraction(flat) for flat in charge.get("flats", [0] * len(prices))]
        if len(prices) == 1:
            total += prices[0] * quantity + (flats[0] if not prior else 0)
            continue
        tiers = Tiers(mode, bounds, prices, flats, upper)
        after = running(tiers, prior + quantity)
        before = running(tiers, prior) if prior else Fraction(0)
        total += after - before
    return total


@dataclass(frozen=True)
class Tiers:
    """Upper bounds with prices and flat amounts."""

    mode: str
    bounds: Sequence[Fraction]
    prices: Sequence[Fraction]
    flats: Sequence[Fraction]
    upper: bool


def running(tiers: Tiers, x: Fraction) -> Fraction:
    """Return the price of the first x units."""
    reached = [bound for bound in tiers.bounds if (bound <= x if tiers.upper else bound < x)]
    tier = len(reached)
    if tiers.mode == "band":
        return tiers.prices[tier]
    if tiers.mode == "volume":
        return x * tiers.prices[tier] + tiers.flats[tier]
    edges = [Fraction(0), *reached, x]
    slices = [edges[n + 1] - edges[n] for n in range(tier + 1)]
    return sum(
        (width * price + flat for width, price, flat in zip(slices, tiers.prices, tiers.flats, strict=False)),
        Fraction(0),
    )


def adjusted(document: Document, amount: Fraction) -> Fraction:
    """Return the amount after the document's adjustments (constants only)."""
    for step in document.get("adjust", ()):
        if "discount" in step:
            amount -= amount * Fraction(step["discount"])
        if "surcharge" in step:
            amount += amount * Fraction(step["surcharge"])
        if "rebate" in step:
            amount -= min(amount, Fraction(step["rebate"]))
        if "minimum" in step:
            amount = max(amount, Fraction(step["minimum"]))
        if "cap" in step:
            amount = min(amount, Fraction(step["cap"]))
    return amount


def rounded(amount: Fraction, grid: Fraction, mode: str) -> Fraction:
    """Return the amount on a grid; amounts here are never negative."""
    steps = amount / grid
    whole = steps.numerator // steps.denominator
    rest = steps - whole
    up = {
        "half_up": rest >= HALF,
        "half_even": rest > HALF or (rest == HALF and whole % 2 == 1),
        "up": rest > 0,
        "down": False,
    }
    return (whole + up[mode]) * grid


def session_total(session: Mapping[str, Any], entry: datetime, end: datetime) -> Fraction:
    """Return the price of one stay of whole minutes, counted minute by minute; entry and end are local times.

    Knows windows with one block list each, free minutes that are not deducted, whole-run rounding and a cap for each
    24 hours from the entry.
    """
    minutes = [entry + timedelta(minutes=n) for n in range(int((end - entry) / timedelta(minutes=1)))]
    free = session.get("free")
    if free and len(minutes) <= free["minutes"]:
        return Fraction(0)
    if session.get("cut") != "day_from_entry":
        return stay_total(session, minutes)
    days = [minutes[n : n + 1440] for n in range(0, len(minutes), 1440)]
    totals = [stay_total(session, day) for day in days]
    cap = session.get("day_cap")
    return sum((min(total, Fraction(cap)) if cap else total for total in totals), Fraction(0))


def stay_total(session: Mapping[str, Any], minutes: Sequence[datetime]) -> Fraction:
    total, run = Fraction(0), 0
    windows = [window_at(session["windows"], minute) for minute in minutes]
    for index, window in enumerate(windows):
        run += 1
        following = windows[index + 1] if index + 1 < len(windows) else None
        if following is None or following["blocks"] != window["blocks"]:
            total += blocks_total(session.get("units", "started"), window["blocks"], run)
            run = 0
    return total


def window_at(windows: Sequence[Mapping[str, Any]], minute: datetime) -> Mapping[str, Any]:
    clock = f"{minute:%H:%M}"
    for window in windows:
        for span in window["times"]:
            start, end = span.split("-")
            inside = start <= clock < end if start < end else clock >= start or clock < end
            if inside:
                return window
    raise AssertionError(clock)


def blocks_total(units: str, blocks: Sequence[Mapping[str, Any]], minutes: int) -> Fraction:
    total = Fraction(0)
    for block in blocks:
        inside = min(minutes, block.get("minutes", minutes))
        minutes -= inside
        exact = Fraction(inside, block["every"])
        whole = exact.numerator // exact.denominator
        counted = {"exact": exact, "completed": Fraction(whole), "started": Fraction(whole + (exact > whole))}[units]
        total += counted * Fraction(block["price"])
    return total
