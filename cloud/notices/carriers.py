"""The clients of a company's message accounts, built from opened secrets and kept while an account stays as it is."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from cloud.kit.secretbox import SecretBox
from cloud.notices.kinds import Way
from cloud.notices.provider_accounts import MAIL_PORTS, MessageAccount, secret_of
from cloud.notices.providers.mail import MailAccount, Security, SmtpServer
from cloud.notices.providers.sms import SmsAccount, SmsGateway
from cloud.notices.providers.values import Carrier
from cloud.notices.providers.wechat import WeChatAccount, WeChatMessages


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageUrls:
    """Where the providers answer; `plain_mail_hosts` are relays of the operator's own that need no TLS."""

    sms: str = "https://dysmsapi.aliyuncs.com"
    wechat: str = "https://api.weixin.qq.com"
    plain_mail_hosts: frozenset[str] = field(default_factory=frozenset)


class Carriers:
    """Builds and keeps clients."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        urls: MessageUrls,
        box: SecretBox,
        machine_now_s: Callable[[], int],
        new_nonce: Callable[[], str],
    ) -> None:
        self._http = http
        self.urls = urls
        self._box = box
        self._machine_now_s = machine_now_s
        self._new_nonce = new_nonce
        self._clients: dict[MessageAccount, Carrier] = {}

    def of(self, account: MessageAccount) -> Carrier:
        """Return the client of an account."""
        if account not in self._clients:
            self._clients[account] = self._built(account)
        return self._clients[account]

    def _built(self, account: MessageAccount) -> Carrier:
        secret = secret_of(self._box, account)
        match account.way:
            case Way.SMS:
                sms = SmsAccount(
                    key_id=account.login, secret=secret, sign_name=account.sender, templates=account.templates
                )
                return SmsGateway(self._http, self.urls.sms, sms, self._machine_now_s, self._new_nonce)
            case Way.WECHAT:
                wechat = WeChatAccount(app_id=account.login, secret=secret, templates=account.templates)
                return WeChatMessages(self._http, self.urls.wechat, wechat, self._machine_now_s)
            case Way.MAIL:
                return SmtpServer(self._mail(account, secret), ssl.create_default_context())

    def _mail(self, account: MessageAccount, secret: str) -> MailAccount:
        security = Security.TLS if account.port == MAIL_PORTS[0] else Security.STARTTLS
        if account.host in self.urls.plain_mail_hosts:
            security = Security.PLAIN
        return MailAccount(
            host=account.host,
            port=account.port,
            security=security,
            login=account.login,
            password=secret,
            sender=account.sender,
            sender_name="",
        )
