"""Every shipped device model: its recordings replay to the stated values, and it says where they come from."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from common.errors import RefusalError
from edge.cli.models import models_table, strongest_mark
from edge.device.catalogue import load_profile
from edge.device.model import (
    BYTE_ORDERS,
    REGISTER_SIZES,
    Mark,
    Point,
    Profile,
    ProtocolName,
    Recording,
    RegisterPlace,
)
from edge.device.plan import ItemBlock, RegisterBlock, blocks_for
from edge.driver.decoding import decode_block
from edge.driver.outcome import Exchange, FailureKind
from edge.driver.questions import EDITIONS
from edge.driver.zhenshi import parse_plate_message
from edge.protocol import cjt188, dlt645
from edge.protocol.cjt188 import Cjt188, ItemQuestion
from edge.protocol.codec import Answered, Refused
from edge.protocol.description import first_frame
from edge.protocol.dlt645 import Dlt645, IdentifierQuestion
from edge.protocol.modbus_rtu import ModbusRtu, RegisterQuestion
from edge.protocol.receiver import Receiver
from edge.protocol.values import REGISTER_BYTES, ByteOrder, RegisterType, to_milli
from tests.edge.device.replays import replay_mbus, replay_message, replay_pulses
from tests.edge.driver.builders import PROFILES

SCHEMA = PROFILES.parent / "schema" / "profile.schema.json"
FILES = [*sorted(PROFILES.glob("*/*.yaml")), PROFILES / "_blueprint.yaml"]
CASES = [(path, recording) for path in FILES for recording in load_profile(path).recordings]
RECORDINGS_LEAST = 3
PROVEN_LEAST = 29
PRINTED_LEAST = 25


def fits_schema(paths: Sequence[Path]) -> bool:
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(SCHEMA), *map(str, paths)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603 - our own files


def test_every_model_fits_the_published_schema() -> None:
    assert fits_schema(FILES)


@pytest.mark.parametrize("change", [{"revision": 0}, {"protocl": "modbus"}, {"recordings": []}])
def test_the_schema_refuses_what_the_program_refuses(tmp_path: Path, change: dict[str, object]) -> None:
    broken = tmp_path / "broken.yaml"
    document = yaml.safe_load(FILES[-1].read_text(encoding="utf-8"))
    broken.write_text(yaml.safe_dump(document | change), encoding="utf-8")

    assert not fits_schema([broken])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_model_brings_a_normal_an_odd_and_a_refused_exchange(path: Path) -> None:
    profile = load_profile(path)

    assert len(profile.recordings) >= RECORDINGS_LEAST
    assert any(recording.values for recording in profile.recordings)
    assert any(recording.failure for recording in profile.recordings)
    captured = any(recording.mark is Mark.CAPTURED for recording in profile.recordings)
    assert captured == (profile.quality["captured_frames"] == "done")


@pytest.mark.parametrize(("path", "recording"), CASES, ids=lambda case: getattr(case, "stem", None) or case.name)
def test_a_recording_replays_to_what_it_states(path: Path, recording: Recording) -> None:
    profile = load_profile(path)

    values, failure = replay(profile, recording)

    assert failure == recording.failure
    assert values == {name: stated(profile, text) for name, text in recording.values.items()}


def stated(profile: Profile, text: str) -> int | str:
    return text if profile.protocol is ProtocolName.ZHENSHI_MQTT else to_milli(Fraction(text))


def replay(profile: Profile, recording: Recording) -> tuple[dict[str, int | str], str | None]:
    """Return the values of the recorded points, or the kind of failure."""
    if profile.protocol is ProtocolName.ZHENSHI_MQTT:
        return replay_camera(recording)
    if profile.protocol is ProtocolName.MODBUS:
        return replay_modbus(profile, recording)
    if profile.protocol is ProtocolName.MBUS:
        return replay_mbus(profile, recording)
    if profile.protocol is ProtocolName.MQTT:
        return replay_message(profile, recording)
    if profile.protocol is ProtocolName.PULSE:
        return replay_pulses(profile, recording)
    return replay_item(profile, recording)


def replay_camera(recording: Recording) -> tuple[dict[str, int | str], str | None]:
    try:
        serial = json.loads(recording.response)["sn"]
        event = parse_plate_message(recording.response, serial, "base64")
    except (RefusalError, ValueError):
        return {}, FailureKind.BAD_VALUE
    offline = str(event.stored_offline).lower()
    return {"plate": event.plate or "", "colour": event.colour, "stored_offline": offline}, None


def replay_modbus(profile: Profile, recording: Recording) -> tuple[dict[str, int | str], str | None]:
    request = recording.request
    question = RegisterQuestion(
        unit=request[0],
        function=request[1],
        start=int.from_bytes(request[2:4]),
        count=int.from_bytes(request[4:6]),
    )
    assert ModbusRtu().request(question) == request
    receiver = Receiver(ModbusRtu(), question)
    receiver.feed(recording.response)
    points = [profile.point(name) for name in recording.values] or [
        point
        for point in profile.points
        if isinstance(point.place, RegisterPlace) and point.place.register == question.start
    ]
    return judge(profile, recording, receiver.examine(silent=True).verdict, points, question.start)


def replay_item(profile: Profile, recording: Recording) -> tuple[dict[str, int | str], str | None]:
    if profile.protocol is ProtocolName.CJT188:
        asked = first_frame(recording.request, cjt188.missing_bytes, cjt188.parse_frame)
        identifier = asked.payload[:2].hex()
        receiver = Receiver(
            Cjt188(),
            ItemQuestion(
                meter_type=profile.meter_type, address=asked.address, identifier=identifier, serial=asked.payload[2]
            ),
        )
        receiver.feed(recording.response)
        verdict = receiver.examine(silent=True).verdict
    else:
        frame = first_frame(recording.request, dlt645.missing_bytes, dlt645.parse_frame)
        identifier = frame.data[::-1].hex()
        question = IdentifierQuestion(address=frame.address, identifier=identifier, edition=EDITIONS[profile.protocol])
        reception = Receiver(Dlt645(), question)
        reception.feed(recording.response)
        verdict = reception.examine(silent=True).verdict
    points = [profile.point(name) for name in recording.values] or [
        point for point in profile.points if getattr(point.place, "identifier", "") == identifier
    ]
    return judge(profile, recording, verdict, points, 0)


def judge(
    profile: Profile, recording: Recording, verdict: Answered | Refused | None, points: list[Point], start: int
) -> tuple[dict[str, int | str], str | None]:
    if verdict is None:
        return {}, FailureKind.BAD_FRAME
    if isinstance(verdict, Refused):
        return {}, FailureKind.REFUSED
    exchange = Exchange(request=recording.request, response=verdict.frame)
    values: dict[str, int | str] = {}
    for block in blocks_for(profile, points):
        skipped = 2 * (block.start - start) if isinstance(block, RegisterBlock) else 0
        assert not isinstance(block, ItemBlock) or len(verdict.data) == block.data_bytes
        decoded, failures = decode_block(profile, block, verdict.data[skipped:], {}, exchange)
        if failures:
            return {}, failures[0].kind
        values |= {one.point.id: value.value_milli for one, value in zip(block.fields, decoded, strict=True)}
    return values, None


def test_profiles_and_codecs_mean_the_same_words() -> None:
    assert set(REGISTER_SIZES) == set(RegisterType)
    assert set(BYTE_ORDERS) == set(ByteOrder)
    assert {name: size for name, size in REGISTER_SIZES.items() if size} == {
        str(name): size for name, size in REGISTER_BYTES.items()
    }


def meters_and_proven() -> tuple[int, int]:
    meters = [profile for path in FILES if not path.stem.startswith("_") and (profile := load_profile(path)).points]
    return len(meters), sum(map(proves_the_meter, meters))


def test_no_fewer_meter_models_than_today_stand_on_frames_that_somebody_else_published() -> None:
    meters, proven = meters_and_proven()

    assert proven >= PROVEN_LEAST, f"{proven} of {meters} models stand on frames that are not derived"


def test_at_least_twenty_five_meter_models_stand_on_frames_that_a_meter_or_a_manual_gave() -> None:
    strongest = [strongest_mark(profile) for path in FILES if (profile := load_profile(path)).points]

    printed = sum(mark in (Mark.CAPTURED, Mark.DOCUMENTED) for mark in strongest)

    assert printed >= PRINTED_LEAST


def test_the_readme_and_the_command_give_the_same_count() -> None:
    meters, proven = meters_and_proven()
    readme = " ".join((PROFILES.parent / "README.md").read_text(encoding="utf-8").split())
    printed = models_table(load_profile(path) for path in FILES if not path.stem.startswith("_"))

    assert f"{proven} of the {meters} meter models" in readme
    assert f"the other {meters - proven}" in readme
    assert f"{meters} of them meters: {proven} stand on frames" in printed


def proves_the_meter(profile: Profile) -> bool:
    """Return whether a recording with values comes from a meter, a manual or another project's tests."""
    return any(recording.values and recording.mark is not Mark.DERIVED for recording in profile.recordings)


def test_every_resource_has_a_model() -> None:
    assert {load_profile(path).resource for path in FILES} >= {"electricity", "water", "gas", "heat", "parking"}
