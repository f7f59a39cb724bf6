"""A mail server on loopback that speaks SMTP (RFC 5321) with STARTTLS and AUTH PLAIN, and can misbehave.

It answers command by command and refuses what comes out of order; the text ends with a line of one point, and a point
that leads a line is undone.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

LOGIN, PASSWORD = "bill@example.com", "s3cret"
NOBODY = "nobody@example.com"


@dataclass(slots=True, kw_only=True)
class Mail:
    """A mail that the server took on."""

    sender: str
    to: str
    message: EmailMessage
    private: bool


@dataclass(slots=True)
class _Talk:
    """What was said in one connection so far."""

    private: bool = False
    known: bool = False
    sender: str = ""
    to: str = ""


@dataclass(slots=True)
class SmtpSimulator:
    """The server; `trouble` is what happens to the next mail."""

    context: ssl.SSLContext | None = None
    mails: list[Mail] = field(default_factory=list)
    trouble: str = ""
    port: int = 0
    _server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = _Talk()
        try:
            writer.write(b"220 mail.example.com ESMTP\r\n")
            while line := await reader.readline():
                verb, _, rest = line.decode().strip().partition(" ")
                if verb.upper() == "QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                if verb.upper() == "STARTTLS" and self.context is not None:
                    writer.write(b"220 go ahead\r\n")
                    await writer.start_tls(self.context)
                    talk = _Talk(private=True)
                elif verb.upper() == "DATA":
                    if not await self._take(reader, writer, talk):
                        break
                else:
                    writer.write(self._answer(verb.upper(), rest, talk))
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def _answer(self, verb: str, rest: str, talk: _Talk) -> bytes:
        if verb in {"EHLO", "HELO"}:
            offers = ["mail.example.com", "AUTH PLAIN", "8BITMIME"]
            if self.context is not None and not talk.private:
                offers.insert(1, "STARTTLS")
            lines = [f"250-{offer}" for offer in offers[:-1]] + [f"250 {offers[-1]}"]
            return "\r\n".join([*lines, ""]).encode()
        if verb == "AUTH":
            talk.known = rest.partition(" ")[2] == base64.b64encode(f"\0{LOGIN}\0{PASSWORD}".encode()).decode()
            return b"235 welcome\r\n" if talk.known else b"535 5.7.8 bad credentials\r\n"
        if verb in {"MAIL", "RCPT"}:
            return self._envelope(verb, _path(rest), talk)
        return b"250 ok\r\n" if verb in {"RSET", "NOOP"} else b"502 5.5.2 unknown command\r\n"

    def _envelope(self, verb: str, path: str, talk: _Talk) -> bytes:
        if not talk.known or (self.context is not None and not talk.private):
            return b"530 5.7.0 authenticate first\r\n"
        if verb == "MAIL":
            talk.sender = path
            return b"250 ok\r\n"
        talk.to = path
        if self.trouble == "slow_down":
            self.trouble = ""
            return b"450 4.7.1 greylisted, try later\r\n"
        return b"550 5.1.1 no such user\r\n" if path == NOBODY else b"250 ok\r\n"

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, talk: _Talk) -> bool:
        """Take a text on; return False when the connection breaks instead of an answer."""
        if not talk.sender or not talk.to:
            writer.write(b"503 5.5.1 MAIL and RCPT first\r\n")
            return True
        writer.write(b"354 end with a point\r\n")
        await writer.drain()
        raw = b""
        while (line := await reader.readline()) not in {b".\r\n", b""}:
            raw += line[1:] if line.startswith(b".") else line
        message = message_from_bytes(raw, policy=default)
        self.mails.append(Mail(sender=talk.sender, to=talk.to, message=message, private=talk.private))
        trouble, self.trouble = self.trouble, ""
        if trouble == "answer_lost":
            return False
        writer.write(b"250 2.0.0 queued\r\n")
        return True


def _path(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]
