"""From a profile document to a checked profile, or the list of all its faults with key and remedy.

The JSON schema in firmware-config/schema says the same shape for editors and CI; what only a program can see
(registers outside every readable range, recordings of unknown points, a scale of nothing) is said here.
"""

from __future__ import annotations

from collections.abc import Mapping

from common.errors import Fault, FaultsError
from common.reading.reading import Quantity
from edge.device.check_messages import check_messages, check_names
from edge.device.check_points import check_item, check_point, check_range
from edge.device.model import (
    GateTopics,
    ItemPlace,
    Link,
    Mark,
    MessagePlace,
    Parameter,
    Point,
    PointKind,
    Profile,
    ProtocolName,
    Recording,
    RegisterPlace,
    Timing,
)
from edge.device.plan import range_of
from edge.device.sections import Section

RESOURCES = frozenset({"electricity", "water", "hot_water", "gas", "heat", "parking"})
FAILURES = frozenset({"timeout", "refused", "bad_frame", "bad_value"})
QUALITY_RULES = frozenset({"captured_frames", "error_answers", "recovery_tested", "value_ranges", "clock_drift"})
QUALITY_WORDS = r"(done|to do|exempt: .+)"
_MODEL = r"[a-z0-9]+(-[a-z0-9]+)*"
_BAUDS = frozenset({"300", "600", "1200", "2400", "4800", "9600", "19200", "38400", "57600", "115200"})
_PARITIES = frozenset({"none", "even", "odd"})
_MAKER = r"[A-Z@]{3}|"
_HEX = r"([0-9a-f]{2})*"
_MS_MOST = 60_000
_METER_TYPE_MOST = 0xFF
_REGISTERS_MOST = 125
_MESSAGE_MOST = 20_000
_CHANNEL_MOST = 63


def check_profile(document: object, where: str) -> Profile:
    """Return the profile of a document; `where` names its file.

    Raises:
        FaultsError: the document has faults; all of them are listed.
    """
    faults: list[Fault] = []
    root = Section(document, "", faults)
    profile = _profile(root)
    root.finish()
    if not faults:
        _check_consistency(profile, root)
    if faults:
        raise FaultsError(where, faults)
    return profile


def _profile(root: Section) -> Profile:
    protocol = root.choice("protocol", frozenset(ProtocolName)) or ProtocolName.MODBUS
    limits = root.section("limits", optional=True)
    plausibility = root.section("plausibility", optional=True)
    parameters = {name: _parameter(name, section) for name, section in root.named_sections("parameters")}
    points = tuple(check_point(section, protocol) for section in root.sections("points", optional=True))
    profile = Profile(
        model=root.text("model", pattern=_MODEL),
        revision=root.integer("revision", least=1, most=10_000),
        vendor=root.text("vendor"),
        products=root.texts("products"),
        resource=root.choice("resource", RESOURCES),
        protocol=ProtocolName(protocol),
        link=_link(root),
        timing=_timing(root.section("timing")),
        ranges=tuple(check_range(section) for section in root.sections("ranges", optional=True)),
        items=tuple(check_item(section, protocol) for section in root.sections("items", optional=True)),
        points=points,
        registers_most=limits.integer("registers_most", least=1, most=_REGISTERS_MOST, default=60),
        gap_most=limits.integer("gap_most", least=0, most=_REGISTERS_MOST, default=8),
        stretch=limits.integer("stretch", least=1, most=4, default=1),
        meter_type=root.integer("meter_type", least=0, most=_METER_TYPE_MOST, default=0),
        answers_with_wildcard=root.flag("answers_with_wildcard", default=False),
        step_most_per_hour=(
            plausibility.decimal("step_most_per_hour") if plausibility.has("step_most_per_hour") else None
        ),
        channel=root.integer("channel", least=0, most=_CHANNEL_MOST, default=0),
        maker=root.text("maker", default="", pattern=_MAKER),
        messages=check_messages(root.section("messages"), parameters) if root.has("messages") else None,
        debounce_ms=root.integer("debounce_ms", least=1, most=_MS_MOST) if protocol == ProtocolName.PULSE else 0,
        tariff_total=_named_point(plausibility, "tariff_total", points),
        parameters=parameters,
        gate=_gate(root.section("gate")) if root.has("gate") else None,
        quality=_quality(root.section("quality")),
        recordings=tuple(_recording(section) for section in root.sections("recordings")),
    )
    limits.finish()
    plausibility.finish()
    return profile


def _named_point(section: Section, key: str, points: tuple[Point, ...]) -> Point | None:
    if not section.has(key):
        return None
    name = section.text(key)
    found = next((point for point in points if point.id == name), None)
    if found is None or not isinstance(found.place, ItemPlace):
        section.fault(key, f"{name!r} is no point of an identifier", "name the total in the tariffs' own answer")
    return found


def _link(root: Section) -> Link:
    if not root.has("link"):
        return Link(baud=0, parity="none", stop_bits=1)
    section = root.section("link")
    link = Link(
        baud=int(section.choice("baud", _BAUDS) or 0),
        parity=section.choice("parity", _PARITIES),
        stop_bits=section.integer("stop_bits", least=1, most=2, default=1),
    )
    section.finish()
    return link


