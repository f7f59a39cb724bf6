"""`python -m tests.bench.billing_past [households]`: a price that changes for six months that are billed already.

A town is billed for six periods by the workers of the product. Then a price of each community is decided anew since the
first of them: the sums of all documents are asked for, approved, and booked by two worker processes, one adjustment for
each account. Done again, nothing is written.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import date, timedelta
from itertools import pairwise
from time import perf_counter
from uuid import UUID

from cloud.billing import repricing
from cloud.billing.repriced_sums import PricePreview
from cloud.billing.repricing import PriceScope
from cloud.kit.actor import system_actor
from cloud.kit.roles import APP
from cloud.rating.service import rate_period
from cloud.tariffs import service as tariffs
from cloud.tariffs.service import RevisionDraft
from common.civil import Period
from tests.bench.billing import count, drain, filled_town, run_once
from tests.bench.billing_stand import Measure, Town, connect
from tests.bench.billing_town import NOW, Community, History, document

HOUSEHOLDS = 100_000
PREVIEW_S_MAX, BOOKED_S_MAX, AGAIN_S_MAX = 20.0, 90.0, 20.0
MONTHS = tuple(date(2025 + number // 12, number % 12 + 1, 1) for number in range(9, 16))
PERIODS = tuple(Period(start, end) for start, end in pairwise(MONTHS))
HISTORY = History(starts=date(2024, 12, 1), days=(date(2025, 1, 1), *MONTHS), periods=PERIODS)
CHARGE = "service"
LATER = timedelta(hours=3)
DEARER = document(CHARGE, "m2", charges=[{"key": CHARGE, "quantity": "area", "per": "month", "price": "2.61"}])
_ACTOR = system_actor("bench")


def measure(households: int = HOUSEHOLDS) -> list[Measure]:
    """Bill a town for six months, change a price for all of them, and measure what that takes."""
    with filled_town(households, HISTORY) as town:
        for period in PERIODS:
            run_once(town, period=period)
        with town.superuser(autocommit=True) as connection:
            connection.execute("vacuum analyze")
        asyncio.run(_decide(town))
        opened = asyncio.run(_opened(town))
        seconds, previews = asyncio.run(_previewed(town, opened))
        start = perf_counter()
        asyncio.run(_approved(town, opened, previews))
        approved = perf_counter() - start
        booked, peak_mib = drain(town, now=NOW + LATER)
        documents = _documents(town)
        if documents != households or sum(one.documents for one in previews) != households:
            raise RuntimeError(f"{documents} adjustments for {households} households")
        again = asyncio.run(_opened(town))
        again_s, nothing = asyncio.run(_previewed(town, again))
        asyncio.run(_approved(town, again, nothing))
        drain(town, now=NOW + LATER)
        more = _documents(town) - documents
    name = f"{households:,} accounts x {len(PERIODS)} months"
    return [
        Measure(name=f"price change {name}: preview", value=seconds, unit="s", most=PREVIEW_S_MAX),
        Measure(name="price change: approval, which looks again", value=approved, unit="s"),
        Measure(name="price change: booked by two workers", value=booked, unit="s", most=BOOKED_S_MAX),
        Measure(name="price change: lines", value=households * len(PERIODS) / booked, unit="/s"),
        Measure(name="price change: peak memory of a worker", value=peak_mib, unit="MiB"),
        Measure(name="price change again: preview", value=again_s, unit="s", most=AGAIN_S_MAX),
        Measure(name="price change again: documents", value=more, unit="", most=0),
    ]


async def _decide(town: Town) -> None:
    database = connect(town.server, APP, after=timedelta(hours=1))
    for community in town.communities:
        async with database.unit(town.tenant, _ACTOR) as unit:
            draft = RevisionDraft(
                community_id=community.community_id,
                document=DEARER,
                effective_from=HISTORY.starts,
                basis_document="decree",
                decided_by="committee",
            )
            await tariffs.record_revision(unit, draft)
    await database.close()


async def _opened(town: Town) -> list[tuple[Community, UUID]]:
    database = connect(town.server, APP, after=LATER)
    found = []
    for community in town.communities:
        async with database.unit(town.tenant, _ACTOR) as unit:
            items = await tariffs.charge_items(unit.session, community.community_id)
            own = frozenset(item.charge_item_id for item in items if item.code == CHARGE)
            scope = PriceScope(community_id=community.community_id, charge_items=own, first_day=MONTHS[0])
            found.append((community, await repricing.open_price_correction(unit, scope, reason="decree")))
    await database.close()
    return found


async def _previewed(town: Town, opened: list[tuple[Community, UUID]]) -> tuple[float, list[PricePreview]]:
    database = connect(town.server, APP, after=LATER)
    now = database.clock.now()
    start = perf_counter()
    found = []
    for community, correction in opened:
        async with database.view(town.tenant) as session:
            found.append(await repricing.preview(session, rate_period, community.community_id, correction, now))
    seconds = perf_counter() - start
    await database.close()
    return seconds, found


async def _approved(town: Town, opened: list[tuple[Community, UUID]], previews: list[PricePreview]) -> None:
    database = connect(town.server, APP, after=LATER)
    for (community, correction), seen in zip(opened, previews, strict=True):
        async with database.unit(town.tenant, _ACTOR) as unit:
            await repricing.approve(unit, rate_period, community.community_id, correction, preview_sha=seen.sha)
    await database.close()


def _documents(town: Town) -> int:
    with town.superuser() as connection:
        return count(connection, "bill") - _regular(town)


def _regular(town: Town) -> int:
    with town.superuser() as connection:
        found = connection.execute("select count(*) from bill where kind = 'regular'").fetchone()
        return int(found[0]) if found else 0


def main() -> int:
    """Print every measure and return 0 when all limits are kept."""
    measures = measure(int(sys.argv[1]) if len(sys.argv) > 1 else HOUSEHOLDS)
    for one in measures:
        sys.stdout.write(f"{one.name:58} {one.value:>14,.2f} {one.unit}{one.limit}\n")
    return 0 if all(one.passed for one in measures) else 1


if __name__ == "__main__":
    sys.exit(main())
