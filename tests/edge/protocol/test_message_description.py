"""Messages of MQTT meters in words, beyond the published ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from common.errors import RefusalError
from edge.protocol.message_description import describe_chirpstack, describe_shelly, describe_tasmota


def test_a_three_phase_tasmota_shows_a_list_per_phase() -> None:
    message = b'{"Time":"2024-01-01T00:00:00","ENERGY":{"Total":[1.5,2.25,3],"Power":[1,2,3]}}'

    assert describe_tasmota(message) == {"energy_kwh": ["1.5", "2.25", "3"], "power_w": ["1", "2", "3"]}


def test_shelly_channels_stand_in_the_order_of_their_numbers() -> None:
    message = b'{"em1:1":{"act_power":5},"em1:0":{"act_power":4,"voltage":230.1},"sys":{}}'

    assert describe_shelly(message) == {"channels": [{"power_w": "4", "voltage_v": "230.1"}, {"power_w": "5"}]}


def test_an_uplink_without_a_codec_shows_its_bytes_and_no_object() -> None:
    message = b'{"deduplicationId":"d","deviceInfo":{"devEui":"0102"},"fCnt":0,"fPort":2,"data":"/w=="}'

    described = describe_chirpstack(message)

    assert described == {"dev_eui": "0102", "dedup": "d", "f_cnt": 0, "f_port": 2, "payload_hex": "ff"}


def test_numbers_inside_an_object_are_whole_or_exact_text() -> None:
    message = b'{"deviceInfo":{"devEui":"01"},"object":{"l":256,"m3":0.1,"list":[1.5],"ok":true}}'

    assert describe_chirpstack(message)["object"] == {"l": 256, "m3": "0.1", "list": ["1.5"], "ok": True}


@pytest.mark.parametrize(
    ("describe", "message"),
    [
        (describe_tasmota, b'{"Time":"x"}'),
        (describe_shelly, b'{"sys":{}}'),
        (describe_chirpstack, b'{"devEUI":"AQID"}'),
        (describe_chirpstack, b'{"deviceInfo":{"devEui":"01"},"data":"!"}'),
        (describe_chirpstack, b'{"deviceInfo":{"devEui":"01"},"fCnt":"many"}'),
    ],
)
def test_a_message_of_another_shape_is_refused(describe: Callable[[bytes], object], message: bytes) -> None:
    with pytest.raises(RefusalError):
        describe(message)
