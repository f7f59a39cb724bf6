"""The telegram of a simulated M-Bus meter holds the records that its profile names, and no other."""

from __future__ import annotations

import pytest

from edge.cli.simulated_mbus import identity, telegram
from edge.device.model import ProtocolName, RecordPlace
from edge.protocol.mbus import parse_address
from edge.protocol.mbus_records import parse_telegram
from tests.edge.driver.builders import NOON, catalogue, device

MODELS = sorted(model for model, one in catalogue().profiles.items() if one.protocol is ProtocolName.MBUS)


@pytest.mark.parametrize("model", MODELS)
def test_the_records_are_those_of_the_profile(model: str) -> None:
    profile = catalogue().profile(model)
    places = [point.place for point in profile.points if isinstance(point.place, RecordPlace)]

    said = parse_telegram(telegram(device(1, model, "7"), profile, parse_address("7"), NOON))

    assert said.maker in {profile.maker, "GHS"}
    assert [
        RecordPlace(
            record=one.kind,
            function=one.function,
            storage=one.storage,
            tariff=one.tariff,
            subunit=one.subunit,
            qualifiers=one.qualifiers,
        )
        for one in said.records
    ] == places


def test_a_primary_address_has_its_number_as_serial_and_a_secondary_one_its_digits() -> None:
    profile = catalogue().profile("engelmann-waterstar")
    whole = "46290718c5140106"

    by_number = identity(device(1, profile.model, "7"), profile, parse_address("7"))
    by_digits = identity(device(1, profile.model, "46290718"), profile, parse_address("46290718"))
    by_all = identity(device(1, profile.model, whole), profile, parse_address(whole))

    assert by_number[:4][::-1].hex() == "00000007"
    assert by_digits[:4][::-1].hex() == "46290718"
    assert by_all == parse_address(whole).secondary
