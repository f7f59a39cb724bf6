"""A company's accounts at providers of messages: one open for each way, the secret sealed, all checked when added.

Opening another account of a way closes the one before; letters that it has in hand are still asked about with it.
Mail goes over TLS: port 465 from the first byte, any other by STARTTLS; plain only to relays that the operator names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit.db import Unit
from cloud.kit.errors import NotFoundError
from cloud.kit.secretbox import SecretBox
from cloud.notices import repository
from cloud.notices.kinds import Language, NoticeKind, Way
from cloud.notices.providers.values import Template
from cloud.notices.tables import MessageAccountRow
from common.errors import Fault, FaultsError, RefusalError
from common.ids import TenantId

TEXT_LENGTH_MAX = 200
TEMPLATES_MAX = 60
FACTS = ("number", "amount", "due", "place")
MAIL_PORTS = (465, 587)
_CODE = re.compile(r"[A-Za-z0-9_-]{4,64}")
_FIELD = re.compile(r"[A-Za-z0-9_]{1,40}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", re.IGNORECASE)
_MAILBOX = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{3,190}")
_NEEDED_WORDS = 3
_REMEDY = (
    f"write a notice ({', '.join(NoticeKind)}), zh or en, the provider's code, then field=fact,"
    f" where facts are {', '.join(FACTS)}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account as its provider issued it.

    `login` is the key id, application id or mail login; `sender` the sign name of texts or the address mail comes from;
    `host` and `port` are the mail server's alone; `templates` are what the provider approved, which mail needs not.
    """

    way: Way
    login: str
    secret: str = field(repr=False)
    sender: str = ""
    host: str = ""
    port: int = 0
    templates: tuple[Template, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAccount:
    """An account with its secret sealed."""

    tenant_id: TenantId
    message_account_id: UUID
    way: Way
    login: str
    sender: str
    host: str
    port: int
    templates: tuple[Template, ...]
    secret_sealed: bytes = field(repr=False)
    is_open: bool


def parse_templates(text: str) -> tuple[Template, ...]:
    """Return the templates of some lines: `<notice> <language> <code> [field=fact ...]`.

    Raises:
        FaultsError: a line is none; every faulty line is named.
    """
    found: list[Template] = []
    faults: list[Fault] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                found.append(_template(line.split()))
            except ValueError:
                faults.append(Fault(where=f"line {number}", what="this is no template", remedy=_REMEDY))
    if len({(one.kind, one.language) for one in found}) != len(found):
        faults.append(Fault(where="templates", what="a notice has two in one language", remedy="keep one of them"))
    if len(found) > TEMPLATES_MAX:
        faults.append(Fault(where="templates", what=f"more than {TEMPLATES_MAX}", remedy="leave some out"))
    if faults:
        raise FaultsError("the templates cannot be read", faults)
    return tuple(found)


async def open_account(unit: Unit, box: SecretBox, new: NewAccount, plain_hosts: frozenset[str]) -> UUID:
    """Open an account of a way and close the one before it.

    Raises:
        RefusalError: something that this way needs is missing or cannot be.
    """
    _check(new, plain_hosts)
    for row in await repository.message_accounts(unit.session):
        if row.way is new.way and row.closed_at is None:
            row.closed_at = unit.now
    await unit.session.flush()
    account_id = unit.new_id()
    unit.session.add(
        MessageAccountRow(
            tenant_id=unit.tenant,
            message_account_id=account_id,
            way=new.way,
            login=new.login,
            sender=new.sender,
            host=new.host,
            port=new.port,
            templates=[[t.kind, t.language, t.code, [list(pair) for pair in t.fields]] for t in new.templates],
            secret_sealed=box.seal(unit.tenant, _purpose(account_id), new.secret.encode()),
            opened_at=unit.now,
        )
    )
    unit.record("opened", "message_account", account_id, after={"way": new.way.value})
    return account_id


async def close_account(unit: Unit, account_id: UUID) -> None:
    """Close an account; notices of its way stand in the inbox alone from now on.

    Raises:
        NotFoundError: there is no such account.
    """
    row = await repository.message_account(unit.session, account_id)
    if row is None:
        raise NotFoundError("there is no such message account")
    row.closed_at = row.closed_at or unit.now
    unit.record("closed", "message_account", account_id)


async def accounts(session: AsyncSession) -> Sequence[MessageAccount]:
    """Return the company's accounts, open ones first."""
    found = [_account(row) for row in await repository.message_accounts(session)]
    return sorted(found, key=lambda one: (not one.is_open, one.way))


async def account(session: AsyncSession, account_id: UUID) -> MessageAccount:
    """Return an account.

    Raises:
        NotFoundError: there is none.
    """
    row = await repository.message_account(session, account_id)
    if row is None:
        raise NotFoundError("there is no such message account")
    return _account(row)


def secret_of(box: SecretBox, account: MessageAccount) -> str:
    """Return the secret of an account, opened."""
    return box.open(account.tenant_id, _purpose(account.message_account_id), account.secret_sealed).decode()


def is_mailbox(text: str) -> bool:
    """Return whether a text is an address of mail."""
    return _MAILBOX.fullmatch(text) is not None


def _template(words: Sequence[str]) -> Template:
    if len(words) < _NEEDED_WORDS or _CODE.fullmatch(words[2]) is None:
        raise ValueError(words)
    fields = []
    for word in words[_NEEDED_WORDS:]:
        name, _, fact = word.partition("=")
        if _FIELD.fullmatch(name) is None or fact not in FACTS:
            raise ValueError(word)
        fields.append((name, fact))
    return Template(kind=NoticeKind(words[0]), language=Language(words[1]), code=words[2], fields=tuple(fields))


def _check(new: NewAccount, plain_hosts: frozenset[str]) -> None:
    if any(len(text) > TEXT_LENGTH_MAX or "\n" in text for text in (new.login, new.secret, new.sender, new.host)):
        raise RefusalError(f"each field has one line of at most {TEXT_LENGTH_MAX} characters")
    if new.way is Way.MAIL:
        if _HOST.fullmatch(new.host) is None or not is_mailbox(new.sender):
            raise RefusalError("mail needs the name of a server and an address to come from, such as bill@example.com")
        if new.port not in MAIL_PORTS and new.host not in plain_hosts:
            raise RefusalError(f"mail goes to port {MAIL_PORTS[0]} (TLS) or {MAIL_PORTS[1]} (STARTTLS)")
        return
    if not new.login or not new.secret or not new.templates:
        raise RefusalError("this way needs its key, its secret and at least one approved template")
    if new.way is Way.SMS and not new.sender:
        raise RefusalError("texts need the sign name that the provider approved")


def _account(row: MessageAccountRow) -> MessageAccount:
    return MessageAccount(
        tenant_id=row.tenant_id,
        message_account_id=row.message_account_id,
        way=row.way,
        login=row.login,
        sender=row.sender,
        host=row.host,
        port=row.port,
        templates=tuple(
            Template(
                kind=NoticeKind(kind),
                language=Language(language),
                code=code,
                fields=tuple((name, fact) for name, fact in fields),
            )
            for kind, language, code, fields in row.templates
        ),
        secret_sealed=row.secret_sealed,
        is_open=row.closed_at is None,
    )


def _purpose(account_id: UUID) -> str:
    return f"message_account:{account_id}"
