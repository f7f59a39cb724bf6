"""UnionPay's own signing code agrees with the published vectors, and does not use the product's."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tests.cloud.payments.channels.vectors import of_kind
from tests.simulation.unionpay import seals
from tests.simulation.wechat.seals import read_public


@pytest.mark.parametrize("vector", of_kind("unionpay", "unionpay.v5_1.verify"), ids=lambda vector: str(vector["id"]))
def test_the_channel_reads_a_published_message(vector: dict[str, Any]) -> None:
    fields = dict(parse_qsl(vector["input"]["form"]))
    assert seals.confirmed(seals.public_of(fields["signPubKeyCert"]), fields) is vector["expect"]["valid"]
    if vector["expect"]["valid"]:
        assert seals.hex_of(fields) == vector["expect"]["digest"]


def test_what_is_sealed_is_confirmed_and_a_changed_field_is_not(tmp_path: Path) -> None:
    held = seals.Certificates(tmp_path)
    told = seals.sealed(held.key, held.own, {"txnAmt": "100", "merId": "1"})
    key = read_public(held.key.public_pem())
    assert seals.confirmed(key, told)
    assert not seals.confirmed(key, {**told, "txnAmt": "101"})
    assert seals.Certificates(tmp_path).own == held.own
