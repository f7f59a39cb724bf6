"""Clients of accounts: built once from the opened secret."""

from __future__ import annotations

from cloud.invoices import seller_accounts as accounts
from cloud.invoices.providers.values import NeverCame
from tests.cloud.invoices.conftest import Bureau


async def test_an_account_keeps_its_client_and_another_account_has_another(bureau: Bureau) -> None:
    async with bureau.database.view(bureau.tenant) as session:
        (first,) = await accounts.accounts(session)
    client = bureau.issuers.of(first, "东方物业")
    assert bureau.issuers.of(first, "东方物业") is client
    assert isinstance(await client.ask("F2026030500000000001"), NeverCame)
    await bureau.open_account()
    async with bureau.database.view(bureau.tenant) as session:
        (second, _) = await accounts.accounts(session)
    assert bureau.issuers.of(second, "东方物业") is not client
