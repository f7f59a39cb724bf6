"""What a merchant account needs to speak at its channel, checked when it is added and not when money arrives.

`channel_keys` are PEM by name: for WeChat the serials of its keys; for Alipay its keys under any name, and in
certificate mode `app` (our certificate) and `root` (its root bundle); for UnionPay its certificate authorities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from cloud.payments.channel import Channel
from cloud.payments.channels.alipay.client import AlipayMerchant
from cloud.payments.channels.alipay.signing import certificate_number, root_number
from cloud.payments.channels.trust import load_private_key, load_public_key
from cloud.payments.channels.unionpay.client import UnionPayMerchant
from cloud.payments.channels.unionpay.signing import Authorities
from cloud.payments.channels.wechat.client import Merchant
from cloud.payments.channels.wechat.signing import KeyRing, MerchantKey
from common.errors import RefusalError

_APP_CERTIFICATE = "app"
_ROOT_CERTIFICATES = "root"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A merchant account's names, keys and secrets as text."""

    merchant_number: str
    app_id: str
    merchant_serial: str
    channel_keys: Mapping[str, str] = field(hash=False)
    private_key_pem: str = field(repr=False)
    api_key: str = field(repr=False)
    app_secret: str = field(default="", repr=False)
    deduction_plan: str = ""


def check(channel: Channel, identity: Identity) -> None:
    """Go on only when an account can speak at its channel.

    Raises:
        RefusalError: a key or a number is not what the channel issues.
    """
    match channel:
        case Channel.WECHAT:
            wechat(identity)
        case Channel.ALIPAY:
            alipay(identity)
        case Channel.UNIONPAY:
            unionpay(identity)
        case Channel.POS:
            if not identity.merchant_number:
                raise RefusalError("a terminal's account has the merchant number that stands on its slips; write it")
        case Channel.BANK | Channel.CASH:
            raise RefusalError("cash has a box and a transfer a bank account; neither has a merchant account")


def wechat(identity: Identity) -> Merchant:
    """Return the credentials of an account at WeChat Pay.

    Raises:
        RefusalError: a key or the template of deductions is not what the channel issues.
    """
    plan = identity.deduction_plan
    if plan and not (plan.isascii() and plan.isdigit()):
        raise RefusalError(f"the template of deductions (plan_id) is a number, not {plan!r}; copy it again")
    return Merchant(
        key=MerchantKey(
            merchant_number=identity.merchant_number,
            serial=identity.merchant_serial,
            private_key=load_private_key(identity.private_key_pem.encode()),
        ),
        app_id=identity.app_id,
        ring=KeyRing(keys={serial: load_public_key(pem.encode()) for serial, pem in identity.channel_keys.items()}),
        api_key=identity.api_key.encode(),
    )


def alipay(identity: Identity) -> AlipayMerchant:
    """Return the credentials of an account at Alipay, with the serials of certificates in certificate mode.

    Raises:
        RefusalError: a key is not what the channel issues.
    """
    own = {_APP_CERTIFICATE, _ROOT_CERTIFICATES}
    keys = [load_public_key(pem.encode()) for name, pem in identity.channel_keys.items() if name not in own]
    if not keys:
        raise RefusalError("no channel key is configured; add Alipay's public key to the merchant account")
    numbers = {}
    if own & identity.channel_keys.keys():
        if not own <= identity.channel_keys.keys():
            raise RefusalError("certificate mode needs both our certificate `app` and Alipay's bundle `root`")
        app = load_pem_x509_certificate(identity.channel_keys[_APP_CERTIFICATE].encode())
        numbers = {
            "app_cert_sn": certificate_number(app.public_bytes(Encoding.DER)),
            "alipay_root_cert_sn": root_number(identity.channel_keys[_ROOT_CERTIFICATES].encode()),
        }
    return AlipayMerchant(
        seller_id=identity.merchant_number,
        app_id=identity.app_id,
        private_key=load_private_key(identity.private_key_pem.encode()),
        channel_keys=tuple(keys),
        numbers=numbers,
    )


def unionpay(identity: Identity) -> UnionPayMerchant:
    """Return the credentials of an account at UnionPay.

    Raises:
        RefusalError: a key or certificate is not what the channel issues.
    """
    return UnionPayMerchant(
        merchant_number=identity.merchant_number,
        certificate_id=identity.merchant_serial,
        private_key=load_private_key(identity.private_key_pem.encode()),
        authorities=Authorities.read([pem.encode() for pem in identity.channel_keys.values()]),
    )
