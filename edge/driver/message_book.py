"""What meters that speak unasked have last said: messages in, the freshest value of each point out.

Invariants: a message counts for the device its topic and its own words name, once; a value is as old as the meter's
own time says, or as its arrival when it says none; an older message never takes a newer one's place, and a retained
one without a time has no age and is no reading; a reading may come in pieces. State is bounded by devices and points.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from common.errors import RefusalError
from common.ids import MeterId
from common.reading.reading import Quantity
from edge.device.model import MessagePlace, Messages, Point, Profile
from edge.driver.decoding import to_point_milli
from edge.driver.outcome import DeviceConfig, Exchange, FailureKind, PointValue, ReadFailure, ReadOutcome, WireStats
from edge.protocol.json_message import find, moment_at, number_at, parse_message, payload_at, text_at
from edge.protocol.values import ByteOrder, RegisterType, ValueRefusedError, number

KEYS_KEPT = 64
CLOCK_AHEAD_MOST = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One message as the broker delivered it."""

    topic: str
    payload: bytes
    retained: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """One value: how old it is, and the message that said it."""

    at: datetime
    value: PointValue
    heard: Heard


@dataclass(slots=True)
class _Station:
    """What is known of one device."""

    device: DeviceConfig
    profile: Profile
    messages: Messages
    keys: deque[str] = field(default_factory=lambda: deque(maxlen=KEYS_KEPT))
    values: dict[Quantity, _Said] = field(default_factory=dict)
    complaint: str = ""


class MessageBook:
    """The devices behind one broker connection."""

    def __init__(self, stats: WireStats) -> None:
        self._stats = stats
        self._stations: dict[MeterId, _Station] = {}

    def add(self, device: DeviceConfig, profile: Profile) -> tuple[str, ...]:
        """Take a device on, or its new description; return the topics to subscribe."""
        messages = profile.messages
        if messages is None:
            raise RefusalError(f"device {device.serial}: model {profile.model} does not speak MQTT")
        known = self._stations.get(device.meter_id)
        if known is None or known.device != device or known.profile != profile:
            self._stations[device.meter_id] = _Station(device, profile, messages)
        return topics_of(device, profile, messages)

    def take(self, heard: Heard) -> None:
        """Take a message; one that means nobody here or cannot be understood is counted and forgotten."""
        self._stats.exchanges += 1
        stations = [station for station in self._stations.values() if _is_for(station, heard.topic)]
        if not stations:
            self._stats.foreign_frames += 1
        for station in stations:
            try:
                self._enter(station, heard)
            except RefusalError as refusal:
                self._stats.bad_values += 1
                station.complaint = str(refusal)

    def kept(self) -> tuple[Heard, ...]:
        """Return the messages behind the values, each once, oldest first."""
        heard = (said.heard for station in self._stations.values() for said in station.values.values())
        return tuple(sorted(dict.fromkeys(heard), key=lambda one: one.at))

    def outcome(self, device: DeviceConfig, now: datetime) -> ReadOutcome:
        """Return the fresh values of a device, and a failure for the points that have none."""
        station = self._stations[device.meter_id]
        oldest = now - timedelta(seconds=station.messages.fresh_for_s)
        fresh = {
            quantity: said.value
            for quantity, said in station.values.items()
            if said.at >= oldest and quantity in device.points
        }
        missing = tuple(quantity for quantity in device.points if quantity not in fresh)
        failures = (self._failure(station, missing),) if missing else ()
        return ReadOutcome(meter_id=device.meter_id, points=tuple(fresh.values()), failures=failures)

    def _failure(self, station: _Station, missing: tuple[Quantity, ...]) -> ReadFailure:
        if station.complaint:
            detail = f"device {station.device.serial}: {station.complaint}; compare its model with what it sends"
            return ReadFailure(kind=FailureKind.BAD_VALUE, points=missing, detail=detail)
        self._stats.timeouts += 1
        topics = ", ".join(topics_of(station.device, station.profile, station.messages))
        detail = (
            f"device {station.device.serial} said nothing on {topics} for {station.messages.fresh_for_s} s; "
            "check its power, its radio and its name"
        )
        return ReadFailure(kind=FailureKind.TIMEOUT, points=missing, detail=detail)

    def _enter(self, station: _Station, heard: Heard) -> None:
        document = parse_message(heard.payload)
        messages = station.messages
        if not _is_own(station, document):
            self._stats.foreign_frames += 1
            return
        if messages.port and text_at(document, messages.port) != str(messages.port_number):
            return
        sent_at = moment_at(document, messages.time, messages.time_form) if messages.time else None
        if sent_at is not None and sent_at > heard.at + CLOCK_AHEAD_MOST:
            sent_at = None  # a clock that runs ahead would silence the meter until the others catch up
        key = text_at(document, messages.key) if messages.key else None
        if (heard.retained and sent_at is None) or (key is not None and key in station.keys):
            self._stats.late_frames += 1
            return
        if key is not None:
            station.keys.append(key)
        self._enter_values(station, _Content(document, messages), min(sent_at or heard.at, heard.at), heard)

    def _enter_values(self, station: _Station, content: _Content, at: datetime, heard: Heard) -> None:
        exchange = Exchange(request=heard.topic.encode(), response=heard.payload)
        station.complaint = ""
        entered = 0
        for quantity in station.device.points:
            point = next((point for point in station.profile.points if point.quantity == quantity), None)
            value = None if point is None else self._value(station, point, content, exchange)
            if value is None:
                continue
            entered += 1
            known = station.values.get(quantity)
            if known is not None and known.at > at:
                self._stats.late_frames += 1
            else:
                station.values[quantity] = _Said(at=at, value=value, heard=heard)
        self._stats.answers += entered > 0

    def _value(self, station: _Station, point: Point, content: _Content, exchange: Exchange) -> PointValue | None:
        """Return a point's value, None when the message does not hold it; a bad one is noted and passed over."""
        try:
            found = content.number(point, _names(station.device, station.profile))
            if found is None:
                return None
            raw, exact = found
            milli = to_point_milli(station.profile, point, exact, station.device.parameters)
        except RefusalError as refusal:
            self._stats.bad_values += 1
            station.complaint = f"{point.id}: {refusal}"
            return None
        return PointValue(quantity=point.quantity, raw=raw, value_milli=milli, exchange=exchange)


