"""The audit after the soak: every book against ours, to the fen, and the ledger against its own laws.

It predicts from the channels' own books and from what the load did, and reads ours with its own SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from uuid import UUID

from sqlalchemy import text

from cloud.ledger.auditing import audit
from cloud.payments.channel import ONLINE, Channel
from cloud.reconciliation import service as reconciliation
from cloud.reconciliation import tasks
from common.civil import Period, civil_day
from tests.simulation.soak.house import Soak
from tests.simulation.soak.load import Load

FIRST_DAY = date(2026, 2, 1)  # the day after the month that was billed
_BOOKED = text("select order_number, amount_fen, payment_id from payment where merchant_account_id = :account")
_REFUNDED = text(
    "select refund_number, amount_fen, state from refund where merchant_account_id = :account and route = 'original'"
)
_SUM = text("select coalesce(sum(amount_fen), 0) from payment where channel = :channel")
_SUSPENSE = text("select coalesce(sum(fen), 0) from bank_line where state = 'suspense'")
_MOVED = (
    "select coalesce(sum(case when t.debit_id = a.ledger_account_id then t.fen else -t.fen end), 0)"
    " from transfer t join ledger_account a on a.ledger_account_id in (t.debit_id, t.credit_id)"
    " where t.kind in ('posted', 'post')"
)
_CLEARING = text(f"{_MOVED} and a.type = 'clearing' and a.owner_id = :account")
_UNDER_WAY = text("select count(*) from payment_attempt where state in ('created', 'sent', 'unknown')")
_REFUNDS_UNDER_WAY = text("select count(*) from refund where state not in ('arrived', 'failed', 'rejected')")


@dataclass(frozen=True, slots=True)
class Row:
    """One channel: what its own book says, what ours says, what was lost or doubled, and how far it is explained."""

    channel: str
    paid: int
    booked: int
    paid_fen: int
    booked_fen: int
    refunds: int
    refunded_fen: int
    lost: int
    doubled: int
    refunds_differ: int
    explained: str
    ledger_fen: int

    @property
    def passed(self) -> bool:
        """Return whether both books are equal."""
        equal = self.paid_fen == self.booked_fen and not (self.lost or self.doubled or self.refunds_differ)
        kept = self.ledger_fen == self.booked_fen - self.refunded_fen
        return equal and kept and self.explained in {"-", "100.00 %"}


@dataclass(slots=True)
class Verdict:
    """All rows, the laws of the ledger, and what struck."""

    rows: list[Row]
    facts: dict[str, tuple[object, bool]]
    faults: dict[str, int] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Return whether everything holds."""
        return all(row.passed for row in self.rows) and all(good for _, good in self.facts.values())

    def table(self) -> str:
        """Return the table to print."""
        head = (
            f"{'channel':10}{'paid':>8}{'booked':>8}{'yuan':>16}{'refunds':>9}"
            f"{'yuan back':>14}{'lost':>6}{'double':>7}{'explained':>11}\n"
        )
        lines = [
            f"{row.channel:10}{row.paid:>8}{row.booked:>8}{row.booked_fen / 100:>16,.2f}{row.refunds:>9}"
            f"{row.refunded_fen / 100:>14,.2f}{row.lost:>6}{row.doubled:>7}{row.explained:>11}"
            f"  {'ok' if row.passed else 'FAIL'}\n"
            for row in self.rows
        ]
        facts = [f"{name:44}{value!s:>16}  {'ok' if good else 'FAIL'}\n" for name, (value, good) in self.facts.items()]
        struck = ", ".join(f"{kind} {count}" for kind, count in sorted(self.faults.items()))
        did = ", ".join(f"{kind} {count}" for kind, count in sorted(self.done.items()))
        return f"{head}{''.join(lines)}\n{''.join(facts)}\ndone: {did}\nfaults: {struck}\n"