def _timing(section: Section) -> Timing:
    timing = Timing(
        answer_ms=section.integer("answer_ms", least=1, most=_MS_MOST),
        longest_ms=section.integer("longest_ms", least=1, most=_MS_MOST),
        gap_ms=section.integer("gap_ms", least=0, most=_MS_MOST),
    )
    if timing.longest_ms < timing.answer_ms:
        section.fault(
            "longest_ms", "is shorter than answer_ms", "give the longest time the meter was ever seen to take"
        )
    section.finish()
    return timing


def _parameter(name: str, section: Section) -> Parameter:
    parameter = Parameter(
        name=name,
        default=section.text("default", pattern=r"[0-9]{1,9}(\.[0-9]{1,6})?"),
        help_zh=section.text("help_zh"),
        help_en=section.text("help_en"),
    )
    section.finish()
    return parameter


def _gate(section: Section) -> GateTopics:
    topics = GateTopics(
        event=section.text("event", pattern=r"[^#+]*\{serial\}[^#+]*"),
        command=section.text("command", pattern=r"[^#+]*\{serial\}[^#+]*"),
        reply=section.text("reply", pattern=r"[^#+]*\{serial\}[^#+]*"),
        plate_encoding=section.choice("plate_encoding", frozenset({"base64", "utf8"})),
        open_output=section.integer("open_output", least=0, most=15),
        open_value=section.integer("open_value", least=0, most=2),
        open_ms=section.integer("open_ms", least=100, most=10_000),
    )
    section.finish()
    return topics


def _quality(section: Section) -> Mapping[str, str]:
    quality = {rule: section.text(rule, pattern=QUALITY_WORDS) for rule in sorted(QUALITY_RULES)}
    section.finish()
    return quality


def _recording(section: Section) -> Recording:
    failure = section.choice("failure", FAILURES) if section.has("failure") else None
    recording = Recording(
        name=section.text("name"),
        mark=Mark(section.choice("mark", frozenset(Mark)) or Mark.DERIVED),
        source=section.text("source"),
        request=bytes.fromhex(section.text("request", default="", pattern=_HEX)),
        response=_response(section),
        values=section.text_map("values"),
        failure=failure,
    )
    if bool(recording.values) == (failure is not None):
        section.fault("values", "a recording states either values or a failure", "keep one of `values`, `failure`")
    section.finish()
    return recording


def _response(section: Section) -> bytes:
    """Return what came back: bytes, or the text of a message."""
    if section.has("message"):
        return section.text("message", pattern=r"(?s).*", most=_MESSAGE_MOST).encode()
    return bytes.fromhex(section.text("response", default="", pattern=_HEX))


def _check_consistency(profile: Profile, root: Section) -> None:
    _check_points(profile, root)
    for n, recording in enumerate(profile.recordings):
        for point_id in recording.values:
            if profile.points and all(point.id != point_id for point in profile.points):
                root.fault(f"recordings[{n}].values.{point_id}", "names no point", "use an id of `points`")
    if profile.resource == "parking" and profile.gate is None:
        root.fault("gate", "is missing", "a camera states its topics")
    if profile.resource != "parking" and not profile.points:
        root.fault("points", "is empty", "a meter has at least one point")
    if profile.protocol is ProtocolName.MQTT and profile.messages is None:
        root.fault("messages", "is missing", "a meter that speaks MQTT states its topics")
    payload = profile.messages is not None and profile.messages.payload
    for n, point in enumerate(profile.points):
        if isinstance(point.place, MessagePlace) and not point.place.path and not payload:
            root.fault(f"points[{n}]", "has no path", "name its JSON value, or the binary payload under `messages`")
        for step in point.place.path if isinstance(point.place, MessagePlace) else ():
            check_names(root, f"points[{n}].path", step, profile.parameters)


def _check_points(profile: Profile, root: Section) -> None:
    seen: set[str] = set()
    items = {item.identifier: item for item in profile.items}
    billed: set[Quantity] = set()
    for n, point in enumerate(profile.points):
        where = f"points[{n}]"
        if point.id in seen:
            root.fault(f"{where}.id", f"{point.id!r} stands twice", "give each point an id of its own")
        seen.add(point.id)
        if point.billing and point.kind is not PointKind.CUMULATIVE:
            root.fault(
                f"{where}.billing", "an instant value cannot be billed", "set kind: cumulative or billing: false"
            )
        if point.billing and point.quantity in billed:
            root.fault(f"{where}.billing", f"{point.quantity} is billed twice", "bill one point a quantity")
        billed |= {point.quantity} if point.billing else set()
        for key, names in (("multiply_by", point.multiply_by), ("add", point.add)):
            for name in set(names) - set(profile.parameters):
                root.fault(f"{where}.{key}", f"{name!r} is no parameter", "declare it under `parameters`")
        place = point.place
        if isinstance(place, RegisterPlace) and range_of(profile, place, point.size) is None:
            root.fault(f"{where}.register", "lies in no readable range", "extend `ranges` or correct the register")
        if isinstance(place, ItemPlace):
            item = items.get(place.identifier)
            if item is None or place.offset + point.size > item.data_bytes:
                root.fault(
                    f"{where}.identifier", "does not hold the point", "list it in `items` with enough data_bytes"
                )
