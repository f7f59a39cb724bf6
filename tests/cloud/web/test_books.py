"""The book on pages: trial balance, closing, statement of an account, files."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx

from cloud.ledger.accounts import AccountType
from cloud.web.books import TYPES
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import send
from tests.cloud.web.front import words_of
from tests.cloud.web.garden import bill_months


async def test_the_trial_balance_is_shown_and_a_period_is_closed(garden: Office, manager: httpx.AsyncClient) -> None:
    await bill_months(garden, 1, paid=2)
    garden.clock.set(datetime(2026, 3, 20, tzinfo=UTC))
    page = await manager.get("/books")
    words = words_of(page)
    assert "应收 Receivable (12)" in words
    form = {"start": "2026-02-01", "end": "2026-03-01"}
    done = await send(manager, "/books", f"/books/{garden.site.community_id}/close", form)
    assert done.headers["location"] == "/books?community=GARDEN&done=period-closed"
    assert "2026-02-01 – 2026-02-28" in words_of(await manager.get("/books"))
    backwards = await send(
        manager, "/books", f"/books/{garden.site.community_id}/close", {"start": "2026-03-02", "end": "2026-03-01"}
    )
    assert backwards.status_code == 422


async def test_an_account_is_told_movement_by_movement(garden: Office, manager: httpx.AsyncClient) -> None:
    await bill_months(garden, 1, paid=1)
    account = await garden.account(garden.site.flats[0])
    base = f"/books/{garden.site.community_id}"
    words = words_of(await manager.get(f"{base}/accounts/{account}"))
    assert words.count("收款核销") == 2
    assert "0.00" in words
    assert (await manager.get(f"{base}/accounts/{garden.site.community_id}")).status_code == 404
    assert (await manager.get(f"{base}/book.csv")).text.startswith("date,journal")
    assert 'option "title" "花园小区"' in (await manager.get(f"{base}/book.beancount")).text


def test_every_type_of_account_has_words() -> None:
    assert set(TYPES) == set(AccountType)
