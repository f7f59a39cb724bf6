"""One month of a real house, told once for several tests: every process runs, then the cloud is killed and stays dead.

    days of January: a car comes and goes, one register jumps, one meter falls silent over the turn of the month
    ─► bills of the garden ─► one household pays by WeChat ─► the dues reach the kiosks ─► SIGKILL of API and worker

Everything reaches the cloud as it does in the field: wire, gateway store, sealed batch, ingest. What only the cloud
could tell is asked before it dies and kept in `January`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg

from cloud.kit.postgres import EmbeddedPostgres
from common.ids import uuid7
from tests.simulation import plan
from tests.simulation.demo import SEED
from tests.simulation.house import House
from tests.simulation.office import cashier_page, pay_at_link, sign_in
from tests.simulation.people import Resident, residents_of
from tests.simulation.plan import GARDEN, ROLES, local
from tests.simulation.processes import wait_until
from tests.simulation.site import ELECTRICITY, DemoSite, compose

MONTH, NEXT = date(2026, 1, 1), date(2026, 2, 1)
JUMP_DAY = date(2026, 1, 14)
SYNCED = local(NEXT, 7)
KILLED = local(NEXT, 8, 30)
HOUSEHOLD = ROLES.never_pays
SILENT = ROLES.dead_meter
JUMPING = ROLES.misread
PAYER = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
STRANGER = {"name": "欧阳不记", "phone": "19900009876"}
_JUMP_MILLI = 3_000_000  # 3000 kWh in a day, beyond what the wires of a flat carry
_SECONDS = 60.0
_MOMENT = timedelta(seconds=1)
_CODE = re.compile(r"data-lookup-code>(\d{6})<")


@dataclass(slots=True, kw_only=True)
class January:
    """The house after its month, the cloud dead, with what the cloud had told before."""

    house: House
    premises: dict[str, dict[str, Any]]
    bills: dict[str, list[dict[str, Any]]]
    documents: dict[str, dict[str, Any]]
    cases: list[dict[str, Any]]
    relations: list[dict[str, Any]]
    metrics: str
    lookup_code: str
    let_door: str
    token: str

    @property
    def kiosk(self) -> str:
        """Return the address of the garden's kiosk."""
        return self.house.pages_url("g1")

    def lookup_code_of(self, door: str) -> str:
        """Return the code of the account that the bill of a door stands on."""
        account_id = self.bills[door][0]["account_id"]
        ((code,),) = self.ask("select lookup_code from account where account_id = %s", account_id)
        return str(code)

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return what the database answers past row security; it outlives the cloud's processes."""
        with psycopg.connect(self.house.stores().conninfo) as connection:
            return connection.execute(query.encode(), values).fetchall()


def let_flat(site: DemoSite) -> tuple[str, Resident, Resident]:
    """Return the first flat of the garden that is let, with its owner and its tenant."""
    for door in site.premises:
        people = residents_of(site.seed, GARDEN, door.label)
        if door.community == GARDEN and door.kind == "residence" and len(people) > 1:
            return door.label, people[0], people[1]
    raise AssertionError("the garden has no flat that is let")


@contextmanager
def told(folder: Path) -> Iterator[January]:
    """Tell the month, kill the cloud, and stop the house at the end."""
    site = compose(SEED)
    jumping = site.meter_of(GARDEN, JUMPING, ELECTRICITY).serial
    house = House(folder, SEED, wrong={(jumping, JUMP_DAY): _JUMP_MILLI})
    try:
        house.start(print, visits=_visits(site), faults=[_silence(site)], dense=[])
        yield _Teller(house).tell()
    finally:
        house.stop()
        EmbeddedPostgres(folder / "cloud" / "database").forget()


def _silence(site: DemoSite) -> dict[str, Any]:
    return {
        "kind": "dead",
        "serial": site.meter_of(GARDEN, SILENT, ELECTRICITY).serial,
        "since": local(date(2026, 1, 29), 12).isoformat(),
        "until": local(date(2026, 2, 4), 12).isoformat(),
    }


def _visits(site: DemoSite) -> list[dict[str, Any]]:
    stay, camera = plan.stays(site)[0], site.template["lots"][0]["camera"]
    moments = (stay.enters, stay.leaves)
    return [
        {"camera": camera, "plate": stay.plate, "at": moment.isoformat(), "number": number}
        for number, moment in enumerate(moments, start=1)
    ]


