"""The v2 signature passes its published vectors."""

from __future__ import annotations

from typing import Any

import pytest

from cloud.payments.channels.wechat.signing_v2 import Digest, sign
from tests.cloud.payments.channels.wechat.vectors import of_kind


@pytest.mark.parametrize("vector", of_kind("wechat.v2.sign"), ids=lambda vector: str(vector["id"]))
def test_parameters_are_signed_as_published(vector: dict[str, Any]) -> None:
    given = vector["input"]
    assert sign(given["params"], given["api_key"], Digest(given["sign_type"])) == vector["expect"]["sign"]


def test_the_keyed_digest_differs_and_a_present_sign_takes_no_part() -> None:
    plain = sign({"a": "1"}, "k", Digest.HMAC_SHA256)
    assert plain == sign({"a": "1", "sign": "old"}, "k", Digest.HMAC_SHA256)
    assert plain != sign({"a": "1"}, "k", Digest.MD5)
    assert len(plain) == 64
