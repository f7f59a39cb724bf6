"""WeChat Pay signatures: every published vector passes through the product's own functions."""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from cloud.payments.channels import trust
from cloud.payments.channels.trust import Distrust, DistrustedError
from cloud.payments.channels.wechat import signing
from cloud.payments.channels.wechat.signing import KeyRing
from common.errors import RefusalError
from tests.cloud.payments.channels.wechat.vectors import of_kind, private_key, public_key, refusal_of

JAVA = "wx-java-merchant"


def _ids(vector: dict[str, Any]) -> str:
    return str(vector["id"])


@pytest.mark.parametrize("vector", of_kind("wechat.v3.request_sign"), ids=_ids)
def test_a_request_is_signed_as_the_documentation_prints_it(vector: dict[str, Any]) -> None:
    given, expected = vector["input"], vector["expect"]
    message = signing.request_message(
        given["method"], given["url"], given["timestamp"], given["nonce"], given["body"].encode()
    )
    assert message == expected["message"].encode()
    assert trust.sign(private_key(given["key"]), message) == expected["signature"]


@pytest.mark.parametrize("vector", of_kind("wechat.v3.request_verify"), ids=_ids)
def test_a_request_is_verified_over_its_raw_bytes(vector: dict[str, Any]) -> None:
    given = vector["input"]
    message = signing.request_message(
        given["method"], given["url"], given["timestamp"], given["nonce"], given["body"].encode()
    )
    assert trust.is_signed(public_key(given["key"]), message, given["signature"]) is vector["expect"]["valid"]


@pytest.mark.parametrize("vector", of_kind("rsa.sha256.verify"), ids=_ids)
def test_a_plain_signature_is_verified(vector: dict[str, Any]) -> None:
    given = vector["input"]
    valid = trust.is_signed(public_key(given["key"]), given["message"].encode(), given["signature"])
    assert valid is vector["expect"]["valid"]


@pytest.mark.parametrize("vector", of_kind("wechat.v3.invoke_sign"), ids=_ids)
def test_the_payment_sheet_is_signed_with_the_package_value(vector: dict[str, Any]) -> None:
    given, expected = vector["input"], vector["expect"]
    message = signing.invoke_message(given["appid"], given["timestamp"], given["nonce"], given["prepay_id"])
    assert message == expected["message"].encode()
    assert trust.sign(private_key(given["key"]), message) == expected["signature"]


@pytest.mark.parametrize("vector", of_kind("wechat.v3.response_verify"), ids=_ids)
def test_an_answer_is_believed_only_with_its_signature(vector: dict[str, Any]) -> None:
    given = vector["input"]
    headers = {
        "Wechatpay-Timestamp": given["timestamp"],
        "Wechatpay-Nonce": given["nonce"],
        "Wechatpay-Serial": given["serial"],
        "Wechatpay-Signature": given["signature"],
    }
    ring = KeyRing(keys={given["serial"]: public_key(given["key"])})
    body, now_s = given["body"].encode(), int(given["timestamp"])
    refusal = refusal_of(lambda: signing.verify_answer(headers, body, ring, now_s))
    assert refusal is (None if vector["expect"]["valid"] else Distrust.BAD_SIGNATURE)


@pytest.mark.parametrize("vector", of_kind("wechat.v3.aead_decrypt"), ids=_ids)
def test_a_secret_opens_only_with_its_associated_data(vector: dict[str, Any]) -> None:
    given = vector["input"]

    def opened() -> bytes:
        parts = [given[name].encode() for name in ("key_utf8", "nonce", "associated_data")]
        return signing.open_secret(parts[0], parts[1], parts[2], b64decode(given["ciphertext_b64"]))

    if "error" in vector["expect"]:
        assert refusal_of(opened) is Distrust.UNREADABLE
    else:
        assert opened().decode() == vector["expect"]["plaintext"]


