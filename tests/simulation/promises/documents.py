"""Issued is immutable, and what a correction touches: bills as they stand against what the office saw at issue."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from tests.simulation.promises.stores import Comparison, Figures, Look

_LINE_FIELDS = [
    "n",
    "charge_code",
    "name_zh",
    "name_en",
    "nature",
    "fund_class",
    "legal_entity_id",
    "service_start",
    "service_end",
    "component",
    "quantity_milli",
    "price_micro",
    "fen",
    "net_fen",
    "tax_fen",
    "tax_code",
    "tariff_code",
    "tariff_from",
    "tariff_rev",
    "estimated",
    "corrects_bill_id",
    "corrects_n",
    "trace",
]
_BILL_FIELDS = [
    "bill_id",
    "number",
    "kind",
    "account_id",
    "start",
    "end",
    "issued_at",
    "issued_on",
    "due_on",
    "total_fen",
    "case_id",
]


def _bills(look: Look) -> list[Any]:
    return look.rows("""
        select bill_id, number, kind, account_id, period_start as start, period_end as end, issued_at, issued_on,
               due_on, total_fen, line_count, case_id
          from bill order by number
    """)


def _lines(look: Look) -> dict[UUID, list[Any]]:
    lines: dict[UUID, list[Any]] = defaultdict(list)
    for line in look.rows("select *, effective_from as tariff_from, rev as tariff_rev from bill_line order by n"):
        lines[line.bill_id].append(line)
    return lines


def _issued_is_immutable(look: Look) -> Figures:
    """Compare the hash of each bill at its issue with the rows now, written out as the office reads them."""
    noted = look.story["bills"]
    lines = _lines(look)
    unchanged = 0
    faults = []
    standing = {str(bill.bill_id): bill for bill in _bills(look)}
    for bill_id, seen in noted.items():
        bill = standing.get(bill_id)
        if bill is None or _sha(bill, lines[bill.bill_id]) != seen["sha"]:
            faults.append(f"bill {seen['number']} is {'gone' if bill is None else 'not what was issued'}")
        else:
            unchanged += 1
    for bill_id, bill in standing.items():
        own = lines[bill.bill_id]
        if bill.kind != "adjustment" and bill_id not in noted:
            faults.append(f"bill {bill.number} was not there when bills were issued")
        if (len(own), sum(line.fen for line in own)) != (bill.line_count, bill.total_fen):
            faults.append(f"bill {bill.number} is not the sum of its lines")
    return Figures(left=len(noted), right=unchanged, faults=tuple(faults))


def _sha(bill: Any, lines: list[Any]) -> str:
    fixed = {name: _plain(getattr(bill, name)) for name in _BILL_FIELDS}
    printed = [{name: _plain(getattr(line, name)) for name in _LINE_FIELDS} for line in lines]
    return hashlib.sha256(json.dumps([fixed, printed], sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Return a value as it is written in JSON: ids and days as text, instants in UTC with a Z."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value if value is None or isinstance(value, bool | int | str | dict) else str(value)


def _correction_reached_all(look: Look) -> Figures:
    """Find the lines rated from the misread register, and those that an adjustment corrects.

    A second application must have written nothing; paid lines must be among those corrected.
    """
    revised = {
        (str(row.meter_id), row.quantity, round(row.read_at.timestamp() * 1000))
        for row in look.rows("select meter_id, quantity, read_at from reading_revision")
    }
    affected, corrected, paid = 0, 0, 0
    faults = [] if revised else ["no reading was revised"]
    adjusted = _adjusted(look)
    for line in look.rows("""
        select l.bill_id, l.n, b.number, l.trace,
               exists (select from transfer t join payment p using (tenant_id, community_id, journal_id)
                        where t.tenant_id = l.tenant_id and t.bill_id = l.bill_id and t.line_n = l.n) as paid
          from bill_line l join bill b using (tenant_id, community_id, bill_id)
         where l.basis = 'metered' and l.corrects_bill_id is null and b.kind <> 'adjustment'
    """):
        if not revised & {_register(line.trace[name]) for name in ("from_register", "to_register")}:
            continue
        affected += 1
        paid += line.paid
        if (line.bill_id, line.n) in adjusted:
            corrected += 1
        else:
            faults.append(f"{line.number}/{line.n} was rated from the misread register and is not corrected")
    if not paid:
        faults.append("no paid bill was affected, so nothing is shown for paid ones")
    faults += _story_of_corrections(look)
    return Figures(left=affected, right=corrected, faults=tuple(faults))


def _adjusted(look: Look) -> set[tuple[UUID, int]]:
    """Return the lines that an adjustment of an applied case corrects."""
    return {
        (row.corrects_bill_id, row.corrects_n)
        for row in look.rows("""
            select l.corrects_bill_id, l.corrects_n
              from bill_line l
              join bill b using (tenant_id, community_id, bill_id)
              join correction_case c using (tenant_id, community_id, case_id)
             where b.kind = 'adjustment' and c.state = 'applied' and l.corrects_bill_id is not null
        """)
    }


def _register(register: dict[str, Any] | None) -> tuple[str, str, int] | None:
    if register is None:
        return None
    at = datetime.fromisoformat(register["read_at"])
    return register["meter_id"], register["quantity"], round(at.timestamp() * 1000)


def _story_of_corrections(look: Look) -> list[str]:
    """Compare what the story saw of both applications with the adjustments that stand."""
    first, second = (look.story["corrections"] + [None, None])[:2]
    if first is None or second is None:
        return ["the correction was not applied twice"]
    standing = {str(bill.bill_id) for bill in _bills(look) if bill.kind == "adjustment"}
    faults = [] if not second["bills"] else ["applying the correction again wrote documents"]
    told = {text for text in _texts(first["bills"]) if text in standing}
    if told != standing:
        faults.append(f"{len(standing)} adjustments stand, {len(told)} came from the first application")
    return faults


def _texts(value: Any) -> list[str]:
    """Return every text inside a JSON value."""
    if isinstance(value, str):
        return [value]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for item in inside for text in _texts(item)]


IMMUTABLE = Comparison(
    key="immutable",
    promise=4,
    name_zh="已出账单不可改",
    name_en="Issued is immutable",
    compared_zh="出账时记下的账单 与 现在仍逐字相同的账单",
    compared_en="bills noted when issued | bills whose rows are still the same to the letter",
    figures=_issued_is_immutable,
)
CORRECTED = Comparison(
    key="corrected",
    promise=None,
    name_zh="更正到每一张受影响的账单",
    name_en="The correction reached every bill",
    compared_zh="按误读数出的账单行（含已付） 与 其中有调整单的行；再次更正未写入",
    compared_en="lines rated from the misread register, paid ones too | those with an adjustment; again wrote nothing",
    figures=_correction_reached_all,
)
