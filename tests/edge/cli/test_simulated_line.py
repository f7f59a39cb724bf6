"""What stands on a simulated line: a model that is asked answers as the gateway expects, and strangers hear nothing."""

from __future__ import annotations

from fractions import Fraction

import pytest

from edge.cli.simulated_line import PENDING_BYTES_MOST, SimulatedLine, SimulatedMeter
from edge.cli.simulated_values import value_of
from edge.device.model import Profile, ProtocolName
from edge.device.plan import Block, ItemBlock, RecordBlock, RegisterBlock, read_plan
from edge.driver.decoding import decode_block
from edge.driver.outcome import DeviceConfig, Exchange
from edge.driver.questions import EDITIONS, identifier_question, item_question, register_questions
from edge.protocol.cjt188 import Cjt188
from edge.protocol.codec import Answered, Refused
from edge.protocol.dlt645 import Dlt645, IdentifierQuestion
from edge.protocol.mbus import LinkQuestion, Mbus, Step, parse_address
from edge.protocol.modbus_rtu import ModbusRtu, RegisterQuestion, crc16
from tests.edge.driver.builders import NOON, catalogue, device

ADDRESSES = {
    ProtocolName.MODBUS: "5",
    ProtocolName.DLT645_1997: "000000000012",
    ProtocolName.DLT645_2007: "000000000012",
    ProtocolName.CJT188: "00000000000034",
    ProtocolName.MBUS: "7",
}
MODELS = sorted(model for model, profile in catalogue().profiles.items() if profile.protocol in ADDRESSES)


def meter(model: str, address: str = "") -> SimulatedMeter:
    profile = catalogue().profile(model)
    quantities = tuple(dict.fromkeys(point.quantity for point in profile.points))
    return SimulatedMeter(device=device(1, model, address or ADDRESSES[profile.protocol], *quantities), profile=profile)


def asked(line: SimulatedLine, profile: Profile, one: DeviceConfig, block: Block) -> bytes:
    """Return the data of the line's answer to a block."""
    if isinstance(block, RegisterBlock):
        (register, *_) = register_questions(block, one.address)
        verdict = ModbusRtu().match(line.feed(ModbusRtu().request(register), NOON), register)
    elif isinstance(block, RecordBlock):
        link = LinkQuestion(step=Step.TELEGRAM, address=parse_address(one.address), count_bit=True)
        verdict = Mbus().match(line.feed(Mbus().request(link), NOON), link)
    elif profile.protocol in EDITIONS:
        item = identifier_question(profile, block, one.address)
        verdict = Dlt645().match(line.feed(Dlt645().request(item), NOON).lstrip(b"\xfe"), item)
    else:
        reading = item_question(profile, block, one.address, 9)
        verdict = Cjt188().match(line.feed(Cjt188().request(reading), NOON).lstrip(b"\xfe"), reading)
    assert isinstance(verdict, Answered), verdict
    return verdict.data


@pytest.mark.parametrize("model", MODELS)
def test_every_model_gives_what_its_meter_shows(model: str) -> None:
    one = meter(model)
    line = SimulatedLine([one])
    exchange = Exchange(request=b"", response=b"")

    for block in read_plan(one.profile, one.device.points):
        values, failures = decode_block(one.profile, block, asked(line, one.profile, one.device, block), {}, exchange)

        assert not failures
        for field, found in zip(block.fields, values, strict=True):
            shown = value_of(one.device, field.point, NOON)
            fine = field.point.scale * (field.point.type not in {"f32", "f64"}) + shown * Fraction(1, 10**6)
            assert abs(Fraction(found.value_milli, 1000) - shown) <= max(fine, Fraction(1, 100)), field.point.id


def test_a_register_outside_the_map_is_refused_and_another_unit_is_silent() -> None:
    line = SimulatedLine([meter("eastron-sdm120")])
    outside = RegisterQuestion(unit=5, function=4, start=0x2000, count=2)
    stranger = RegisterQuestion(unit=6, function=4, start=0, count=2)

    refused = ModbusRtu().match(line.feed(ModbusRtu().request(outside), NOON), outside)

    assert isinstance(refused, Refused)
    assert refused.code == 2
    assert line.feed(ModbusRtu().request(stranger), NOON) == b""


def test_a_write_is_no_read() -> None:
    write = bytes.fromhex("0506000c0001")

    assert SimulatedLine([meter("eastron-sdm120")]).feed(write + crc16(write), NOON).hex().startswith("058601")


def test_an_identifier_that_the_model_lacks_is_refused() -> None:
    line = SimulatedLine([meter("dlt645-2007-single-phase")])
    question = IdentifierQuestion(address="000000000012", identifier="04000101")

    verdict = Dlt645().match(line.feed(Dlt645().request(question), NOON).lstrip(b"\xfe"), question)

    assert isinstance(verdict, Refused)


def test_the_only_meter_of_a_line_says_its_address_and_two_say_nothing() -> None:
    question = IdentifierQuestion(address="A" * 12, identifier=None)
    one, other = meter("dlt645-2007-single-phase"), meter("dlt645-2007-single-phase", "000000000013")
    request = Dlt645().request(question)

    verdict = Dlt645().match(SimulatedLine([one]).feed(request, NOON).lstrip(b"\xfe"), question)

    assert isinstance(verdict, Answered)
    assert verdict.data[::-1].hex() == "000000000012"
    assert SimulatedLine([one, other]).feed(request, NOON) == b""


def test_a_selection_means_one_meter_and_the_next_takes_its_place() -> None:
    meters = [meter("engelmann-waterstar", "46290718"), meter("engelmann-waterstar", "46290719")]
    line = SimulatedLine(meters)

    for one in meters:
        address = parse_address(one.device.address)
        select = LinkQuestion(step=Step.SELECT, address=address)
        telegram = LinkQuestion(step=Step.TELEGRAM, address=address, count_bit=True)
        assert line.feed(Mbus().request(select), NOON) == b"\xe5"
        assert isinstance(Mbus().match(line.feed(Mbus().request(telegram), NOON), telegram), Answered)


def test_protocols_share_a_line_and_noise_and_pieces_do_not_disturb() -> None:
    modbus, water = meter("eastron-sdm120"), meter("cjt188-water")
    line = SimulatedLine([modbus, water])
    (block, *_) = [one for one in read_plan(water.profile, water.device.points) if isinstance(one, ItemBlock)]
    question = item_question(water.profile, block, water.device.address, 1)
    request = b"\x68\x00\xff" + Cjt188().request(question)

    assert line.feed(request[:9], NOON) == b""
    answer = line.feed(request[9:], NOON).lstrip(b"\xfe")

    assert isinstance(Cjt188().match(answer, question), Answered)
    assert asked(line, modbus.profile, modbus.device, read_plan(modbus.profile, modbus.device.points)[0])


def test_what_is_no_request_is_forgotten() -> None:
    line = SimulatedLine([meter("eastron-sdm120")])

    line.feed(b"\xff" * 5 * PENDING_BYTES_MOST, NOON)

    assert len(line._pending) == PENDING_BYTES_MOST
