"""A bill run beside last month and last year, on a page."""

from __future__ import annotations

import httpx

from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import send
from tests.cloud.web.front import words_of


async def test_the_comparison_is_linked_from_the_run_and_decides_the_nights(
    garden: Office, manager: httpx.AsyncClient
) -> None:
    for month, fen in ((0, 10_000), (1, 15_000)):
        for flat in garden.site.flats:
            garden.set(flat, b.SERVICE, month, fen)
    await garden.bill_month(0)
    await garden.period(1)
    run = f"/runs/{garden.site.community_id}/2026-02-01"
    assert f'href="{run}/outlook"' in (await manager.get(run)).text
    page = words_of(await manager.get(f"{run}/outlook"))
    assert "50%" in page
    assert "1,800.00" in page
    form = {"order": "late_charges_first", "days_after": "3", "nightly_runs": "true"}
    saved = await send(manager, f"{run}/outlook", f"{run}/policy", form)
    assert saved.headers["location"] == f"{run}/outlook?done=policy-decided"
    again = (await manager.get(f"{run}/outlook")).text
    assert 'value="late_charges_first" selected' in again
    assert 'name="nightly_runs" value="true" checked' in again
