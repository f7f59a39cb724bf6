"""Prices with what holds today and their whole history."""

from __future__ import annotations

import httpx

from tests.cloud.billing.conftest import Office
from tests.cloud.web.garden import add_prices


async def test_tariffs_show_what_holds_today_and_every_revision(garden: Office, manager: httpx.AsyncClient) -> None:
    assert "还没有价格" in (await manager.get("/tariffs")).text
    await add_prices(garden)
    listed = await manager.get("/tariffs")
    assert "2026-01-01 · r1" in listed.text
    assert "property service fee" in listed.text
    history = await manager.get("/tariffs/history", params={"community": "GARDEN", "code": "area-fee"})
    assert "1.80" in history.text
    assert "2.00" in history.text
    assert len((await manager.get("/tariffs/revisions.csv")).text.strip().splitlines()) == 3
    assert (await manager.get("/tariffs/history", params={"community": "GARDEN", "code": "x"})).status_code == 404
