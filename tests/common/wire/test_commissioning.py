"""A technician's findings travel as text that both sides read alike, and nothing else is taken for one."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest

from common.errors import RefusalError
from common.ids import MeterId
from common.wire.commissioning import (
    DialComparison,
    MeterProposal,
    pack_comparison,
    pack_proposal,
    unpack_comparison,
    unpack_proposal,
)
from common.wire.limits import DETAIL_BYTES_MAX

METER = MeterId(UUID(int=7))
PROPOSAL = MeterProposal(
    serial="33000001",
    wire="g1-bus",
    profile="cjt188-water",
    address="33000001",
    resource="water",
    points=("volume",),
    label="1-2-301 水表",
    by="王工",
    multiplier_milli=2_000,
    values={"volume": 152_375},
)
COMPARISON = DialComparison(meter_id=METER, quantity="volume", dial_milli=152_000, read_milli=152_375, by="王工")


def test_a_proposal_comes_back_as_it_was() -> None:
    text = pack_proposal(PROPOSAL)
    assert "水表" in text
    assert unpack_proposal(text) == PROPOSAL


def test_a_comparison_comes_back_and_says_its_difference() -> None:
    assert unpack_comparison(pack_comparison(COMPARISON)) == COMPARISON
    assert COMPARISON.difference_milli == 375


def test_a_finding_longer_than_a_note_is_refused() -> None:
    long = replace(PROPOSAL, label="水" * DETAIL_BYTES_MAX)
    with pytest.raises(RefusalError, match=f"longer than {DETAIL_BYTES_MAX} bytes; shorten"):
        pack_proposal(long)


@pytest.mark.parametrize(
    ("change", "blamed"),
    [
        ({"points": []}, "points"),
        ({"points": "volume"}, "points"),
        ({"points": [7]}, "points"),
        ({"points": ["volume"] * 33}, "points"),
        ({"values": []}, "points"),
        ({"values": {"volume": "152"}}, "volume"),
        ({"values": {"volume": 2**63}}, "volume"),
        ({"serial": None}, "serial"),
        ({"by": 3}, "by"),
        ({"multiplier_milli": 0}, "multiplier_milli"),
        ({"multiplier_milli": True}, "multiplier_milli"),
    ],
)
def test_a_faulty_proposal_is_refused_by_field(change: dict[str, object], blamed: str) -> None:
    told = json.loads(pack_proposal(PROPOSAL)) | change
    with pytest.raises(RefusalError, match=f"cannot be read: {blamed};"):
        unpack_proposal(json.dumps(told))


@pytest.mark.parametrize("text", ["", "{", "[]", "7"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(RefusalError, match="cannot be read: text;"):
        unpack_proposal(text)
    with pytest.raises(RefusalError, match="cannot be read: text;"):
        unpack_comparison(text)


@pytest.mark.parametrize(
    ("change", "blamed"),
    [
        ({"meter_id": "7"}, "meter_id"),
        ({"meter_id": None}, "meter_id"),
        ({"dial_milli": 1.5}, "dial_milli"),
        ({"read_milli": -(2**63)}, "read_milli"),
        ({"quantity": None}, "quantity"),
    ],
)
def test_a_faulty_comparison_is_refused_by_field(change: dict[str, object], blamed: str) -> None:
    told = json.loads(pack_comparison(COMPARISON)) | change
    with pytest.raises(RefusalError, match=f"cannot be read: {blamed};"):
        unpack_comparison(json.dumps(told))
