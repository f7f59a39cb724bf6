"""The site works alone, and nobody is locked out: what went on at the gate and at the meters while others were away.

Windows are known from the plan of the story: the cloud was dead for two days, and the link of one gateway was cut.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tests.simulation import plan
from tests.simulation.promises import registers, wire
from tests.simulation.promises.registers import Place
from tests.simulation.promises.stores import Comparison, Figures, Look, instant_of_ms, json_lines
from tests.simulation.site import ZONE

_MOMENT = timedelta(seconds=1)  # the story acts one second after midnight
_OPENS_WITHIN = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """While a gateway could not reach the cloud; both ends are instants at which the story acted."""

    gateway: str
    start: datetime
    end: datetime


def _windows(look: Look) -> Iterator[Window]:
    for gateway in look.stores.gateways:
        yield Window(
            gateway=gateway, start=plan.local(plan.CLOUD_KILLED) + _MOMENT, end=plan.local(plan.CLOUD_BACK) + _MOMENT
        )
    yield Window(gateway="g1", start=plan.local(plan.LINK_CUT) + _MOMENT, end=plan.local(plan.LINK_BACK) + _MOMENT)


def _works_alone(look: Look) -> Figures:
    """Count the registers that were due while a gateway was alone, and those that reached the cloud afterwards."""
    of_gateway = _meters_of(look)
    faults = wire.unreadable(look.once(wire.batches))
    due_count, arrived_count = 0, 0
    for window in _windows(look):
        gateway_id = _id_of(look, window.gateway)
        arrived = _arrived(look, gateway_id)
        due = {
            place
            for place in look.once(registers.shown).all
            if of_gateway.get(place[0]) == gateway_id and window.start < instant_of_ms(place[2]) <= window.end
        }
        late = {place for place in due if place in arrived and arrived[place] >= window.end}
        due_count += len(due)
        arrived_count += len(late)
        within = sum(window.start < moment < window.end for moment in arrived.values())
        if within:
            faults.append(f"{within} registers of {window.gateway} arrived while it could not reach the cloud")
        if not due:
            faults.append(f"nothing was due at {window.gateway} from {window.start:%m-%d} to {window.end:%m-%d}")
    return Figures(left=due_count, right=arrived_count, faults=tuple(faults))


def _id_of(look: Look, gateway: str) -> UUID:
    """Return the id of a gateway, from the certificate that it keeps."""
    signed = wire.take_apart(look.stores.certificate(gateway).read_bytes())
    return UUID(bytes=wire.unfold(signed)[1] if signed is not None else bytes(16))


def _meters_of(look: Look) -> dict[UUID, UUID]:
    """Return by which gateway each meter was heard."""
    return {reading.meter_id: batch.key[0] for batch in look.once(wire.batches) for reading in batch.readings}


def _arrived(look: Look, gateway_id: UUID) -> dict[Place, datetime]:
    return {
        (reading.meter_id, reading.quantity, reading.slot_ms): instant_of_ms(batch.received_ms)
        for batch in look.once(wire.batches)
        if batch.key[0] == gateway_id
        for reading in batch.readings
    }


def _gate_while_cut(look: Look) -> Figures:
    """Count the cars that came while the link was cut and the bars that opened; the kiosk must have answered too."""
    start, end = plan.local(plan.LINK_CUT), plan.local(plan.LINK_BACK)
    entries = [entry for entry in json_lines(look.stores.gate_log) if start < datetime.fromisoformat(entry["at"]) < end]
    cars = [datetime.fromisoformat(entry["at"]) for entry in entries if entry["kind"] == "plate"]
    opened = _openings(entries)
    looks = [seen["status"] for seen in look.story["kiosk"] if "link is cut" in seen["when"]]
    faults = [] if looks else ["nobody looked at the kiosk while the link was cut"]
    faults += [f"the kiosk answered {status}" for status in looks if status != 200]
    return Figures(
        left=len(cars) + len(looks),
        right=sum(_opens(opened, at) for at in cars) + looks.count(200),
        faults=tuple(faults),
    )


def _openings(entries: list[dict[str, Any]]) -> list[datetime]:
    return [datetime.fromisoformat(entry["at"]) for entry in entries if entry["kind"] == "open"]


def _opens(openings: list[datetime], at: datetime) -> bool:
    return any(timedelta(0) <= opening - at <= _OPENS_WITHIN for opening in openings)


def _nobody_locked_out(look: Look) -> Figures:
    """Count the cars that wanted out and the households that owed past the due day, and those let out and supplied."""
    entries = json_lines(look.stores.gate_log)
    openings = _openings(entries)
    plates = {hashlib.sha256(entry["plate"].encode()).hexdigest() for entry in entries if entry["kind"] == "plate"}
    leaving, opened = 0, 0
    passes: Counter[str] = Counter()
    faults = []
    for seen in look.story["gate"]:
        passes[seen["plate_sha"]] += 1
        if seen["plate_sha"] not in plates or passes[seen["plate_sha"]] % 2:
            continue  # a car that drives in
        leaving += 1
        if _opens(openings, datetime.fromisoformat(seen["at"])):
            opened += 1
        else:
            faults.append(f"the bar stayed shut for a car that left at {seen['at']}")
    owing = _owing_meters(look)
    supplied = _supplied(look)
    faults += [f"meter {str(meter)[-6:]} of a household in debt stands still" for meter in owing - supplied]
    if not owing:
        faults.append("nobody owed anything past its due day, so nothing is shown")
    return Figures(left=leaving + len(owing), right=opened + len(owing & supplied), faults=tuple(faults))


def _owing_meters(look: Look) -> set[UUID]:
    """Return the meters of the flats whose bills were still open at the end, past their due day."""
    rows = look.rows(
        """
        select distinct i.meter_id
          from bill b
          join account a using (tenant_id, community_id, account_id)
          join premises p using (tenant_id, community_id, premises_id)
          join meter_installation i using (tenant_id, community_id, premises_id)
          join meter m using (tenant_id, meter_id)
         where b.due_on < %s and p.kind = 'residence' and m.resource = 'electricity'
           and (select coalesce(sum(case when d.type = 'receivable' then t.fen else -t.fen end), 0)
                  from transfer t join ledger_account d
                    on d.tenant_id = t.tenant_id and d.ledger_account_id = t.debit_id
                 where t.tenant_id = b.tenant_id and t.bill_id = b.bill_id) > 0
        """,
        look.now.astimezone(ZONE).date(),
    )
    return {row.meter_id for row in rows}


def _supplied(look: Look) -> set[UUID]:
    """Return the meters whose registers still rose in the last days."""
    rows = look.rows(
        """
        select meter_id from meter_day_block where quantity = 'energy_forward' and day > %s
         group by meter_id having max(last_milli) > min(first_milli)
        """,
        (look.now - timedelta(days=8)).date(),
    )
    return {row.meter_id for row in rows}


WORKS_ALONE = Comparison(
    key="works_alone",
    promise=6,
    name_zh="断网照常工作",
    name_en="The site works alone",
    compared_zh="云端停机与断网期间应读的读数 与 恢复后补到云端的读数",
    compared_en="registers due while the cloud was dead or the link cut | those that arrived once it was back",
    figures=_works_alone,
)
GATE_WHILE_CUT = Comparison(
    key="gate_while_cut",
    promise=None,
    name_zh="断网时的道闸与自助终端",
    name_en="Gate and kiosk while the link was cut",
    compared_zh="断网期间的来车与自助终端访问 与 抬杆与正常应答",
    compared_en="cars and looks at the kiosk while the link was cut | bars opened and pages answered",
    figures=_gate_while_cut,
)
NOBODY_LOCKED_OUT = Comparison(
    key="nobody_locked_out",
    promise=9,
    name_zh="不因欠费拦人断供",
    name_en="Nobody is locked out",
    compared_zh="要出场的车与逾期欠费的住户 与 已放行的车与仍在用电的欠费住户",
    compared_en="cars leaving and households in overdue debt | cars let out and such households still supplied",
    figures=_nobody_locked_out,
)
