"""`python -m tests.bench.payments`: how fast payments are, with gates as ratios and limits within one run.

    notification to booked    a hundred a second over forty accounts; the gate is the 99th percentile
    a day of 100,000 rows     read, kept, compared: processor time of this process
    an intent                 against one durable insert on the same server, which waits for the disk
    a hundred sealed bills    printing and sealing apart, from `tests.bench.documents`

API, worker, channel and database run as in the demo: processes of their own, and a database that waits for the disk.
The notifications are sent a second time at a tenth of the rate, and what one costs is told in processor time of each
process, its later jobs (the kiosks' dues, a look at open breaks) with it: a machine with few cores shows whether it is
the latency that fails or the cores that are missing.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import httpx
import psycopg

from cloud.kit.clock import monotonic_s
from cloud.kit.postgres import SUPERUSER
from cloud.payments import service
from cloud.payments.channel import Channel
from cloud.reconciliation import service as reconciliation
from cloud.reconciliation import statements
from tests.bench import documents
from tests.bench.payments_stand import Letter, Stand, open_stand
from tests.simulation.soak.house import Soak, open_soak

NOTIFIED = 1_000
RATE = 100
CALM_RATE = 10
CALM_NOTIFIED = 100
DAY_ROWS = 100_000
INSERTS = 200
WATCHED_S_MAX = 300
P99_MS_MAX = 200.0
DAY_CPU_S_MAX = 10.0
INTENT_RATIO_MAX = 3.0
_DAY = date(2026, 3, 1)  # a day of its own: what was notified before is on another
_HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
_FOOTER = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure with its limit."""

    name: str
    value: float
    unit: str
    most: float | None = None

    @property
    def passed(self) -> bool:
        """Return whether the figure is within its limit; one that is only told has none."""
        return self.most is None or self.value <= self.most

    def line(self) -> str:
        """Return the figure as a line of the table."""
        gate = "" if self.most is None else f" (at most {self.most:g}: {'pass' if self.passed else 'FAIL'})"
        return f"{self.name:44} {self.value:>12,.2f} {self.unit:6}{gate}\n"


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def notified(
    stand: Stand, count: int = NOTIFIED, rate: int = RATE, most: float | None = P99_MS_MAX
) -> list[Measure]:
    """Measure from the arrival of a notification to the receipt in the book, and what one costs each process."""
    letters = await stand.ordered(count)
    await stand.rest()
    arrived: dict[str, float] = {}
    booked: dict[str, float] = {}
    before = stand.spent_s()
    limits = httpx.Limits(max_connections=20)
    async with (
        httpx.AsyncClient(base_url=stand.api_url, trust_env=False, limits=limits) as http,
        asyncio.timeout(WATCHED_S_MAX),
        asyncio.TaskGroup() as group,
    ):
        group.create_task(_watch(stand, {number for number, _ in letters}, booked))
        started = monotonic_s()
        for place, (number, letter) in enumerate(letters):
            await asyncio.sleep(max(0.0, started + place / rate - monotonic_s()))
            group.create_task(_post(http, letter, arrived, number))
    told_s = monotonic_s()
    await stand.rest()
    behind_s = monotonic_s() - told_s
    after = stand.spent_s()
    if any(booked[number] < arrived[number] for number in booked):
        raise SystemExit("a receipt was there before its notification: something else booked it")
    took = [(booked[number] - arrived[number]) * 1_000 for number in booked]
    cost = {name: (after[name] - before[name]) * 1_000 / count for name in after}
    ours = sum(spent for name, spent in cost.items() if name not in {"bench", "channel"})
    return [
        Measure(f"notification to booked, p99 at {rate}/s", percentile(took, 0.99), "ms", most),
        Measure(f"notification to booked, median at {rate}/s", percentile(took, 0.5), "ms"),
        Measure(f"its later jobs done, after the last at {rate}/s", behind_s * 1_000, "ms"),
        Measure(f"processor time of one at {rate}/s, ours in all", ours, "ms CPU"),
        *(
            Measure(f"  of it {name}" if name not in {"bench", "channel"} else f"  beside it {name}", spent, "ms CPU")
            for name, spent in cost.items()
        ),
    ]


async def reconciled(house: Soak, conninfo: str, rows: int = DAY_ROWS) -> Measure:
    """Measure reading, keeping and comparing a day's bill of so many rows."""
    account = house.hall.accounts[Channel.WECHAT]
    _book_a_day(house, conninfo, rows)
    raw = _bill(account.merchant_number, account.app_id, rows)
    counter = house.hall.counter
    worker = counter.office.site.worker_database
    provider = counter.providers.of(account)
    before = time.process_time()
    read = statements.read(provider, raw)
    async with worker.unit(house.tenant, house.cashier) as unit:
        await statements.store(unit, house.box, account, _DAY, read)
    async with worker.unit(house.tenant, house.cashier) as unit:
        found = await reconciliation.compare(unit, account.merchant_account_id, _DAY)
    spent = time.process_time() - before
    if found.matched_rows != rows or found.open_breaks:
        raise SystemExit(f"the day does not agree: {found}")
    return Measure(f"a day of {rows:,} rows reconciled", spent, "s CPU", DAY_CPU_S_MAX)


