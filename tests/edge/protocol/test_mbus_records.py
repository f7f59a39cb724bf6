"""Records of M-Bus telegrams: every published trap, exact powers of ten, and no value out of a cut telegram."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import pytest

from edge.protocol.mbus_records import (
    RECORD_KINDS,
    Function,
    Record,
    check_status,
    maker_name,
    parse_telegram,
    split_telegrams,
)
from edge.protocol.values import ValueRefusedError
from tests.conformance.vectors import vector_bytes
from tests.simulation.devices.mbus_slaves import frame

IDENTITY = bytes.fromhex("785634122d2c1b04")


def telegram_of(records: str, *, information: int = 0x72, status: int = 0) -> bytes:
    return frame(0x08, 5, bytes([information]) + IDENTITY + bytes([7, status, 0, 0]) + bytes.fromhex(records))


def only(records: str) -> Record:
    (record,) = parse_telegram(telegram_of(records)).records
    return record


def test_a_header_says_serial_maker_version_medium_and_status() -> None:
    telegram = parse_telegram(vector_bytes("mbus-007"))

    assert (telegram.serial, telegram.maker, telegram.version, telegram.medium) == ("06855817", "KAM", 8, 4)
    assert telegram.access_number == 4


@pytest.mark.parametrize(
    ("record", "kind", "unit", "value"),
    [
        ("0c13 78563412", "volume", "m3", "12345.678"),
        ("0c14 78563412", "volume", "m3", "123456.78"),
        ("0c16 78563412", "volume", "m3", "12345678"),
        ("0406 e7910000", "energy", "kWh", "37351"),
        ("0403 e7910000", "energy", "kWh", "37.351"),
        ("04fb0d 00000000", "", "", "0"),
        ("04fb01 05000000", "energy", "kWh", "5000"),
        ("040f 01000000", "energy", "kWh", "25/9"),
        ("04fb09 24000000", "energy", "kWh", "10000"),
        ("042d 5b010000", "power", "kW", "34.7"),
        ("043b 1f020000", "flow", "m3/h", "0.543"),
        ("0442 10000000", "flow", "m3/h", "0.0096"),
        ("025a fbff", "flow_temperature", "degC", "-0.5"),
        ("025f 1500", "return_temperature", "degC", "21"),
        ("04fd48 fc080000", "voltage", "V", "230"),
        ("04fd59 dc050000", "current", "A", "1.5"),
        ("0a5a 15f0", "flow_temperature", "degC", "-1.5"),
        ("052b 00002041", "power", "kW", "0.01"),
    ],
)
def test_a_record_has_its_own_power_of_ten_and_the_value_is_exact(
    record: str, kind: str, unit: str, value: str
) -> None:
    found = only(record.replace(" ", ""))

    assert (found.kind, found.unit) == (kind, unit)
    assert found.digits * found.factor == Fraction(value)


def test_the_serial_in_record_0_is_no_volume() -> None:
    serial, volume = parse_telegram(vector_bytes("mbus-001")).records

    assert serial.kind == ""
    assert volume.kind == "volume"
    assert volume.digits * volume.factor == 269


def test_a_past_due_date_stands_in_its_own_storage_and_not_in_0() -> None:
    volumes = [one for one in parse_telegram(vector_bytes("mbus-004")).records if one.kind == "volume"]

    assert [(one.storage, one.digits * one.factor) for one in volumes] == [(0, Fraction("54.321")), (1, 0)]


def test_a_value_kept_from_an_error_state_is_marked() -> None:
    records = parse_telegram(vector_bytes("mbus-002")).records

    assert [one.function for one in records].count(Function.ERROR_STATE) >= 1
    assert records[0].function is Function.INSTANTANEOUS


def test_a_backward_volume_carries_a_qualifier_and_is_not_the_volume() -> None:
    volumes = [one for one in parse_telegram(vector_bytes("mbus-005")).records if one.kind == "volume"]

    assert [(one.qualifiers.hex(), one.digits * one.factor) for one in volumes if one.storage == 0] == [
        ("", Fraction("453.5")),
        ("7f", 0),
    ]


def test_tariff_and_subunit_are_read_from_the_extension_bytes() -> None:
    record = only("84900206 01000000".replace(" ", ""))

    assert (record.storage, record.tariff, record.subunit) == (64, 1, 0)
    assert only("84500601000000").subunit == 1


def test_the_makers_own_rest_is_kept_apart_and_ends_the_records() -> None:
    telegram = parse_telegram(vector_bytes("mbus-010"))

    assert telegram.manufacturer_data.hex() == "43010100"
    assert not telegram.more_follows


def test_1f_says_that_another_telegram_follows_and_0f_that_none_does() -> None:
    assert parse_telegram(telegram_of("0c13000000001f")).more_follows
    assert not parse_telegram(telegram_of("0c13000000000f1f1f")).more_follows
    assert not parse_telegram(telegram_of("0c1300000000")).more_follows


def test_fill_bytes_are_no_records() -> None:
    assert len(parse_telegram(telegram_of("2f2f0c13000000002f")).records) == 1


@pytest.mark.parametrize(
    "records",
    [
        pytest.param("0c13000000", id="data cut"),
        pytest.param("0c13", id="data missing"),
        pytest.param("0c", id="unit code missing"),
        pytest.param("0c93", id="extension of the unit cut"),
        pytest.param("8c", id="extension of the data cut"),
        pytest.param("8c" + "80" * 11 + "001300000000", id="too many extensions of data"),
        pytest.param("0c93" + "80" * 11 + "0000000000", id="too many extensions of unit"),
        pytest.param("0d78", id="text without a length"),
    ],
)
def test_a_telegram_cut_inside_a_record_is_refused_whole(records: str) -> None:
    with pytest.raises(ValueRefusedError):
        parse_telegram(telegram_of("0c1300000000" + records))


@pytest.mark.parametrize("record", ["0c130a000000", "0c1300f00000", "0d7803414243", "0578000080ff"])
def test_digits_that_are_none_are_refused_and_never_zero(record: str) -> None:
    with pytest.raises(ValueRefusedError):
        _ = only(record).digits


@pytest.mark.parametrize(("status", "word"), [(0x01, "busy"), (0x02, "error")])
def test_a_meter_that_does_not_vouch_for_its_values_is_refused(status: int, word: str) -> None:
    with pytest.raises(ValueRefusedError, match=word):
        check_status(parse_telegram(telegram_of("0c1300000000", status=status)))


def test_a_low_battery_or_an_old_fault_takes_nothing_from_the_values() -> None:
    check_status(parse_telegram(telegram_of("0c1300000000", status=0x1C)))


def test_an_alarm_of_the_installation_takes_nothing_from_the_values() -> None:
    check_status(parse_telegram(telegram_of("0c1300000000", status=0x27)))


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(vector_bytes("mbus-001")[:-2] + b"\x00\x16", id="a wrong sum"),
        pytest.param(b"\xe5", id="an acknowledgement"),
        pytest.param(frame(8, 1, b"\x73" + bytes(16)), id="fixed data"),
        pytest.param(frame(8, 1, b"\x72" + bytes(6)), id="half a header"),
        pytest.param(vector_bytes("mbus-001")[:20], id="half a frame"),
    ],
)
def test_what_is_no_telegram_of_variable_data_is_refused(damaged: bytes) -> None:
    with pytest.raises(ValueRefusedError):
        parse_telegram(damaged)


def test_telegrams_of_a_readout_are_split_and_a_cut_one_refused() -> None:
    first, second = vector_bytes("mbus-001"), vector_bytes("mbus-010")

    assert split_telegrams(first + second) == [first, second]
    with pytest.raises(ValueRefusedError):
        split_telegrams(first + second[:-1])


def test_words_of_profiles_and_records_are_the_same() -> None:
    from edge.device import model  # noqa: PLC0415 - beside what it is compared with

    assert model.RECORD_KINDS == RECORD_KINDS
    assert set(model.RECORD_FUNCTIONS) == set(Function)
    assert maker_name(0x2C2D) == "KAM"


def test_the_decoder_and_its_cipher_are_imported_with_the_first_telegram_and_not_before() -> None:
    program = (
        "import sys, edge.app, edge.driver.mbus_readout as readout\n"
        "before = [name for name in ('meterbus', 'Crypto', 'minimalmodbus') if name in sys.modules]\n"
        f"readout.parse_telegram(bytes.fromhex('{vector_bytes('mbus-001').hex()}'))\n"
        "print(before, 'meterbus' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - ours

    assert run.stdout.strip() == "[] True"