@pytest.mark.parametrize("vector", of_kind("wechat.v3.platform_cert"), ids=_ids)
def test_a_platform_certificate_opens_and_carries_its_serial(vector: dict[str, Any]) -> None:
    given, expected = vector["input"], vector["expect"]
    entry = given["entry"]
    api_key = given["key_utf8"].encode()
    certificate = signing.open_platform_certificate(api_key, expected["serial"], entry["encrypt_certificate"])
    assert certificate.not_valid_after_utc == datetime.fromisoformat(expected["not_after"])
    with pytest.raises(DistrustedError, match="serial differs"):
        signing.open_platform_certificate(api_key, "00", entry["encrypt_certificate"])


@pytest.mark.parametrize("vector", of_kind("wechat.v3.oaep_decrypt"), ids=_ids)
def test_a_sensitive_field_opens_and_one_of_ours_returns(vector: dict[str, Any]) -> None:
    given = vector["input"]
    key = private_key(given["key"])
    assert signing.open_field(key, b64decode(given["ciphertext_b64"])).decode() == vector["expect"]["plaintext"]
    assert signing.open_field(key, signing.seal_field(key.public_key(), "张三".encode())).decode() == "张三"


def _signed(body: bytes, **changes: str) -> dict[str, str]:
    key = private_key(JAVA)
    headers = {"Wechatpay-Timestamp": "1700000000", "Wechatpay-Nonce": "n", "Wechatpay-Serial": "A", **changes}
    message = signing.answer_message(headers["Wechatpay-Timestamp"], headers["Wechatpay-Nonce"], body)
    return {"Wechatpay-Signature": trust.sign(key, message), **headers}


RING = KeyRing(keys={"A": private_key(JAVA).public_key(), "B": private_key(JAVA).public_key()})


@pytest.mark.parametrize(
    ("skew_s", "refusal"),
    [(-240, None), (240, None), (-300, None), (-301, Distrust.STALE), (301, Distrust.STALE), (360, Distrust.STALE)],
)
def test_a_clock_four_minutes_off_is_accepted_and_six_are_stale(skew_s: int, refusal: Distrust | None) -> None:
    headers = _signed(b"{}")
    assert refusal_of(lambda: signing.verify_answer(headers, b"{}", RING, 1700000000 + skew_s)) is refusal


def test_two_serials_are_live_during_a_rotation() -> None:
    for serial in ("A", "B"):
        signing.verify_answer(_signed(b"{}", **{"Wechatpay-Serial": serial}), b"{}", RING, 1700000000)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Wechatpay-Nonce": ""}, Distrust.HEADER_MISSING),
        ({"Wechatpay-Signature": "x" * 1025}, Distrust.HEADER_MISSING),
        ({"Wechatpay-Timestamp": "1_700"}, Distrust.BAD_TIMESTAMP),
        ({"Wechatpay-Timestamp": "-1"}, Distrust.BAD_TIMESTAMP),
        ({"Wechatpay-Timestamp": "1"}, Distrust.STALE),
        ({"Wechatpay-Serial": "C"}, Distrust.UNKNOWN_SERIAL),
        ({"Wechatpay-Signature": "WECHATPAY/SIGNTEST/abc"}, Distrust.BAD_SIGNATURE),
        ({"Wechatpay-Signature": "not base64"}, Distrust.BAD_SIGNATURE),
    ],
)
def test_refusals_win_in_their_documented_order(changes: dict[str, str], reason: Distrust) -> None:
    later_faults = {"Wechatpay-Signature": "AAAA"} if reason is not Distrust.HEADER_MISSING else {}
    with pytest.raises(DistrustedError) as caught:
        signing.verify_answer({**_signed(b"{}"), **later_faults, **changes}, b"{}", RING, 1700000000)
    assert caught.value.reason is reason


def test_an_api_key_of_another_size_is_refused_when_configured() -> None:
    assert signing.check_api_key(b"k" * 32) == b"k" * 32
    with pytest.raises(RefusalError, match="16 bytes"):
        signing.check_api_key(b"testMchAPIv3Key0")


def test_keys_load_from_pem_and_anything_else_is_refused() -> None:
    key = private_key(JAVA)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert trust.load_private_key(pem).private_numbers() == key.private_numbers()
    assert trust.load_public_key(public).public_numbers() == key.public_key().public_numbers()
    for load in (trust.load_private_key, trust.load_public_key):
        with pytest.raises(RefusalError, match="PEM"):
            load(b"nothing")
