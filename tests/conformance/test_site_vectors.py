"""Every published frame of cameras, doors, piles, boards and kiosk parts is read as its source says, or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from common.errors import RefusalError
from edge.protocol.description import describe
from edge.protocol.site_description import SITE_DESCRIBERS

_VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("site-vectors.json").read_text(encoding="utf-8"))
# What the source remarks about a plate and where it found it is not in the bytes; which kind it is, the form tells.
_KINDS = {
    "ordinary (from a camera document)": "blue/yellow, ordinary",
    "Macau cross-border (from a camera document)": "cross-border (Hong Kong, Macau)",
}


@pytest.mark.parametrize("vector", [v for v in _VECTORS if v["expect"] == "accept"], ids=lambda v: v["id"])
def test_an_accepted_frame_is_read_as_published(vector: dict[str, Any]) -> None:
    expected = dict(vector["decoded"])
    if vector["protocol"] == "Chinese plate":
        expected["kind"] = _KINDS.get(expected["kind"], expected["kind"])
    described = describe(vector["protocol"], bytes.fromhex(vector["hex"]))
    assert {key: described.get(key, "missing") for key in expected} == expected


@pytest.mark.parametrize("vector", [v for v in _VECTORS if v["expect"] != "accept"], ids=lambda v: v["id"])
def test_a_frame_to_refuse_is_refused_with_its_reason(vector: dict[str, Any]) -> None:
    with pytest.raises(RefusalError) as refused:
        describe(vector["protocol"], bytes.fromhex(vector["hex"]))
    assert str(refused.value)


@pytest.mark.parametrize("protocol", sorted(SITE_DESCRIBERS))
@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff" * 300, b"{}", b"[" * 20_000, b"<a>", b"<!DOCTYPE a><a/>"])
def test_bytes_that_are_nothing_of_the_kind_are_refused_not_crashed_on(protocol: str, data: bytes) -> None:
    try:
        described = describe(protocol, data)
    except RefusalError:
        return
    assert protocol in {"Huaxia mode 5 answer", "Zhenshi voice (base64)", "Zhenshi MQTT license (base64)"}, described


def test_the_vectors_have_their_source() -> None:
    assert all(vector["source"] for vector in _VECTORS)
