"""Replays of recordings that are whole conversations: an M-Bus telegram, a message of a meter that speaks MQTT."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from uuid import UUID

from common.errors import RefusalError
from common.ids import MeterId
from common.reading.reading import Quantity, Resource
from edge.device.model import Messages, Profile, Recording
from edge.device.plan import blocks_for
from edge.driver.decoding import decode_block, to_point_milli
from edge.driver.message_book import Heard, MessageBook, topics_of
from edge.driver.outcome import DeviceConfig, Exchange, FailureKind, WireStats
from edge.protocol.codec import Answered, Refused
from edge.protocol.json_message import moment_at, parse_message, text_at
from edge.protocol.mbus import COUNT_BIT, REQ_UD2, LinkAddress, LinkQuestion, Mbus, Step
from edge.protocol.pulses import PulseCounter, parse_edges
from edge.protocol.receiver import Receiver

Replayed = tuple[dict[str, int | str], str | None]
HEARD_AT = datetime(2026, 11, 1, tzinfo=UTC)


def replay_mbus(profile: Profile, recording: Recording) -> Replayed:
    """Return the values that a telegram gives, or the kind of failure."""
    request = recording.request
    question = LinkQuestion(
        step=Step.TELEGRAM, address=LinkAddress(primary=request[2]), count_bit=request[1] == REQ_UD2 | COUNT_BIT
    )
    assert Mbus().request(question) == request
    receiver = Receiver(Mbus(), question)
    receiver.feed(recording.response)
    verdict = receiver.examine(silent=True).verdict
    if not isinstance(verdict, Answered):
        return {}, FailureKind.REFUSED if isinstance(verdict, Refused) else FailureKind.BAD_FRAME
    exchange = Exchange(request=request, response=verdict.frame)
    points = [profile.point(name) for name in recording.values] or list(profile.points)
    (block,) = blocks_for(profile, points)
    decoded, failures = decode_block(profile, block, verdict.data, {}, exchange)
    if failures:
        return {}, failures[0].kind
    return {point.id: value.value_milli for point, value in zip(points, decoded, strict=True)}, None


def replay_message(profile: Profile, recording: Recording) -> Replayed:
    """Return the values that a message gives to the device it names, or the kind of failure."""
    messages = profile.messages
    assert messages is not None
    address = text_at(parse_message(recording.response), messages.identity) or "device"
    points = [profile.point(name) for name in recording.values] or list(profile.points)
    device = DeviceConfig(
        meter_id=MeterId(UUID(int=1)),
        serial="S1",
        wire="w1",
        profile=profile.model,
        address=address,
        resource=Resource.ELECTRICITY,
        points=tuple(Quantity(point.quantity) for point in points),
    )
    book = MessageBook(WireStats())
    book.add(device, profile)
    at = heard_at(messages, recording)
    topic = topics_of(device, profile, messages)[0].replace("+", "any")
    book.take(Heard(topic=topic, payload=recording.response, retained=False, at=at))
    outcome = book.outcome(device, at)
    if recording.failure is not None and outcome.failures:
        return {}, outcome.failures[0].kind
    found = {value.quantity: value.value_milli for value in outcome.points}
    return {point.id: found[point.quantity] for point in points if point.quantity in found}, None


def heard_at(messages: Messages, recording: Recording) -> datetime:
    """Return when the message came: at its own time where it has one, else on a day of the recording's own."""
    try:
        sent_at = moment_at(parse_message(recording.response), messages.time, messages.time_form)
    except RefusalError:
        sent_at = None
    return sent_at or HEARD_AT


def replay_pulses(profile: Profile, recording: Recording) -> Replayed:
    """Return the values that the edges of a contact give, or the kind of failure."""
    counter = PulseCounter(profile.debounce_ms)
    try:
        for edge in parse_edges(recording.response):
            counter.feed(edge)
    except RefusalError:
        return {}, FailureKind.BAD_FRAME
    total = Fraction(counter.total)
    return {point.id: to_point_milli(profile, point, total, {}) for point in profile.points}, None
