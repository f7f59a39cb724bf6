"""One price, and unknown is never zero: what gateways estimated, what the cloud billed, and what nobody could know.

Estimates are read from the signed batches, not from the cloud's copy of them.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any
from uuid import UUID

from tests.simulation import plan
from tests.simulation.promises import registers, wire
from tests.simulation.promises.stores import Comparison, Figures, Look

_BILLED_OF = {"electricity": "energy_forward", "water": "volume"}
Charged = tuple[UUID, str, date, date]  # meter, charge, first day, day after the last


def _estimates(look: Look) -> dict[Charged, int]:
    """Return the newest estimate of each meter, charge and period."""
    return {
        (UUID(bytes=meter), charge, date.fromisoformat(start), date.fromisoformat(end)): fen
        for batch in look.once(wire.batches)
        for meter, charge, start, end, _, fen, *_ in batch.of_kind(wire.PROVISIONAL)
    }


def _billed(look: Look) -> dict[tuple[UUID, str], list[Any]]:
    """Return the lines that were first issued for meters, by meter and charge."""
    lines: dict[tuple[UUID, str], list[Any]] = defaultdict(list)
    for line in look.rows("""
        select l.subject, l.charge_code, l.service_start, l.service_end, l.fen
          from bill_line l join bill b using (tenant_id, community_id, bill_id)
         where l.basis = 'metered' and l.corrects_bill_id is null and b.kind <> 'adjustment'
         order by l.service_start
    """):
        lines[UUID(line.subject), line.charge_code].append(line)
    return lines


def _alarms(look: Look) -> set[tuple[UUID, str]]:
    """Return the differences that the cloud itself raised, by meter and by charge and period."""
    query = "select object_id, subject from open_case where reason = 'estimate_differs' and closed_at is null"
    return {(row.object_id, row.subject) for row in look.rows(query)}


def _one_price(look: Look) -> Figures:
    billed, alarms = _billed(look), _alarms(look)
    faults = wire.unreadable(look.once(wire.batches))
    estimated_fen, billed_fen = 0, 0
    covered = set()
    for (meter_id, charge, start, end), fen in _estimates(look).items():
        parts = [line for line in billed[meter_id, charge] if start <= line.service_start and line.service_end <= end]
        covered |= {(meter_id, charge, line.service_start) for line in parts}
        ours = sum(line.fen for line in parts)
        explained = any(meter == meter_id and f"{charge} {start}" in subject for meter, subject in alarms)
        if explained:
            continue
        estimated_fen += fen
        if parts and abs(ours - fen) < len(parts):
            billed_fen += fen  # the same price: where a meter changed hands, each payer's line is rounded by itself
        else:
            billed_fen += ours
            faults.append(f"{str(meter_id)[-6:]} {charge} {start}: the gateway says {fen}, the bill {ours}")
    for (meter_id, charge), lines in billed.items():
        faults += [
            f"{str(meter_id)[-6:]} {charge} {line.service_start}: billed and never estimated"
            for line in lines
            if (meter_id, charge, line.service_start) not in covered
        ]
    return Figures(left=estimated_fen, right=billed_fen, faults=tuple(faults))


def _unknown_is_never_zero(look: Look) -> Figures:
    """Count the meter-months that lack a register at an end, and those of them with an exception and no line."""
    known = {(place[0], place[1], place[2]) for place, _ in look.once(registers.stored)}
    known |= {
        (row.meter_id, row.quantity, round(row.read_at.timestamp() * 1000))
        for row in look.rows(
            "select meter_id, quantity, read_at from reading_revision r where value_milli is not null"
            " and not exists (select from reading_revision n where n.meter_id = r.meter_id"
            " and n.quantity = r.quantity and n.read_at = r.read_at and n.rev > r.rev)"
        )
    }
    excepted = _excepted(look)
    lines = _billed(look)
    unknown, open_and_unbilled = 0, 0
    faults = []
    for month in _meter_months(look):
        quantity = _BILLED_OF[month.resource]
        if all((month.meter_id, quantity, _midnight_ms(day)) in known for day in (month.first, month.end)):
            continue
        unknown += 1
        own = [line for line in lines[month.meter_id, month.resource] if month.first <= line.service_start < month.end]
        if own:
            faults.append(f"{month.serial} {month.first}: billed {sum(line.fen for line in own)} without a register")
        elif not any(str(month.meter_id) in subject and month.first.isoformat() in subject for subject in excepted):
            faults.append(f"{month.serial} {month.first}: no register and no exception")
        else:
            open_and_unbilled += 1
    return Figures(left=unknown, right=open_and_unbilled, faults=tuple(faults))


def _excepted(look: Look) -> list[str]:
    """Return what the open exceptions with an owner are about; a rating exception names its meter and its month."""
    query = "select subject from open_case where kind = 'exception' and closed_at is null and owner_role <> ''"
    return [row.subject for row in look.rows(query)]


def _meter_months(look: Look) -> list[Any]:
    """Return every meter of premises with every month that was billed in its community."""
    return look.rows("""
        select distinct i.meter_id, m.serial, m.resource, p.period_start as first, p.period_end as end
          from meter_installation i
          join meter m using (tenant_id, meter_id)
          join billing_period p using (tenant_id, community_id)
         where i.premises_id is not null and i.starts <= p.period_start
           and exists (select from bill b where b.tenant_id = p.tenant_id and b.community_id = p.community_id
                        and b.period_start = p.period_start)
    """)


def _midnight_ms(day: date) -> int:
    return round(plan.local(day).timestamp() * 1000)


ONE_PRICE = Comparison(
    key="one_price",
    promise=3,
    name_zh="一个价格",
    name_en="One price",
    compared_zh="网关按月预估的金额（分） 与 云端对同一表具同一月份开出的金额（分）",
    compared_en="fen that gateways estimated | fen first billed for the same meters and months",
    figures=_one_price,
)
NEVER_ZERO = Comparison(
    key="never_zero",
    promise=5,
    name_zh="缺数不等于零",
    name_en="Unknown is never zero",
    compared_zh="缺少止度或起度的表月数 与 其中有未结异常且没有账单行的表月数",
    compared_en="meter-months without a register at an end | those with an open exception and no line",
    figures=_unknown_is_never_zero,
)
