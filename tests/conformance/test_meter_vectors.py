"""Every published meter frame is decoded as its source says, or refused where it must be."""

from __future__ import annotations

from typing import Any

import pytest

from common.errors import RefusalError
from edge.protocol.description import describe
from tests.conformance.vectors import METER_VECTORS as _VECTORS
from tests.conformance.vectors import REMARKS, covers


@pytest.mark.parametrize("vector", [v for v in _VECTORS if v["expect"] == "accept"], ids=lambda v: v["id"])
def test_an_accepted_frame_is_decoded_as_published(vector: dict[str, Any]) -> None:
    expected = {key: value for key, value in vector["decoded"].items() if key not in REMARKS}

    described = describe(vector["protocol"], bytes.fromhex(vector["hex"]))

    assert covers(described, expected), described


@pytest.mark.parametrize("vector", [v for v in _VECTORS if v["expect"] != "accept"], ids=lambda v: v["id"])
def test_a_frame_to_refuse_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(RefusalError):
        describe(vector["protocol"], bytes.fromhex(vector["hex"]))


def test_the_vectors_cover_every_meter_protocol_with_an_accept_and_their_source() -> None:
    accepted = {vector["protocol"] for vector in _VECTORS if vector["expect"] == "accept"}

    assert accepted == {
        "DL/T645-2007",
        "DL/T645-1997",
        "CJ/T188",
        "Modbus-RTU",
        "M-Bus",
        "Tasmota tele/SENSOR",
        "Shelly gen2 EM1 status",
        "ChirpStack v4 event/up",
    }
    assert all(vector["source"] for vector in _VECTORS)


@pytest.mark.parametrize(
    "wrong", [{"a": "2"}, {"a": "1", "c": "0"}, {"b": [{"x": 2}]}, {"b": [{"x": 1}, {"x": 2}, {"x": 3}]}]
)
def test_the_comparison_sees_a_wrong_a_missing_and_a_surplus_value(wrong: dict[str, Any]) -> None:
    described = {"a": "1", "b": [{"x": 1, "y": 5}, {"x": 2}]}

    assert covers(described, {"a": "1", "b": [{"x": 1}]})
    assert not covers(described, wrong)