async def audited(house: Soak, load: Load) -> Verdict:
    """Compare every book."""
    explained = await _reconciled(house, load)
    rows = [await _online(house, channel, explained[channel]) for channel in sorted(ONLINE)]
    rows += [
        await _counted(house, Channel.CASH, load.done["cash"], load.cash_fen),
        await _counted(house, Channel.POS, load.done["card"], load.card_fen),
    ]
    site = house.hall.counter.office.site
    async with house.database.view(house.tenant) as session:
        report = await audit(session, site.community_id)
        suspense = int((await session.execute(_SUSPENSE)).scalar_one())
        banked = int((await session.execute(_SUM, {"channel": "bank"})).scalar_one())
        under_way = int((await session.execute(_UNDER_WAY)).scalar_one())
        refunding = int((await session.execute(_REFUNDS_UNDER_WAY)).scalar_one())
    facts: dict[str, tuple[object, bool]] = {
        "bank transfers: posted + suspense = statement": (banked + suspense, banked + suspense == load.transfer_fen),
        "attempts still under way": (under_way, under_way == 0),
        "refunds still under way": (refunding, refunding == 0),
        "ledger: transfers walked": (report.transfers, report.transfers > 0),
        "ledger: laws broken": (len(report.breaches), not report.breaches),
    }
    return Verdict(rows, facts, dict(load.faults), dict(load.done))


async def _online(house: Soak, channel: Channel, explained: str) -> Row:
    account = house.hall.accounts[channel]
    told = await house.hall.simulator(channel).control("book", mchid=account.merchant_number)
    paid = {one["number"]: one["fen"] for one in told["trades"] if one["state"] in {"SUCCESS", "REFUND"}}
    back = {one["number"]: one["fen"] for one in told["refunds"] if one["state"] == "SUCCESS"}
    async with house.database.view(house.tenant) as session:
        where = {"account": account.merchant_account_id}
        booked = [(row[0], row[1]) for row in await session.execute(_BOOKED, where)]
        refunded = {row[0]: row[1] for row in await session.execute(_REFUNDED, where) if row[2] == "arrived"}
        clearing_fen = int((await session.execute(_CLEARING, where)).scalar_one())
    ours = dict(booked)
    return Row(
        channel=channel.value,
        paid=len(paid),
        booked=len(booked),
        paid_fen=sum(paid.values()),
        booked_fen=sum(fen for _, fen in booked),
        refunds=len(refunded),
        refunded_fen=sum(refunded.values()),
        lost=len(paid.keys() - ours.keys()),
        doubled=len(booked) - len(ours) + len(ours.keys() - paid.keys()),
        refunds_differ=len(set(back.items()) ^ set(refunded.items())),
        explained=explained,
        ledger_fen=clearing_fen,
    )


async def _counted(house: Soak, channel: Channel, count: int, fen: int) -> Row:
    async with house.database.view(house.tenant) as session:
        booked_fen = int((await session.execute(_SUM, {"channel": channel.value})).scalar_one())
        rows = int(
            (
                await session.execute(text("select count(*) from payment where channel = :c"), {"c": channel.value})
            ).scalar_one()
        )
    return Row(
        channel=channel.value,
        paid=count,
        booked=rows,
        paid_fen=fen,
        booked_fen=booked_fen,
        refunds=0,
        refunded_fen=0,
        lost=max(0, count - rows),
        doubled=max(0, rows - count),
        refunds_differ=0,
        explained="-",
        ledger_fen=booked_fen,
    )


async def _reconciled(house: Soak, load: Load) -> dict[Channel, str]:
    """Fetch and compare every day of every channel, and return how far each channel is explained."""
    counter = house.hall.counter
    first = FIRST_DAY
    house.clock.advance(days=2)
    last = civil_day(house.clock.now(), UTC)
    await load.quiet()
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    async with house.database.unit(house.tenant, house.cashier) as unit:
        for channel in sorted(ONLINE):
            for day in days:
                unit.enqueue(tasks.fetch_job(house.hall.accounts[channel].merchant_account_id, day, "soak"))
        unit.record("asked for", "statement_file", house.hall.accounts[Channel.WECHAT].merchant_account_id)
    await counter.work()
    await load.quiet()
    async with house.database.view(house.tenant) as session:
        reports = await reconciliation.day_reports(session, Period(first, last + timedelta(days=1)))
    found: dict[Channel, str] = {}
    by_id: dict[UUID, Channel] = {one.merchant_account_id: channel for channel, one in house.hall.accounts.items()}
    for channel in ONLINE:
        points = [one.figures.explained_basis_points for one in reports if by_id[one.merchant_account_id] is channel]
        share = min(points, default=0)
        found[channel] = f"{share // 100}.{share % 100:02d} %"
    return found
