"""The story: three months of a house, told day by day over real wires and real HTTP.

Each day business time moves to midnight and waits until every gateway that runs has done its work. Everything the
story does, a person could do: the office over `/api/v1`, residents at the cashier address, cars before the camera.
What it saw goes to `story.json`, for the comparison that follows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

from common.civil import month_of
from tests.simulation import plan
from tests.simulation.house import House, Say
from tests.simulation.money import Money
from tests.simulation.office import Office
from tests.simulation.plan import GARDEN, ROLES
from tests.simulation.processes import wait_until
from tests.simulation.site import ELECTRICITY

SLOT_SECONDS = 60.0
RUN_SECONDS = 120.0
_MOMENT = timedelta(seconds=1)
_DUE_DAYS = 20
_QUARTER = timedelta(minutes=15)
_QUARTERS = 96
_AT_ONCE = 4  # clerks who note the bills


class Story:
    """One telling of the story in a house that runs."""

    def __init__(self, house: House, say: Say) -> None:
        self.house = house
        self.say = say
        self._file = house.folder / "story.json"
        lists = ("payments", "gate", "kiosk", "corrections", "days", "closed")
        self.seen: dict[str, Any] = {name: [] for name in lists} | {"bills": {}}
        if self._file.exists():
            self.seen = json.loads(self._file.read_text(encoding="utf-8"))
        self._managers: dict[str, Office] = {}
        self.money = Money(house, self.seen, self._managers)

    def tell(self) -> None:
        """Tell all of it, or what is left of it when an earlier telling was interrupted."""
        self._sign_in()
        for month in plan.MONTHS:
            self._create_periods(month)
            period = month_of(month)
            for day in plan.days(period.start, period.end - timedelta(days=1)):
                self._tell_day(day)
            if month.isoformat() not in self.seen["closed"]:
                self._close_month(month)
                self.seen["closed"].append(month.isoformat())
                self.save()
        for day in plan.days(plan.AFTER, plan.CORRECTION_DAY):
            self._tell_day(day)
        if not self.seen["corrections"]:
            self._correct()
        self._drain()
        self.seen["told"] = True
        self.save()

    @property
    def told(self) -> bool:
        """Return whether the story was told to its end."""
        return bool(self.seen.get("told"))

    def _tell_day(self, day: date) -> None:
        if day.isoformat() <= self.seen.get("day", ""):
            return
        self._live(day)
        self.seen["day"] = day.isoformat()
        self.save()

    def save(self) -> None:
        """Write what was seen."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(self.seen, ensure_ascii=False, indent=1), encoding="utf-8")
        fresh.replace(self._file)

    def close(self) -> None:
        """Close the connections of the office."""
        for office in (*self._managers.values(), *self.money.cashiers.values()):
            office.close()

    def _sign_in(self) -> None:
        for company in self.house.codes["companies"]:
            self._managers[company] = self.house.office(f"story-manager-{company}")
            self.money.cashiers[company] = self.house.office(f"story-cashier-{company}")

    def _communities(self) -> Iterable[tuple[str, str, str]]:
        """Return company, community and community id of all communities."""
        for company in self.house.site.template["companies"]:
            for community in company["communities"]:
                yield company["code"], community["code"], self.house.codes["communities"][community["code"]]

    def _create_periods(self, month: date) -> None:
        period = month_of(month)
        for company, _, community_id in self._communities():
            self._managers[company].post(
                f"/communities/{community_id}/billing-periods",
                start=period.start.isoformat(),
                end=period.end.isoformat(),
                due_on=(period.end + timedelta(days=_DUE_DAYS)).isoformat(),
            )

    def _live(self, day: date) -> None:
        """Let one day begin and pass: faults, cars, payments and comparisons as planned."""
        scenes: dict[date, Callable[[], None]] = {
            plan.CLOUD_KILLED: self._kill_cloud,
            plan.CLOUD_BACK: self._restart_cloud,
            plan.LINK_CUT: self._cut_link,
            plan.LINK_BACK: self._mend_link,
            plan.SALE_DAY: self._sell,
            plan.GATEWAY_KILLED: lambda: self._kill_gateway(day),
        }
        self._reach(plan.local(day) + _MOMENT)
        if day == plan.DENSE_DAY:
            for quarter in range(1, _QUARTERS):
                self._reach(plan.local(day) + quarter * _QUARTER + _MOMENT)
        if day in scenes:
            scenes[day]()
        for stay in plan.stays(self.house.site):
            for moment in (stay.enters, stay.leaves):
                if moment.date() == day:
                    self._pass_gate(moment, stay.plate)
        if day >= month_of(plan.MONTHS[0]).end:
            if day.day in plan.PAY_DAYS:
                self._reach(plan.local(day, 9))
                self.money.pay(day)
            if day.day - 1 in plan.PAY_DAYS:
                self._reach(plan.local(day, 10, 10))
                self.money.reconcile(day - timedelta(days=1))

    def _reach(self, instant: datetime) -> None:
        """Move business time to an instant and wait for the gateways that run."""
        self.house.conductor.advance_to(instant.astimezone(UTC))
        for gateway in self.house.gateways:
            process = self.house.processes[gateway]
            if process.running:
                wait_until(
                    lambda gateway=gateway: self._done(gateway),  # type: ignore[misc]
                    what=f"gateway {gateway} at {instant}",
                    seconds=SLOT_SECONDS,
                    watched=[process],
                )

    def _done(self, gateway: str) -> bool:
        status = self.house.status(gateway)
        if status is None or status["completed_slot"] is None:
            return False
        due = self._due_slot()
        return datetime.fromisoformat(status["completed_slot"]) >= due

    def _due_slot(self) -> datetime:
        """Return the newest slot that is due: the quarter hour on the dense day and its end, else midnight."""
        local = self.house.conductor.now().astimezone(plan.local(plan.AFTER).tzinfo)
        midnight = plan.local(local.date())
        if local.date() != plan.DENSE_DAY:
            return midnight
        return midnight + (local - midnight) // _QUARTER * _QUARTER

    def _kill_cloud(self) -> None:
        self.say("云端被强行终止 the cloud is killed")
        self.house.kill_cloud()

    def _restart_cloud(self) -> None:
        self.say("云端恢复 the cloud is back")
        self.house.start_cloud()

    def _cut_link(self) -> None:
        self.say("翠湖网关断网一天 the link of g1 is cut for a day")
        self.house.links["g1"].cut()
        self._look_at_kiosk("g1", "while the link is cut")

    def _mend_link(self) -> None:
        self.say("网络恢复 the link is mended")
        self.house.links["g1"].mend()

    def _kill_gateway(self, day: date) -> None:
        self.say("滨江网关被强行终止并重启 gateway g2 is killed and started again")
        self.house.processes["g2"].kill()
        self.house.conductor.advance_to(plan.local(day, 13).astimezone(UTC))
        self.house.start_gateway("g2")

    def _sell(self) -> None:
        self.say("一户月中过户 one household sells")
        office, community_id = self._garden()
        seller = office.premises(community_id, plan.SALE_DAY)[ROLES.seller]
        relations = office.get(f"/premises/{seller['id']}/relations")
        owner = next(relation["party_id"] for relation in relations if relation["role"] == "owner")
        buyer = office.post("/parties", kind="person", name="买家甲")["id"]
        office.post(f"/premises/{seller['id']}/sale", from_party=owner, to_party=buyer, day=plan.SALE_DAY.isoformat())
        self.seen["sale"] = {"premises_id": seller["id"], "from": owner, "to": buyer}

    def _garden(self) -> tuple[Office, str]:
        return self._managers["cuihu"], self.house.codes["communities"][GARDEN]

    def _pass_gate(self, moment: datetime, plate: str) -> None:
        """Let a car stand before the camera and see the barrier open."""
        before = self._opened()
        self.house.conductor.advance_to(moment.astimezone(UTC))
        wait_until(
            lambda: self._opened() > before,
            what=f"the barrier at {moment}",
            seconds=SLOT_SECONDS,
            watched=[self.house.processes["g1"], self.house.processes["devices"]],
        )
        self.seen["gate"].append({"at": moment.isoformat(), "plate_sha": sha256(plate.encode()).hexdigest()})

    def _opened(self) -> int:
        log = self.house.folder / "devices" / "exchanges-gate.jsonl"
        return sum(json.loads(line)["kind"] == "open" for line in log.read_text(encoding="utf-8").splitlines())

    def _look_at_kiosk(self, gateway: str, when: str) -> None:
        page = self.house.http.get(f"{self.house.pages_url(gateway)}/")
        self.seen["kiosk"].append({"gateway": gateway, "when": when, "status": page.status_code})

    def _drain(self) -> None:
        """Wait until every gateway's rows are sealed, sent and answered."""
        for gateway in self.house.gateways:
            wait_until(
                lambda gateway=gateway: self._drained(gateway),  # type: ignore[misc]
                what=f"the backlog of {gateway}",
                seconds=SLOT_SECONDS,
                watched=[self.house.processes[gateway]],
            )

    def _drained(self, gateway: str) -> bool:
        status = self.house.status(gateway)
        if status is None:
            return False
        store = status["store"]
        waiting = store["batches_pending"] + store["readings_waiting"] + store["events_waiting"]
        return bool(waiting == 0)

    def _close_month(self, month: date) -> None:
        """Let the first day of the next month begin, and issue the bills of the month that ended."""
        period = month_of(month)
        self._reach(plan.local(period.end) + _MOMENT)
        self._drain()
        self._reach(plan.local(period.end, 6))
        for company, community, community_id in self._communities():
            office = self._managers[company]
            self._wait_for_readings(office, community, community_id, month)
            office.post(f"/communities/{community_id}/billing-periods/{month.isoformat()}/run")
        for company, community, community_id in self._communities():
            self._wait_for_bills(self._managers[company], community, community_id, month)
        self._note_bills(month)

    def _wait_for_readings(self, office: Office, community: str, community_id: str, month: date) -> None:
        """Wait until no register of the closing midnight is missing but that of the dead meter."""
        expected = 1 if community == GARDEN and month == plan.MONTHS[1] else 0

        closing = month_of(month).end

        def complete() -> bool:
            asked = {"start": closing.isoformat(), "end": (closing + timedelta(days=1)).isoformat()}
            return len(office.get(f"/communities/{community_id}/meter-holes", **asked)) <= expected

        wait_until(complete, what=f"the readings of {community} for {month}", seconds=RUN_SECONDS)

    def _wait_for_bills(self, office: Office, community: str, community_id: str, month: date) -> None:
        previous = -1

        def settled() -> bool:
            nonlocal previous
            progress = office.period(community_id, month)
            done = progress["issued"] + progress["waived"] > 0 and progress["issued"] == previous
            previous = progress["issued"]
            return bool(done or progress["issued"] + progress["waived"] == progress["due"])

        wait_until(settled, what=f"the bills of {community} for {month}", seconds=RUN_SECONDS)
        progress = office.period(community_id, month)
        self.say(
            f"{community} {month:%Y-%m}: {progress['documents']} 张账单 bills, {progress['total_fen'] / 100:.2f} 元"
        )

    def _note_bills(self, month: date) -> None:
        """Remember each issued bill as it stood when it was issued."""
        for company, _, community_id in self._communities():
            office = self._managers[company]
            premises = office.premises(community_id, month)
            with ThreadPoolExecutor(_AT_ONCE) as clerks:
                told = clerks.map(partial(self._fresh_bills, office), [one["id"] for one in premises.values()])
                for label, bills in zip(premises, told, strict=True):
                    for bill in bills:
                        self.seen["bills"][bill["bill"]["bill_id"]] = {
                            "company": company,
                            "community_id": community_id,
                            "label": label,
                            "month": month.isoformat(),
                            "number": bill["bill"]["number"],
                            "total_fen": bill["bill"]["total_fen"],
                            "sha": issued_sha(bill),
                        }

    def _fresh_bills(self, office: Office, premises_id: str) -> list[dict[str, Any]]:
        """Return the bills of a premises that were not noted yet, as they stand."""
        bills = office.get(f"/premises/{premises_id}/bills")
        return [office.get(f"/bills/{bill['bill_id']}") for bill in bills if bill["bill_id"] not in self.seen["bills"]]

    def _correct(self) -> None:
        """Correct the misread register: preview, apply, and apply again."""
        self.say("更正一次抄表 a reading is corrected")
        office, community_id = self._garden()
        meter = self.house.site.meter_of(GARDEN, ROLES.misread, ELECTRICITY)
        premises = office.premises(community_id, plan.CORRECTION_DAY)[ROLES.misread]
        meter_id = self._meter_id(office, community_id, meter.serial)
        for day in plan.MISREAD:
            office.post(
                f"/communities/{community_id}/reading-revisions",
                meter_id=meter_id,
                quantity="energy_forward",
                read_at=plan.local(day).isoformat(),
                value_milli=self.house.site.load(meter).total_milli(plan.local(day).astimezone(UTC)),
                reason="复核照片，抄表误读 misread, seen on the photo",
            )
        for attempt in (1, 2):
            case = office.post(
                f"/communities/{community_id}/corrections",
                cause="reading",
                premises=[premises["id"]],
                first_day=plan.MONTHS[0].isoformat(),
                reason="抄表误读 misread register",
            )
            path = f"/communities/{community_id}/corrections/{case['case_id']}"
            preview = office.get(f"{path}/preview")
            bills = office.post(f"{path}/approval", preview_sha=preview["sha"])
            self.seen["corrections"].append({"attempt": attempt, "preview": preview, "bills": bills})

    def _meter_id(self, office: Office, community_id: str, serial: str) -> str:
        asked = {"start": plan.MONTHS[0].isoformat(), "end": plan.AFTER.isoformat()}
        meters = office.get(f"/communities/{community_id}/meters", **asked)
        found: str = next(meter["meter_id"] for meter in meters if meter["serial"] == serial)
        return found


def issued_sha(told: dict[str, Any]) -> str:
    """Return a hash over what of a bill must never change; what is open on it may."""
    fixed = {name: value for name, value in told["bill"].items() if name != "open_fen"}
    lines = [{name: value for name, value in line.items() if name != "open_fen"} for line in told["lines"]]
    return sha256(json.dumps([fixed, lines], sort_keys=True).encode()).hexdigest()
