"""E-mail by SMTP, over TLS from the first byte or by STARTTLS; a plain relay only where the operator names it.

A message is one transaction with one recipient. Until its text was handed over nothing was sent; when the connection
breaks after that, nobody can say, and it is never sent again. A server that took it on says no more.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from typing import assert_never

from cloud.kit.calls import Later, Refused, Unknown
from cloud.notices.providers.values import Accepted, AskOutcome, Letter, Question, SendOutcome

STEP_S_MAX = 10
CALL_S_MAX = 45
_OK = 250
_FORWARDED = 251
_FINAL = 500
_REASON_LENGTH_MAX = 200


class Security(StrEnum):
    """How the way to the server is kept private."""

    TLS = "tls"
    STARTTLS = "starttls"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailAccount:
    """Which server takes our mail, and as whom; without a login it takes it unasked."""

    host: str
    port: int
    security: Security
    login: str
    password: str = field(repr=False)
    sender: str
    sender_name: str


class SmtpServer:
    """The client of one mail account."""

    tells = False

    def __init__(self, account: MailAccount, context: ssl.SSLContext) -> None:
        self._account = account
        self._context = context

    async def send(self, letter: Letter) -> SendOutcome:
        """Send a mail once."""
        try:
            async with asyncio.timeout(CALL_S_MAX):
                return await asyncio.to_thread(self._send, letter)
        except TimeoutError:
            return Unknown(reason="the server took too long")

    async def ask(self, question: Question) -> AskOutcome:
        """Return that a mail server does not say."""
        del question
        return Unknown(reason="a mail server does not tell what became of a mail")

    def _send(self, letter: Letter) -> SendOutcome:
        try:
            content = self._message(letter)
        except ValueError:
            return Refused(reason="the address cannot be written into a mail")
        try:
            with self._connected() as server:
                return self._hand_over(server, letter, content)
        except (OSError, smtplib.SMTPException) as error:
            return Later(reason=_why(error))

    def _connected(self) -> smtplib.SMTP:
        account = self._account
        match account.security:
            case Security.TLS:
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    account.host, account.port, timeout=STEP_S_MAX, context=self._context
                )
            case Security.STARTTLS:
                server = smtplib.SMTP(account.host, account.port, timeout=STEP_S_MAX)
                server.starttls(context=self._context)
            case Security.PLAIN:
                server = smtplib.SMTP(account.host, account.port, timeout=STEP_S_MAX)
            case _:
                assert_never(account.security)
        return server

    def _hand_over(self, server: smtplib.SMTP, letter: Letter, content: bytes) -> SendOutcome:
        if self._account.login:
            server.login(self._account.login, self._account.password)
        server.ehlo_or_helo_if_needed()
        code, said = server.mail(self._account.sender)
        if code == _OK:
            code, said = server.rcpt(letter.to)
        if code not in {_OK, _FORWARDED}:
            return _no(code, said)
        try:
            code, said = server.data(content)
        except smtplib.SMTPDataError as error:
            return _no(error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            return Unknown(reason=_why(error))
        return Accepted(reference=self._message_id(letter)) if code == _OK else _no(code, said)

    def _message(self, letter: Letter) -> bytes:
        message = EmailMessage(policy=SMTP)
        message["From"] = Address(self._account.sender_name, addr_spec=self._account.sender)
        message["To"] = Address(addr_spec=letter.to)
        message["Subject"] = letter.title
        message["Message-ID"] = self._message_id(letter)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.body, cte="base64")
        return message.as_bytes()

    def _message_id(self, letter: Letter) -> str:
        return f"<{letter.letter_id.hex}@{self._account.sender.rpartition('@')[2]}>"


def _no(code: int, said: bytes | str) -> Refused | Later:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    reason = f"{code} {text}"[:_REASON_LENGTH_MAX]
    return Refused(reason=reason) if code >= _FINAL else Later(reason=reason)


def _why(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {type(error).__name__}"
    return type(error).__name__
