"""What a real month leaves behind: cases for what was odd or missing, a bill for who pays, nothing personal in logs.

Readings came over wires and through the gateway's store, its sealed batches and ingest; nothing was put in by hand.
"""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.e2e.january import (
    HOUSEHOLD,
    JUMP_DAY,
    JUMPING,
    NEXT,
    PAYER,
    SILENT,
    STRANGER,
    January,
    let_flat,
)
from tests.simulation import plan
from tests.simulation.people import residents_of
from tests.simulation.plan import GARDEN
from tests.simulation.site import ELECTRICITY

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
LOGS = ("cloud", "worker", "g1", "g2", "enrol")
NAME_CHARACTERS_MIN = 2


def meter_id(january: January, door: str) -> str:
    serial = january.house.site.meter_of(GARDEN, door, ELECTRICITY).serial
    ((found,),) = january.ask("select meter_id from meter where serial = %s", serial)
    return str(found)


def charges(january: January, door: str) -> dict[str, int]:
    (bill,) = january.bills[door]
    return {line["charge_code"]: line["fen"] for line in january.documents[bill["bill_id"]]["lines"]}


def test_a_jump_seen_by_the_gateway_is_a_case_for_the_technician(january: January) -> None:
    found = [one for one in january.cases if one["object_id"] == meter_id(january, JUMPING) and one["reason"] == "jump"]
    (case,) = found
    assert (case["kind"], case["origin"], case["owner_role"]) == ("anomaly", "metering", "technician")
    assert case["community_id"] == january.house.codes["communities"][GARDEN]
    assert JUMP_DAY.isoformat() in case["detail_zh"]
    assert case["closed_at"] is None


def test_a_missing_reading_is_an_open_case_and_no_line_of_zero(january: January) -> None:
    premises_id = january.premises[SILENT]["id"]
    (case,) = [one for one in january.cases if one["object_id"] == premises_id]
    assert (case["kind"], case["reason"], case["owner_role"]) == ("exception", "no_reading", "technician")
    assert NEXT.isoformat() in case["detail_zh"]
    assert case["closed_at"] is None
    assert {"area-fee", "water"} <= charges(january, SILENT).keys()
    assert "electricity" not in charges(january, SILENT)
    assert charges(january, HOUSEHOLD)["electricity"] > 0


def test_the_only_cases_are_those_of_the_two_meters(january: January) -> None:
    assert {one["object_id"] for one in january.cases} == {
        meter_id(january, JUMPING),
        january.premises[SILENT]["id"],
    }


def test_the_tenant_of_a_let_flat_gets_and_pays_its_bill_and_its_owner_none(january: January) -> None:
    door, owner, tenant = let_flat(january.house.site)
    (bill,) = january.bills[door]
    assert charges(january, door)["area-fee"] > 0
    rows = january.ask(
        "select p.name, b.number from account a join party p using (tenant_id, party_id)"
        " left join bill b using (tenant_id, account_id) where a.premises_id = %s",
        january.premises[door]["id"],
    )
    assert rows == [(tenant.name, bill["number"])]
    assert owner.name != tenant.name
    assert {one["role"] for one in january.relations} == {"owner", "tenant", "payer"}
    paid = january.ask("select sum(amount_fen) from payment where account_id = %s", bill["account_id"])
    assert paid == [(bill["total_fen"],)]
    assert bill["open_fen"] == 0


def seeded(january: January) -> dict[str, set[str]]:
    """Return everything personal or secret that this house holds, by what it is."""
    house = january.house
    people = [person for door in house.site.premises for person in residents_of(house.seed, door.community, door.label)]
    secrets = {house.technician_pin(gateway) for gateway in house.gateways}
    secrets |= {gateway["code"] for gateway in house.codes["gateways"].values()} | set(house.codes["users"].values())
    secrets |= set(json.loads((house.folder / "sessions.json").read_text(encoding="utf-8")).values())
    secrets |= {january.token.rpartition(".")[2], january.token}
    secrets |= {
        json.loads(path.read_text(encoding="utf-8"))["api_key"] for path in house.folder.glob("merchant-*.json")
    }
    return {
        "names": {person.name for person in people} | {STRANGER["name"]},
        "phones": {person.phone for person in people} | {STRANGER["phone"]},
        "plates": {person.plate for person in people if person.plate} | {plan.stays(house.site)[0].plate},
        "openids": {PAYER},
        "lookup codes": {str(code) for (code,) in january.ask("select lookup_code from account")},
        "secrets": {secret for secret in secrets if secret},
    }


def written(january: January) -> dict[str, str]:
    """Return what the processes of ours and the database wrote to their logs.

    Enrolling is a command for a person: the PIN that it tells him on its own line is no log.
    """
    folder = january.house.folder
    paths = {name: folder / "logs" / f"{name}.log" for name in LOGS}
    ((data,),) = january.ask("select current_setting('data_directory')")
    paths["database"] = Path(data).parent / "log"
    texts = {name: path.read_text(encoding="utf-8", errors="replace") for name, path in paths.items()}
    told = "technician's PIN on its page:"
    return texts | {"enrol": "\n".join(line for line in texts["enrol"].splitlines() if not line.startswith(told))}


def refuse_at_the_gateway(january: January) -> None:
    """Guess a code and a PIN, and correct a plate of a stay that is none."""
    plate = plan.stays(january.house.site)[0].plate
    transport = httpx.HTTPTransport(local_address="127.0.2.99")
    with httpx.Client(base_url=january.kiosk, transport=transport, follow_redirects=True) as client:
        client.post("/dues", data={"room": HOUSEHOLD, "code": january.lookup_code})
        client.post("/technician/sign-in", data={"pin": "13800000000"})
        client.post("/technician/sign-in", data={"pin": january.house.technician_pin("g1")})
        client.post("/technician/parking/0", data={"plate": plate})
        client.post("/technician/enrol", data={"code": january.house.codes["gateways"]["g1"]["code"]})


def test_no_log_holds_anything_personal_or_secret_of_this_house(january: January) -> None:
    refuse_at_the_gateway(january)
    logs, personal = written(january), seeded(january)
    assert {kind for kind, values in personal.items() if len(values) == 0} == set()
    assert "gateway_started" in logs["g1"]
    assert "gateway_enrolled" in logs["enrol"]
    assert "bills_issued" in logs["worker"]
    leaks = {
        (name, kind, value)
        for name, text in logs.items()
        for kind, values in personal.items()
        for value in values
        if value in text
    }
    assert not leaks


def test_every_kind_of_personal_data_really_passed_through_this_house(january: January) -> None:
    ((parties,),) = january.ask("select count(*) from party where name = any(%s)", list(seeded(january)["names"]))
    ((notified,),) = january.ask("select count(*) from notification")
    ((stays,),) = january.ask("select count(*) from usage_session")
    assert min(parties, notified, stays) > 0


def test_metrics_hold_nothing_personal_either(january: January) -> None:
    told = january.metrics + january.house.http.get(f"{january.kiosk}/metrics").text
    assert "gatehouse_http_requests" in told
    leaks = [
        value
        for kind, values in seeded(january).items()
        if kind != "lookup codes"  # six digits occur in any counter
        for value in values
        if value in told and len(value) > NAME_CHARACTERS_MIN
    ]
    assert leaks == []