@dataclass(slots=True)
class _Content:
    """A message and its binary payload, decoded when first wanted."""

    document: Mapping[str, object]
    messages: Messages

    def number(self, point: Point, names: Mapping[str, str]) -> tuple[bytes, Fraction] | None:
        """Return raw bytes and number of a point, None when the message does not hold it.

        Raises:
            RefusalError: what stands there is no number.
        """
        place = point.place
        if not isinstance(place, MessagePlace):
            return None
        if place.path:
            found = number_at(self.document, [step.format_map(names) for step in place.path])
            return None if found is None else (found[0].encode(), found[1])
        payload = payload_at(self.document, self.messages.payload, self.messages.payload_coding)
        if payload is None:
            return None
        raw = payload[place.offset : place.offset + point.size]
        if len(raw) != point.size:
            raise ValueRefusedError(f"the payload ends before byte {place.offset + point.size}")
        if raw == point.not_available:
            raise ValueRefusedError("the meter marks the value as not available")
        return raw, number(raw, RegisterType(point.type), ByteOrder(point.order))


def topics_of(device: DeviceConfig, profile: Profile, messages: Messages) -> tuple[str, ...]:
    """Return the topic filters of a device."""
    return tuple(topic.format_map(_names(device, profile)) for topic in messages.topics)


def matches(topic_filter: str, topic: str) -> bool:
    """Return whether a topic fits a filter; `+` stands for one level."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    return len(wanted) == len(levels) and all(want in {"+", level} for want, level in zip(wanted, levels, strict=True))


def _names(device: DeviceConfig, profile: Profile) -> Mapping[str, str]:
    defaults = {name: parameter.default for name, parameter in profile.parameters.items()}
    return {**defaults, **device.parameters, "address": device.address}


def _is_for(station: _Station, topic: str) -> bool:
    return any(matches(one, topic) for one in topics_of(station.device, station.profile, station.messages))


def _is_own(station: _Station, document: Mapping[str, object]) -> bool:
    """Return whether the message's own words name the device, where the model says that they do."""
    if not station.messages.identity:
        return True
    named = find(document, station.messages.identity)
    return isinstance(named, str) and named.lower() == station.device.address.lower()