class _Teller:
    """Tells the month to a house that runs."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._manager = house.office("story-manager-cuihu")
        self._community: str = house.codes["communities"][GARDEN]

    def tell(self) -> January:
        """Let the month pass, bill it, take one payment, wait for the kiosk, and kill the cloud."""
        house, manager = self._house, self._manager
        stay = plan.stays(house.site)[0]
        for day in plan.days(MONTH, NEXT):
            self._reach(local(day) + _MOMENT)
            for moment in (stay.enters, stay.leaves):
                if moment.date() == day:
                    house.conductor.advance_to(moment.astimezone(UTC))
                    self._wait(self._gate_opened, "the barrier")
        self._issue()
        premises = manager.premises(self._community, NEXT)
        let_door, _, _ = let_flat(house.site)
        token, lookup_code = self._resident()
        self._misuse()
        house.conductor.advance_to(SYNCED.astimezone(UTC))
        self._pay(premises[let_door]["id"])
        self._wait(self._kiosk_is_current, "the dues at the kiosk")
        doors = (HOUSEHOLD, SILENT, JUMPING, let_door)
        bills = {door: manager.get(f"/premises/{premises[door]['id']}/bills") for door in doors}
        relations = manager.get(f"/premises/{premises[let_door]['id']}/relations")
        january = January(
            house=house,
            premises=premises,
            bills=bills,
            documents={
                bill["bill_id"]: manager.get(f"/bills/{bill['bill_id']}") for own in bills.values() for bill in own
            },
            cases=manager.get("/cases", limit=200)["rows"],
            relations=relations,
            metrics=house.http.get(f"{house.cloud_url}/metrics").text,
            lookup_code=lookup_code,
            let_door=let_door,
            token=token,
        )
        house.conductor.advance_to(KILLED.astimezone(UTC))
        house.kill_cloud()
        manager.close()
        return january

    def _issue(self) -> None:
        manager, path = self._manager, f"/communities/{self._community}/billing-periods"
        due = date(2026, 2, 20).isoformat()
        manager.post(path, start=MONTH.isoformat(), end=NEXT.isoformat(), due_on=due)
        self._reach(local(NEXT, 6))
        self._wait(self._readings_are_in, "the readings of the month")
        manager.post(f"{path}/{MONTH.isoformat()}/run")
        self._wait(self._bills_are_out, "the bills of the month")

    def _readings_are_in(self) -> bool:
        asked = {"start": NEXT.isoformat(), "end": (NEXT + timedelta(days=1)).isoformat()}
        return len(self._manager.get(f"/communities/{self._community}/meter-holes", **asked)) <= 1

    def _bills_are_out(self) -> bool:
        period = self._manager.period(self._community, MONTH)
        return bool(period["issued"] + period["waived"] >= period["due"] - 1)

    def _pay(self, premises_id: str) -> None:
        """Pay the bill of a household at its address, all of it."""
        house = self._house
        (bill,) = self._manager.get(f"/premises/{premises_id}/bills")
        link = self._manager.post(f"/bills/{bill['bill_id']}/pay-link")
        address = f"{house.cloud_url}/pay/{link['token']}"
        for number, quote in enumerate(cashier_page(house.http, address)["bill_quotes"]):
            intent = uuid7(house.conductor.now(), lambda size, number=number: bytes([number]) * size)  # type: ignore[misc]
            attempt = pay_at_link(house.http, address, quote, intent)
            house.control_wechat("pay", code_url=attempt["code_url"], payer=PAYER)
            told_at = f"{address}/attempts/{attempt['attempt_id']}"
            self._wait(partial(self._paid, told_at), "the receipt")

    def _paid(self, address: str) -> bool:
        return bool(self._house.http.get(address).json()["state"] == "paid")

    def _misuse(self) -> None:
        """Ask the cloud for what it refuses, each time with something personal in the question."""
        house = self._house
        api, http = f"{house.cloud_url}/api/v1", house.http
        token = json.loads((house.folder / "sessions.json").read_text(encoding="utf-8"))["story-manager-cuihu"]
        signed_in = {"Authorization": f"Bearer {token}"}
        refused = [
            http.post(f"{api}/session", json={"code": "AAAAA-BBBBB-CCCCC"}),
            http.post(f"{api}/session", json={"login": "manager-cuihu", "password": STRANGER["name"]}),
            http.post(f"{api}/parties", json={"kind": "ghost", **STRANGER}, headers=signed_in),
            http.post(f"{api}/parties", content=b"{" + STRANGER["phone"].encode(), headers=signed_in),
            http.get(f"{api}/parties/{STRANGER['phone']}", headers=signed_in),
            http.get(f"{house.cloud_url}/pay/{STRANGER['phone']}"),
            http.post(f"{house.cloud_url}/notify/wechat/{STRANGER['phone']}", json={"openid": PAYER, **STRANGER}),
        ]
        assert all(httpx.codes.is_client_error(answer.status_code) for answer in refused), refused

    def _resident(self) -> tuple[str, str]:
        """Return a resident's session and his code for the kiosk, read where he reads it."""
        house = self._house
        token = sign_in(house.cloud_url, house.codes["users"][f"resident-{HOUSEHOLD}"])
        page = house.http.get(f"{house.cloud_url}/my", headers={"Authorization": f"Bearer {token}"})
        found = _CODE.search(page.text)
        assert found is not None, page.text
        return token, found[1]

    def _kiosk_is_current(self) -> bool:
        home = self._house.http.get(f"{self._house.pages_url('g1')}/").text
        return f"{SYNCED:%Y-%m-%d %H:%M}" in home

    def _gate_opened(self) -> bool:
        log = self._house.folder / "devices" / "exchanges-gate.jsonl"
        now = self._house.conductor.now()
        passed = sum(moment.astimezone(UTC) <= now for moment in self._moments())
        return log.read_text(encoding="utf-8").count('"open"') >= passed

    def _moments(self) -> tuple[datetime, datetime]:
        stay = plan.stays(self._house.site)[0]
        return stay.enters, stay.leaves

    def _reach(self, instant: datetime) -> None:
        """Move business time to an instant and wait until both gateways have completed its midnight."""
        self._house.conductor.advance_to(instant.astimezone(UTC))
        midnight = local(instant.date())
        for gateway in self._house.gateways:
            self._wait(partial(self._completed, gateway, midnight), f"{gateway} at {instant}")

    def _completed(self, gateway: str, slot: datetime) -> bool:
        status = self._house.status(gateway)
        if status is None or status["completed_slot"] is None:
            return False
        return datetime.fromisoformat(status["completed_slot"]) >= slot

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        watched = [process for process in self._house.processes.values() if process.starts]
        wait_until(condition, what=what, seconds=_SECONDS, watched=watched)
