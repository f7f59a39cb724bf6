"""Bill runs as a manager works with them: create, preview with the exceptions first, approve, watch."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest
from prometheus_client import CollectorRegistry

from cloud.billing import tasks
from cloud.billing.events import RunRequested
from cloud.kit.events import Routes
from cloud.kit.runner import JobMetrics, Runner
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office
from tests.cloud.web.browsing import send
from tests.cloud.web.garden import bill_months
from tests.support.jobs import break_down, use_attempts_up


@pytest.fixture
def routes() -> Routes:
    return {RunRequested: (tasks.bill_run_job,)}


async def test_a_period_is_created_previewed_with_its_exceptions_and_approved(
    garden: Office, manager: httpx.AsyncClient
) -> None:
    for flat in garden.site.flats:
        garden.set(flat, b.SERVICE, 0, 20_000)
    garden.book.unknown.add((garden.site.flats[0][0], b.ELECTRICITY, b.MONTHS[0].start))
    form = {"start": "2026-01-01", "end": "2026-02-01", "due_on": "2026-02-15"}
    made = await send(manager, "/runs", f"/runs/{garden.site.community_id}", form)
    run = f"/runs/{garden.site.community_id}/2026-01-01"
    assert made.headers["location"] == f"{run}?done=period-created"
    page = await manager.get(run)
    assert page.text.index("a reading is missing") < page.text.index("Bills to be issued")
    assert "2,400.00" in page.text
    assert "1-1-101" in (await manager.get(f"{run}/exceptions.csv")).text
    assert (await manager.get(f"{run}/bills.csv")).text.count("200.00") == 12
    approved = await send(manager, run, f"{run}/run", {})
    assert approved.headers["location"] == f"{run}?done=run-approved"
    progress = await manager.get(f"{run}/progress")
    assert (progress.status_code, "正在出账" in progress.text) == (200, True)
    assert 'hx-trigger="every 2s"' in (await manager.get(run)).text


async def test_a_poll_ends_when_no_run_is_under_way(garden: Office, manager: httpx.AsyncClient) -> None:
    await bill_months(garden, 1, paid=0)
    progress = await manager.get(f"/runs/{garden.site.community_id}/2026-01-01/progress")
    assert progress.status_code == 286
    assert "本期已全部处理" in progress.text


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"start": "2026-02-01", "end": "2026-02-01", "due_on": "2026-02-15"}, "ends before it begins"),
        ({"start": "2026-02-01", "end": "2026-03-01", "due_on": "2026-01-15"}, "due before"),
        ({"start": "soon", "end": "2026-03-01", "due_on": "2026-01-15"}, "start"),
        ({"start": "2026-02-01"}, "Field required"),
    ],
)
async def test_a_period_that_cannot_be_is_refused_in_words(
    garden: Office, manager: httpx.AsyncClient, form: Mapping[str, str], says: str
) -> None:
    answer = await send(manager, "/runs", f"/runs/{garden.site.community_id}", form)
    assert answer.status_code == 422
    assert says in answer.text
    assert "还没有账期" in (await manager.get("/runs")).text


async def test_a_run_that_has_stopped_says_why_and_is_no_longer_waited_for(
    garden: Office, manager: httpx.AsyncClient
) -> None:
    for flat in garden.site.flats:
        garden.set(flat, b.SERVICE, 0, 20_000)
    form = {"start": "2026-01-01", "end": "2026-02-01", "due_on": "2026-02-15"}
    await send(manager, "/runs", f"/runs/{garden.site.community_id}", form)
    run = f"/runs/{garden.site.community_id}/2026-01-01"
    await send(manager, run, f"{run}/run", {})
    site = garden.site
    worker = Runner(
        database=site.worker_database,
        handlers={tasks.BILL_RUN: break_down},
        metrics=JobMetrics(CollectorRegistry()),
        name="worker",
    )
    await use_attempts_up(site.database, site.tenant, worker)
    progress = await manager.get(f"{run}/progress")
    assert (progress.status_code, "已停下" in progress.text) == (286, True)
    assert "InvariantError: no room for billing.run" in (await manager.get(run)).text
