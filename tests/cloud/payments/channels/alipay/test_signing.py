"""Alipay's signatures agree with the published vectors, and refuse what is a byte off."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from cloud.payments.channels.alipay import signing
from cloud.payments.channels.trust import Distrust, DistrustedError
from tests.cloud.payments.channels.vectors import der, of_kind, public_key

KEY = "alipay"


def _ids(vector: dict[str, Any]) -> str:
    return str(vector["id"])


@pytest.mark.parametrize("vector", of_kind(KEY, "alipay.notify_verify"), ids=_ids)
def test_a_notification_is_believed_only_with_alipays_signature(vector: dict[str, Any]) -> None:
    keys = [public_key(KEY, vector["input"]["key"])]
    if vector["expect"]["valid"]:
        signing.verify_form(vector["input"]["params"], keys)
        return
    with pytest.raises(DistrustedError) as caught:
        signing.verify_form(vector["input"]["params"], keys)
    assert caught.value.reason is Distrust.BAD_SIGNATURE


@pytest.mark.parametrize("vector", of_kind(KEY, "alipay.return_verify"), ids=_ids)
def test_a_return_is_decoded_once_and_believed(vector: dict[str, Any]) -> None:
    fields = signing.read_form(vector["input"]["query"])
    signing.verify_form(fields, [public_key(KEY, vector["input"]["key"])])
    assert fields["out_trade_no"] == vector["expect"]["out_trade_no"]


@pytest.mark.parametrize("vector", of_kind(KEY, "alipay.response_verify"), ids=_ids)
def test_an_answer_is_believed_over_its_raw_node(vector: dict[str, Any]) -> None:
    answer = signing.extract(vector["input"]["raw"], vector["input"]["node"])
    assert answer.content == vector["expect"]["content"]
    keys = [public_key(KEY, vector["input"]["key"])]
    signing.verify_answer(answer, keys)
    with pytest.raises(DistrustedError):
        signing.verify_answer(signing.Answer(answer.node, answer.content + " ", answer.signature), keys)


@pytest.mark.parametrize("vector", of_kind(KEY, "alipay.response_extract"), ids=_ids)
def test_the_node_is_found_by_its_grammar_not_by_counting_braces(vector: dict[str, Any]) -> None:
    assert signing.extract(vector["input"]["raw"], vector["input"]["node"]).content == vector["expect"]["content"]


@pytest.mark.parametrize("vector", of_kind(KEY, "alipay.cert_sn"), ids=_ids)
def test_a_certificate_has_the_serial_that_alipay_gives_it(vector: dict[str, Any]) -> None:
    ders = [der(KEY, name) for name in vector["input"]["certs"]]
    if vector["input"]["root"]:
        found = signing.root_number(b"".join(_pem(raw) for raw in ders))
    else:
        found = signing.certificate_number(ders[0])
    assert found == vector["expect"]["sn"]


@pytest.mark.parametrize(
    "raw",
    ["", "[]", "{", '{"a":1', '{"a" 1}', '{"a":1}}', '{"a_response":{},"a_response":{}}', '{"b":1}', "{" * 3000],
)
def test_an_answer_that_is_not_one_object_with_the_node_is_unreadable(raw: str) -> None:
    with pytest.raises(DistrustedError) as caught:
        signing.extract(raw, "a_response")
    assert caught.value.reason is Distrust.UNREADABLE


def test_a_refusal_comes_in_the_error_node() -> None:
    answer = signing.extract('{"error_response":{"code":"40002"},"sign":"AA=="}', "a_response")
    assert (answer.node, answer.content) == ("error_response", '{"code":"40002"}')


@pytest.mark.parametrize("body", [b"a=1&a=2", b"a", b"a=%ff", "a=物".encode()])
def test_a_form_that_is_doubled_or_broken_is_unreadable(body: bytes) -> None:
    with pytest.raises(DistrustedError) as caught:
        signing.read_form(body)
    assert caught.value.reason is Distrust.UNREADABLE


@pytest.mark.parametrize(
    ("changes", "reason"), [({"sign": ""}, "header_missing"), ({"sign_type": "RSA"}, "bad_signature")]
)
def test_a_form_without_its_signature_is_refused(changes: dict[str, str], reason: str) -> None:
    fields = of_kind(KEY, "alipay.notify_verify")[0]["input"]["params"] | changes
    with pytest.raises(DistrustedError) as caught:
        signing.verify_form(fields, [public_key(KEY, "ali-prod-2019")])
    assert caught.value.reason == reason


def _pem(raw: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + b64encode(raw) + b"\n-----END CERTIFICATE-----\n"