async def wished(house: Soak, conninfo: str, count: int = INSERTS) -> Measure:
    """Measure the creation of an intent against one durable insert."""
    plain, intents = [], []
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
        await connection.execute("create table if not exists bench_row(n bigint primary key, told text)")
        requests = [await house.hall.counter.request(0, amount_fen=100) for _ in range(count)]
        for n, request in enumerate(requests):
            started = time.perf_counter()
            await connection.execute("insert into bench_row values (%s, %s)", (n, "a durable row"))
            plain.append(time.perf_counter() - started)
            started = time.perf_counter()
            async with house.database.unit(house.tenant, house.cashier) as unit:
                await service.create_intent(unit, request)
            intents.append(time.perf_counter() - started)
    ratio = percentile(intents, 0.5) / percentile(plain, 0.5)
    return Measure("an intent / one durable insert", ratio, "x", INTENT_RATIO_MAX)


async def _post(http: httpx.AsyncClient, letter: Letter, arrived: dict[str, float], number: str) -> None:
    arrived[number] = monotonic_s()
    answer = await http.post(letter.path, content=letter.body, headers=letter.headers)
    while answer.status_code != httpx.codes.NO_CONTENT:
        await asyncio.sleep(0.05)
        answer = await http.post(letter.path, content=letter.body, headers=letter.headers)


async def _watch(stand: Stand, numbers: set[str], booked: dict[str, float]) -> None:
    """Note when each receipt is there, looking every few milliseconds until all are."""
    query = "select order_number from payment where order_number is not null"
    async with await psycopg.AsyncConnection.connect(stand.conninfo(SUPERUSER), autocommit=True) as connection:
        while numbers - booked.keys():
            found = {row[0] for row in await (await connection.execute(query)).fetchall()}
            now = monotonic_s()
            for number in found & numbers - booked.keys():
                booked[number] = now
            await asyncio.sleep(0.01)


def _book_a_day(house: Soak, conninfo: str, rows: int) -> None:
    """Put a day of receipts into the book, past every check: the comparison is what is measured."""
    account = house.hall.accounts[Channel.WECHAT]
    with psycopg.connect(conninfo) as connection:
        connection.execute("set session_replication_role = replica")
        row = connection.execute("select to_json(p) from payment p limit 1").fetchone()
        if row is None:
            raise SystemExit("the book has no payment to copy")
        told = row[0]
        names = ", ".join(told)
        fixed = {name: f"p.{name}" for name in told}
        fixed |= {
            "payment_id": "gen_random_uuid()",
            "attempt_id": "gen_random_uuid()",
            "merchant_account_id": f"'{account.merchant_account_id}'::uuid",
            "order_number": "'GHBENCH' || n",
            "transaction_id": "'4200' || n",
            "number": "'BENCH-' || n",
            "amount_fen": "100",
            "ahead_fen": "0",
            "channel": "'wechat'",
            "paid_at": f"timestamptz '{_DAY.isoformat()} 04:00:00+00' + n * interval '300 ms'",
        }
        columns = ", ".join(fixed[name] for name in told)
        connection.execute(
            f"insert into payment ({names}) select {columns} from (select * from payment limit 1) p,"  # noqa: S608
            f" generate_series(1, {rows}) n"
        )


def _bill(merchant: str, app_id: str, rows: int) -> bytes:
    lines = [_HEADER]
    start = timedelta(hours=12)
    for n in range(1, rows + 1):
        at = start + timedelta(milliseconds=300) * n
        clock = f"{_DAY.isoformat()} {at // timedelta(hours=1):02d}:{at.seconds // 60 % 60:02d}:{at.seconds % 60:02d}"
        cells = (
            clock, app_id, merchant, "0", "", f"4200{n}", f"GHBENCH{n}", "o", "NATIVE", "SUCCESS", "OTHERS", "CNY",
            "1.00", "0.00", "0", "0", "0.00", "0.00", "", "", "", "", "0.01000", "0.60%", "1.00", "0.00", "",
        )  # fmt: skip
        lines.append(",".join(f"`{cell}" for cell in cells))
    sums = (f"{rows}.0", f"{rows}.00", "0.00", "0.00", f"{rows / 100:.2f}", f"{rows}.00", "0.00")
    lines += [_FOOTER, ",".join(f"`{cell}" for cell in sums)]
    return ("\ufeff" + "".join(f"{line}\r\n" for line in lines)).encode()


async def measured(folder: Path) -> list[Measure]:
    """Return every measure."""
    async with open_soak(folder / "durable", 6, durable=True) as house:
        found = [await wished(house, house.conninfo(SUPERUSER))]
    async with open_stand(folder / "stand") as stand:
        found += await notified(stand, CALM_NOTIFIED, CALM_RATE, None)
        found += await notified(stand)
    async with open_soak(folder / "fast", 6) as house:
        attempt = await house.hall.start(Channel.WECHAT, 0, amount_fen=100)
        await house.hall.settle(Channel.WECHAT, attempt)
        found.append(await reconciled(house, house.conninfo(SUPERUSER)))
        return found


def sealed() -> list[Measure]:
    """Measure a hundred sealed bills."""
    cost = documents.hundred()
    whole = f"{documents.PAPERS} sealed bills"
    return [
        Measure(f"{whole}: printing", cost.printing_s, "s CPU"),
        Measure(f"{whole}: sealing", cost.sealing_s, "s CPU"),
        Measure(whole, cost.printing_s + cost.sealing_s, "s CPU", documents.CPU_S_MAX),
    ]


def main() -> int:
    """Print every measure and return 0 when all gates hold."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        measures = asyncio.run(measured(Path(folder))) + sealed()
    for one in measures:
        sys.stdout.write(one.line())
    return 0 if all(one.passed for one in measures) else 1


if __name__ == "__main__":
    sys.exit(main())
