"""Alipay's own signing code agrees with the published vectors, and does not use the product's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cloud.payments.channels.vectors import of_kind, public_pem
from tests.simulation.alipay import seals
from tests.simulation.wechat.seals import new_key, read_public

KEY = new_key("alipay")


@pytest.mark.parametrize("vector", of_kind("alipay", "alipay.notify_verify"), ids=lambda vector: str(vector["id"]))
def test_the_channel_reads_its_own_notifications(vector: dict[str, Any]) -> None:
    given = vector["input"]
    message = seals.form_text(given["params"]).encode()
    confirmed = read_public(public_pem("alipay", given["key"])).confirms(message, given["params"]["sign"])
    assert confirmed is vector["expect"]["valid"]


@pytest.mark.parametrize("vector", of_kind("alipay", "alipay.response_verify"), ids=lambda vector: str(vector["id"]))
def test_the_channel_reads_its_own_answers(vector: dict[str, Any]) -> None:
    key = read_public(public_pem("alipay", vector["input"]["key"]))
    signature = json.loads(vector["input"]["raw"])["sign"]
    assert key.confirms(vector["expect"]["content"].encode(), signature)


def test_an_answer_and_a_form_are_sealed_over_what_is_sent() -> None:
    public = read_public(KEY.public_pem())
    told = json.loads(seals.sealed_answer(KEY, "a_response", {"subject": "A}栋{1"}))
    assert public.confirms('{"subject":"A}栋{1"}'.encode(), told["sign"])
    form = seals.sealed_form(KEY, {"b": "2", "a": "", "c": "物业"})
    assert public.confirms("b=2&c=物业".encode(), form["sign"])
    assert not seals.request_confirmed(public, form)
