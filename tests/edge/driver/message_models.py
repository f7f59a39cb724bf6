"""Made-up models of meters that speak MQTT, for the tests of book and wire."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from edge.device.check import check_profile
from edge.device.model import Profile
from tests.edge.driver.builders import PROFILES

PLUG = {
    "messages": {"topics": ["tele/{address}/SENSOR"], "fresh_for_s": 900, "key": ["Time"]},
    "points": [
        {"id": "e", "quantity": "energy_forward", "path": ["ENERGY", "Total"], "unit": "kWh", "kind": "cumulative"},
        {
            "id": "p",
            "quantity": "power",
            "path": ["ENERGY", "Power", "0"],
            "scale": "0.001",
            "unit": "kW",
            "kind": "instant",
        },
    ],
}
RADIO = {
    "messages": {
        "topics": ["application/+/device/{address}/event/up"],
        "fresh_for_s": 93_600,
        "key": ["deduplicationId"],
        "time": ["time"],
        "time_form": "rfc3339",
        "identity": ["deviceInfo", "devEui"],
        "payload": ["data"],
        "payload_coding": "base64",
        "port": ["fPort"],
        "port_number": 1,
    },
    "points": [
        {
            "id": "v",
            "quantity": "volume",
            "offset": 0,
            "type": "u32",
            "order": "DCBA",
            "scale": "0.001",
            "unit": "m3",
            "kind": "cumulative",
            "not_available": "ffffffff",
        }
    ],
}


def model(name: str, changes: Mapping[str, object]) -> Profile:
    """Return the profile of a made-up model."""
    document = yaml.safe_load((PROFILES / "_blueprint.yaml").read_text(encoding="utf-8"))
    for key in ("ranges", "limits", "parameters", "plausibility", "link"):
        document.pop(key)
    return check_profile({**document, "model": name, "protocol": "mqtt", "recordings": [], **changes}, name)
