"""A company's accounts for messages: sealed secrets, one open for each way, and everything wrong is said when added."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text

from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import NotFoundError
from cloud.kit.secretbox import SecretBox
from cloud.notices import provider_accounts as accounts
from cloud.notices.kinds import Language, NoticeKind, Way
from cloud.notices.provider_accounts import NewAccount, parse_templates
from common.errors import FaultsError, InvariantError, RefusalError
from common.ids import TenantId
from tests.cloud.notices.conftest import text_account
from tests.simulation.messages import smtp

BOX = SecretBox(bytes(range(32)))
MAIL = NewAccount(
    way=Way.MAIL, login="bill", secret=smtp.PASSWORD, sender="bill@example.com", host="mail.example.com", port=465
)


async def test_a_secret_is_sealed_for_its_own_account_alone(database: Database, tenant: TenantId, actor: Actor) -> None:
    async with database.unit(tenant, actor) as unit:
        await accounts.open_account(unit, BOX, text_account(), frozenset())
    async with database.view(tenant) as session:
        (found,) = await accounts.accounts(session)
        kept = await session.scalar(text("select secret_sealed from message_account"))
    assert b"testSecret" not in kept
    assert "testSecret" not in repr(found)
    assert accounts.secret_of(BOX, found) == "testSecret"
    with pytest.raises(InvariantError):
        accounts.secret_of(BOX, replace(found, message_account_id=UUID(int=1)))


async def test_another_account_of_a_way_closes_the_one_before(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with database.unit(tenant, actor) as unit:
        await accounts.open_account(unit, BOX, text_account(), frozenset())
        await accounts.open_account(unit, BOX, MAIL, frozenset())
        newer = await accounts.open_account(unit, BOX, replace(text_account(), login="other"), frozenset())
    async with database.view(tenant) as session:
        found = await accounts.accounts(session)
    assert [(one.way, one.login, one.is_open) for one in found] == [
        (Way.MAIL, "bill", True),
        (Way.SMS, "other", True),
        (Way.SMS, "testId", False),
    ]
    async with database.unit(tenant, actor) as unit:
        await accounts.close_account(unit, newer)
        with pytest.raises(NotFoundError):
            await accounts.close_account(unit, UUID(int=1))
        assert not (await accounts.account(unit.session, newer)).is_open


@pytest.mark.parametrize(
    "new",
    [
        replace(text_account(), secret=""),
        replace(text_account(), login=""),
        replace(text_account(), templates=()),
        replace(text_account(), sender=""),
        replace(text_account(), sender="a\nb"),
        replace(MAIL, port=25),
        replace(MAIL, host="mail example"),
        replace(MAIL, sender="nobody"),
        replace(MAIL, login="x" * 201),
    ],
)
async def test_an_account_that_cannot_work_is_refused(
    database: Database, tenant: TenantId, actor: Actor, new: NewAccount
) -> None:
    with pytest.raises(RefusalError):
        async with database.unit(tenant, actor) as unit:
            await accounts.open_account(unit, BOX, new, frozenset())


async def test_only_a_relay_that_the_operator_names_may_be_plain(
    database: Database, tenant: TenantId, actor: Actor
) -> None:
    async with database.unit(tenant, actor) as unit:
        await accounts.open_account(unit, BOX, replace(MAIL, port=25), frozenset({"mail.example.com"}))


def test_templates_are_read_line_by_line() -> None:
    first, second = parse_templates("overdue zh SMS_1\n\ndue_soon en TPL-22 thing1=place amount2=amount\n")
    assert (first.kind, first.language, first.code, first.fields) == (NoticeKind.OVERDUE, Language.ZH, "SMS_1", ())
    assert second.filled({"place": "1-101", "amount": "3.00"}) == {"thing1": "1-101", "amount2": "3.00"}
    assert first.filled({"place": "1-101"}) == {"place": "1-101"}


def test_every_faulty_line_of_templates_is_named() -> None:
    with pytest.raises(FaultsError) as caught:
        parse_templates("overdue zh SMS_1\noverdue zh SMS_2\nlate zh SMS_3\noverdue fr SMS_4\ndue_soon zh X1234 a=name")
    assert [fault.where for fault in caught.value.faults] == ["line 3", "line 4", "line 5", "templates"]
