"""Values of OCPP messages: which sample is the register, which text an instant, which card a card."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from common.errors import RefusalError
from edge.protocol.ocpp_json import describe_ocpp, energy_wh, id_token, parse_instant, register_wh

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("samples", "wh"),
    [
        ([{"value": "1234"}], 1234),
        ([{"value": "1.5", "unit": "kWh"}], 1500),
        ([{"value": "7", "measurand": "Power.Active.Import"}, {"value": "9"}], 9),
        ([{"value": "7", "phase": "L1"}], None),
        ([], None),
    ],
)
def test_the_register_is_found_among_the_samples(samples: list[dict[str, str]], wh: int | None) -> None:
    assert energy_wh(samples) == wh


@pytest.mark.parametrize("value", ["", "many", "NaN", "Infinity", "-1", "1e30"])
def test_a_register_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(RefusalError, match="meter"):
        energy_wh([{"value": value}])


@pytest.mark.parametrize("value", [-1, True, 1.5, "5", 10**13])
def test_a_start_or_stop_register_is_a_whole_number(value: object) -> None:
    with pytest.raises(RefusalError):
        register_wh(value)


def test_instants_without_a_zone_are_utc_and_nonsense_is_now() -> None:
    assert parse_instant("2026-01-04T08:00:00", NOW) == datetime(2026, 1, 4, 8, tzinfo=UTC)
    assert parse_instant("2026-01-04T08:00:00+08:00", NOW) == datetime(2026, 1, 4, tzinfo=UTC)
    assert parse_instant("soon", NOW) == parse_instant(None, NOW) == NOW


def test_cards_are_bounded_and_compared_in_capitals() -> None:
    assert id_token(" ab12 ") == "AB12"
    for text in ("", "x" * 21):
        with pytest.raises(RefusalError):
            id_token(text)


@pytest.mark.parametrize("data", [b"", b"{}", b"[2]", b'[2,"a","X",[]]', b"[7,1]", b"\xff"])
def test_bytes_that_are_no_message_are_refused(data: bytes) -> None:
    with pytest.raises(RefusalError):
        describe_ocpp(data)
