"""A seller's account at its platform: checked when added, one open at a time, its secret sealed."""

from __future__ import annotations

import pytest

from cloud.invoices import seller_accounts as accounts
from cloud.kit.errors import NotFoundError
from common.errors import RefusalError
from common.ids import LegalEntityId
from tests.cloud.invoices.conftest import BOX, Bureau
from tests.cloud.refunds.till import CLERK, new_id
from tests.simulation.invoices.platform import SECRET


async def test_another_account_of_a_seller_closes_the_one_before(bureau: Bureau) -> None:
    second = await bureau.open_account(drawer="赵会计")
    async with bureau.database.view(bureau.tenant) as session:
        found = await accounts.accounts(session)
        current = await accounts.account_of(session, bureau.till.counter.entity)
    assert [one.is_open for one in found] == [True, False]
    assert current is not None
    assert (current.invoice_account_id, current.drawer) == (second, "赵会计")


async def test_a_secret_is_sealed_and_opens_for_its_account_alone(bureau: Bureau) -> None:
    async with bureau.database.view(bureau.tenant) as session:
        (account,) = await accounts.accounts(session)
    assert accounts.secret_of(BOX, account) == SECRET
    assert SECRET.encode() not in account.secret_sealed
    assert SECRET not in repr(account)


@pytest.mark.parametrize(
    "changes",
    [
        {"tax_number": "91350100M000100Y44"},
        {"app_key": "a b"},
        {"drawer": ""},
        {"secret": ""},
        {"drawer": "王\n会计"},
        {"drawer": "x" * 201},
    ],
)
async def test_what_cannot_be_an_account_is_refused(bureau: Bureau, changes: dict[str, str]) -> None:
    with pytest.raises(RefusalError):
        await bureau.open_account(**changes)


async def test_nobody_has_an_account_for_who_is_not_there(bureau: Bureau) -> None:
    with pytest.raises(NotFoundError):
        await bureau.open_account(legal_entity_id=LegalEntityId(new_id()))
    async with bureau.database.unit(bureau.tenant, CLERK) as unit:
        with pytest.raises(NotFoundError):
            await accounts.close_account(unit, new_id())
        with pytest.raises(NotFoundError):
            await accounts.account(unit.session, new_id())
