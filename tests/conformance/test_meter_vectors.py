"""Every published meter frame is decoded as its source says, or refused where it must be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from common.errors import RefusalError
from edge.protocol.description import describe

_VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("meter-vectors.json").read_text(encoding="utf-8"))
# Names of meters, conditions and free words are the source's remarks about a frame, not in its bytes.
_REMARKS = frozenset({"meaning", "meter", "register", "value", "unit_of_value", "quantity", "condition"})


@pytest.mark.parametrize("vector", [v for v in _VECTORS if v["expect"] == "accept"], ids=lambda v: v["id"])
def test_an_accepted_frame_is_decoded_as_published(vector: dict[str, Any]) -> None:
    expected = {key: value for key, value in vector["decoded"].items() if key not in _REMARKS}

    described = describe(vector["protocol"], bytes.fromhex(vector["hex"]))

    assert {key: described.get(key, "missing") for key in expected} == expected


@pytest.mark.parametrize("vector", [v for v in _VECTORS if v["expect"] != "accept"], ids=lambda v: v["id"])
def test_a_frame_to_refuse_is_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(RefusalError):
        describe(vector["protocol"], bytes.fromhex(vector["hex"]))


def test_the_vectors_cover_every_meter_protocol_with_an_accept_and_their_source() -> None:
    accepted = {vector["protocol"] for vector in _VECTORS if vector["expect"] == "accept"}

    assert accepted == {"DL/T645-2007", "DL/T645-1997", "CJ/T188", "Modbus-RTU"}
    assert all(vector["source"] for vector in _VECTORS)
