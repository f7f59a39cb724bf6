"""The clients of merchant accounts: built from opened credentials, kept while an account stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from cloud.kit.secretbox import SecretBox
from cloud.payments import merchants
from cloud.payments.channel import Channel
from cloud.payments.channels import credentials
from cloud.payments.channels.alipay.agreements import AlipayAgreements
from cloud.payments.channels.alipay.client import Alipay
from cloud.payments.channels.deductions import Agreements
from cloud.payments.channels.provider import Provider, Unknown
from cloud.payments.channels.unionpay.client import UnionPay
from cloud.payments.channels.wechat.agreements import WeChatAgreements
from cloud.payments.channels.wechat.client import WeChatPay
from cloud.payments.channels.wechat.login import WeChatLogin
from cloud.payments.merchants import MerchantAccount
from common.errors import RefusalError


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelUrls:
    """Where the channels answer."""

    wechat: str
    alipay: str
    unionpay: str
    wechat_open: str = "https://open.weixin.qq.com"
    wechat_api: str = "https://api.weixin.qq.com"


class Providers:
    """Builds and keeps clients."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        urls: ChannelUrls,
        box: SecretBox,
        machine_now_s: Callable[[], int],
        new_nonce: Callable[[], str],
    ) -> None:
        self._http = http
        self._urls = urls
        self._box = box
        self._machine_now_s = machine_now_s
        self._new_nonce = new_nonce
        self._clients: dict[MerchantAccount, Provider] = {}
        self._login = WeChatLogin(http, urls.wechat_open, urls.wechat_api)

    def of(self, account: MerchantAccount) -> Provider:
        """Return the client of an account.

        Raises:
            RefusalError: its channel has no interface; its file is uploaded by a person.
        """
        if account not in self._clients:
            self._clients[account] = self._built(account)
        return self._clients[account]

    def wechat_address(self, account: MerchantAccount, back: str) -> str | None:
        """Return where a browser inside WeChat learns who it is, None when the account has no application secret."""
        identity = merchants.identity(self._box, account)
        return self._login.address(identity.app_id, back) if identity.app_secret else None

    async def wechat_open_id(self, account: MerchantAccount, code: str) -> str | Unknown:
        """Return the id of a payer who came back from WeChat with a code."""
        identity = merchants.identity(self._box, account)
        return await self._login.open_id(identity.app_id, identity.app_secret, code)

    def keeps_agreements(self, account: MerchantAccount) -> bool:
        """Return whether payers can agree to deductions at an account: at Alipay, or at WeChat with a template."""
        match account.channel:
            case Channel.ALIPAY:
                return True
            case Channel.WECHAT:
                return bool(merchants.identity(self._box, account).deduction_plan)
            case _:
                return False

    def agreements(self, account: MerchantAccount) -> Agreements:
        """Return the agreements of an account.

        Raises:
            RefusalError: its channel keeps none for it.
        """
        found = self.of(account)
        if isinstance(found, Alipay):
            return AlipayAgreements(found)
        plan = merchants.identity(self._box, account).deduction_plan
        if isinstance(found, WeChatPay) and plan:
            return WeChatAgreements(found, plan)
        raise RefusalError(
            "this merchant account keeps no agreements; take one at Alipay, or WeChat's with its plan_id"
        )

    def _built(self, account: MerchantAccount) -> Provider:
        identity = merchants.identity(self._box, account)
        match account.channel:
            case Channel.WECHAT:
                merchant = credentials.wechat(identity)
                return WeChatPay(self._http, self._urls.wechat, merchant, self._machine_now_s, self._new_nonce)
            case Channel.ALIPAY:
                return Alipay(self._http, self._urls.alipay, credentials.alipay(identity), self._machine_now_s)
            case Channel.UNIONPAY:
                return UnionPay(self._http, self._urls.unionpay, credentials.unionpay(identity), self._machine_now_s)
            case Channel.POS | Channel.BANK | Channel.CASH:
                raise RefusalError(f"the channel {account.channel} has no interface; its file is uploaded by a person")
