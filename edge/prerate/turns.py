"""What a meter with one register counted in each time window, by its readings at the times at which windows turn.

A tariff that knows prices by window only prices such a meter by the usage between those readings, as the cloud does. A
share is the usage of one window under one revision in one month, kept with the instant at which its first stretch
began. A turn without a reading leaves its stretch out, so the shares no longer sum to the month, which then is not
priced. Nothing is stored but the last turn and the month's shares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

import msgspec

from common.civil import Period, civil_day
from common.clock import from_epoch_ms, to_epoch_ms
from common.errors import RefusalError
from common.ids import MeterId
from common.rating.windows import WindowFinder, usage_by_window
from common.reading.reading import Quantity
from common.reading.usage import MeterFacts, scaled_milli
from common.tariff.compile import CompiledTariff
from common.tariff.model import Window
from common.tariff.revision import RevisionRef, choose
from common.tariff.window_use import priced_by_window_only
from edge.driver.outcome import DeviceConfig
from edge.prerate.prices import KNOWN_AT, Assigned, Prices

PREFIX = "turns:"
SHARES_MAX = 200
_RATES = frozenset({Quantity.ENERGY_T1, Quantity.ENERGY_T2, Quantity.ENERGY_T3, Quantity.ENERGY_T4})
_STRETCH_MAX = timedelta(hours=25)  # from one turn to the next: midnight is one, and a day has an hour more in autumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """The usage of a window under a revision, in milli-units after the multiplier, and where its first part began."""

    since: date
    body_sha: str
    window: str
    starts_ms: int
    milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """The last turn of a meter as (instant, register before the multiplier), and the shares of its month."""

    last: tuple[int, int] | None = None
    shares: tuple[Share, ...] = ()

    def pack(self) -> bytes:
        """Return the stored form."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def unpack(cls, body: bytes) -> Turns:
        """Read the stored form; damaged bytes begin anew, and the month they belonged to is not priced."""
        try:
            return msgspec.msgpack.decode(body, type=cls)
        except msgspec.DecodeError:
            return cls()


class TurnBook:
    """The turns of every meter whose prices know windows only and which has no rate registers."""

    def __init__(self, stored: Mapping[str, bytes], zone: tzinfo) -> None:
        self._turns = {name: Turns.unpack(body) for name, body in stored.items() if name.startswith(PREFIX)}
        self._closed: dict[str, tuple[Share, ...]] = {}
        self._zone = zone
        self._prices = Prices()
        self._by_window: Mapping[MeterId, tuple[Assigned, ...]] = {}
        self._moments: frozenset[time] = frozenset()

    def use(self, prices: Prices) -> None:
        """Follow other prices."""
        self._prices = prices
        wanted = {
            code: tariffs
            for code, revisions in prices.revisions.items()
            if (tariffs := [found for one in revisions if (found := prices.compiled.get(one.ref.body_sha)) is not None])
            and any(priced_by_window_only(tariff.document) for tariff in tariffs)
        }
        self._moments = frozenset(
            moment for tariffs in wanted.values() for tariff in tariffs for moment in self._finder(tariff).edges
        )
        self._by_window = {
            meter_id: chosen
            for meter_id, assigned in prices.meters.items()
            if (chosen := tuple(one for one in assigned if one.tariff_code in wanted))
        }

    def use_zone(self, zone: tzinfo) -> None:
        """Count civil days in the site's zone."""
        self._zone = zone

    def follows(self, device: DeviceConfig, slot: datetime) -> bool:
        """Return whether a meter's reading at a slot tells windows apart."""
        wanted = device.meter_id in self._by_window and _RATES.isdisjoint(device.points)
        return wanted and slot.astimezone(self._zone).time() in self._moments

    def observe(self, device: DeviceConfig, slot: datetime, register_milli: int) -> Iterator[tuple[str, bytes]]:
        """Note a register at a slot, and yield what makes it durable by its name, for each charge of a meter."""
        facts = MeterFacts(multiplier_milli=device.multiplier_milli)
        for assigned in self._by_window[device.meter_id]:
            name = _name(device.meter_id, assigned)
            before = self._turns.get(name, Turns())
            try:
                after = self._turned(before, name, assigned, (slot, register_milli), facts)
            except RefusalError:
                continue  # no price or no calendar for the day: the stretch is left out and the month does not add up
            if after != before:
                self._turns[name] = after
                yield name, after.pack()

    def usage(self, meter_id: MeterId, assigned: Assigned, days: Period, ref: RevisionRef) -> dict[str, int]:
        """Return the usage by window of some days under their revision; empty where nothing of it is known.

        Raises:
            RatingRefusedError: a calendar is not known.
        """
        shares = [
            (from_epoch_ms(share.starts_ms), share.milli)
            for share in self._closed.get(_name(meter_id, assigned), ())
            if (share.since, share.body_sha) == (ref.effective_from, ref.body_sha)
        ]
        inside = [(starts, milli) for starts, milli in shares if civil_day(starts, self._zone) in days]
        return usage_by_window(self._finder(self._prices.compiled[ref.body_sha]), inside)

    def _turned(
        self, before: Turns, name: str, assigned: Assigned, turn: tuple[datetime, int], facts: MeterFacts
    ) -> Turns:
        """Return the turns after a register at an instant; the same when no window turns there."""
        slot, register_milli = turn
        day = civil_day(slot, self._zone)
        tariff = self._prices.compiled[self._in_force(assigned, day).body_sha]
        last = (to_epoch_ms(slot), register_milli)
        if slot.astimezone(self._zone).time() not in self._finder(tariff).edges:
            return before
        if before.last is None:
            return Turns(last=last)
        starts = from_epoch_ms(before.last[0])
        milli = scaled_milli(register_milli, facts) - scaled_milli(before.last[1], facts)
        shares = before.shares
        if milli >= 0 and timedelta(0) < slot - starts <= _STRETCH_MAX:
            shares = self._with_stretch(shares, assigned, (starts, slot), milli)
        began = civil_day(starts, self._zone)
        if (began.year, began.month) == (day.year, day.month):
            return Turns(last=last, shares=shares)
        self._closed[name] = shares
        return Turns(last=last)

    def _with_stretch(
        self, shares: tuple[Share, ...], assigned: Assigned, stretch: tuple[datetime, datetime], milli: int
    ) -> tuple[Share, ...]:
        """Return the shares with the usage between two turns; the same when another turn lies between them."""
        starts, ends = stretch
        ref = self._in_force(assigned, civil_day(starts, self._zone))
        finder = self._finder(self._prices.compiled[ref.body_sha])
        if len(list(finder.pieces(starts, ends))) != 1 or len(shares) >= SHARES_MAX:
            return shares
        window = finder.at(starts).name
        key = (ref.effective_from, ref.body_sha, window)
        for number, share in enumerate(shares):
            if (share.since, share.body_sha, share.window) == key:
                return (*shares[:number], replace(share, milli=share.milli + milli), *shares[number + 1 :])
        since, body_sha, _ = key
        begun = Share(since=since, body_sha=body_sha, window=window, starts_ms=to_epoch_ms(starts), milli=milli)
        return (*shares, begun)

    def _in_force(self, assigned: Assigned, day: date) -> RevisionRef:
        return choose(self._prices.known(assigned.tariff_code), day, KNOWN_AT)

    def _finder(self, tariff: CompiledTariff) -> WindowFinder[Window]:
        return WindowFinder(tariff.document.windows, self._zone, self._prices.calendar)


def _name(meter_id: MeterId, assigned: Assigned) -> str:
    return f"{PREFIX}{meter_id}:{assigned.charge_code}"
