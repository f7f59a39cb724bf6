"""UnionPay's signatures agree with the published vectors; a certificate must be UnionPay's, known and valid now."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cloud.kit.clock import machine_now_s
from cloud.payments.channels.trust import Distrust, DistrustedError
from cloud.payments.channels.unionpay import signing
from cloud.payments.channels.unionpay.signing import Authorities
from common.errors import RefusalError
from tests.cloud.payments.channels.vectors import of_kind
from tests.simulation.unionpay.seals import Certificates, sealed

NOW_S = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
FIELDS = {"version": "5.1.0", "encoding": "UTF-8", "merId": "777290058110097", "respCode": "00"}


@pytest.mark.parametrize("vector", of_kind("unionpay", "unionpay.v5_1.verify"), ids=lambda vector: str(vector["id"]))
def test_a_message_is_believed_only_with_the_signature_of_its_certificate(vector: dict[str, Any]) -> None:
    fields = signing.read_form(vector["input"]["form"].encode())
    key = signing.certificate_key(fields["signPubKeyCert"])
    if not vector["expect"]["valid"]:
        with pytest.raises(DistrustedError):
            signing.verify_with(fields, key)
        return
    signing.verify_with(fields, key)
    assert signing.digest(fields) == vector["expect"]["digest"]
    assert fields["respCode"] == vector["expect"]["respCode"]


def test_the_published_message_is_too_old_to_be_believed_now(tmp_path: Path) -> None:
    (vector, *_) = of_kind("unionpay", "unionpay.v5_1.verify")
    fields = signing.read_form(vector["input"]["form"].encode())
    with pytest.raises(DistrustedError) as caught:
        signing.verify(fields, _authorities(Certificates(tmp_path)), NOW_S)
    assert caught.value.reason is Distrust.STALE


def test_a_message_under_unionpays_certificate_is_believed(tmp_path: Path) -> None:
    held = Certificates(tmp_path)
    told = sealed(held.key, held.own, FIELDS)
    signing.verify(told, _authorities(held), machine_now_s())
    with pytest.raises(DistrustedError) as caught:
        signing.verify({**told, "respCode": "01"}, _authorities(held), machine_now_s())
    assert caught.value.reason is Distrust.BAD_SIGNATURE


def test_a_certificate_that_gave_itself_unionpays_name_is_refused(tmp_path: Path) -> None:
    held = Certificates(tmp_path)
    told = sealed(held.stranger_key, held.stranger, FIELDS)
    with pytest.raises(DistrustedError) as caught:
        signing.verify(told, _authorities(held), machine_now_s())
    assert caught.value.reason is Distrust.UNKNOWN_SERIAL


def test_a_known_certificate_of_another_name_is_refused(tmp_path: Path) -> None:
    held = Certificates(tmp_path)
    with pytest.raises(DistrustedError) as caught:
        _authorities(held).key_of(held.root, machine_now_s())
    assert caught.value.reason is Distrust.UNKNOWN_SERIAL


def test_an_answer_keeps_what_stands_in_braces_whole() -> None:
    told = signing.read_answer(b"a=1&token={b=2&c={d=3}}&e=x=y==")
    assert told == {"a": "1", "token": "{b=2&c={d=3}}", "e": "x=y=="}


@pytest.mark.parametrize("body", [b"", b"a", b"a=1&a=2", b"a={b", "a=物".encode("gbk")])
def test_an_answer_that_is_no_list_of_fields_is_unreadable(body: bytes) -> None:
    with pytest.raises(DistrustedError) as caught:
        signing.read_answer(body)
    assert caught.value.reason is Distrust.UNREADABLE


@pytest.mark.parametrize("pems", [[], [b"no certificate"]])
def test_without_an_authority_nobody_is_believed(pems: list[bytes]) -> None:
    with pytest.raises(RefusalError):
        Authorities.read(pems)


def _authorities(held: Certificates) -> Authorities:
    return Authorities.read([held.root.encode()])
