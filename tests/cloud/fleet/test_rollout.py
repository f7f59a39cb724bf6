"""A configuration goes to one gateway, proves itself, then to the rest; what failed is rolled back as a new version."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from cloud.fleet import enrolment, rollout
from cloud.fleet import service as fleet
from cloud.fleet.rollout import Change, carried, difference, parse_site, site_text, standing_of
from cloud.fleet.values import BundleEffect
from cloud.kit.actor import Actor
from cloud.kit.db import Database
from cloud.kit.errors import ConflictError, MalformedError, NotFoundError
from common.ids import GatewayId, TenantId
from common.reading.reading import Resource
from common.wire import records
from common.wire.bundle import BundleKind
from common.wire.stamp import ClockSource, Stamp
from tests.common.wire.test_commissioning import PROPOSAL
from tests.support.clock import SettableClock

WIRE = {"wire": "g1-bus", "kind": "serial", "address": "/dev/ttyS1"}
SITE: dict[str, Any] = {
    "zone": "Asia/Shanghai",
    "wires": [WIRE],
    "devices": [],
    "schedule": {"daily_at": "00:00"},
    "gate": {"lots": []},
}


class Company:
    """Gateways of one company and what they report."""

    def __init__(self, database: Database, tenant: TenantId, actor: Actor) -> None:
        self.database, self.tenant, self.actor = database, tenant, actor
        self.seq = 0

    async def gateway(self, label: str, body: dict[str, Any] | None = None) -> GatewayId:
        async with self.database.unit(self.tenant, self.actor) as unit:
            gateway_id, _ = await fleet.create_gateway(unit, label=label)
            if body is not None:
                await rollout.publish_site(unit, gateway_id, body, base=0)
        return gateway_id

    async def publish(self, gateway_id: GatewayId, body: dict[str, Any], base: int) -> int:
        async with self.database.unit(self.tenant, self.actor) as unit:
            return await rollout.publish_site(unit, gateway_id, body, base=base)

    async def reports(self, gateway_id: GatewayId, version: int, effect: str, detail: str = "") -> None:
        self.seq += 1
        stamp = Stamp(boot_no=1, boot_ms=1, at_ms=self.seq, source=ClockSource.SYNCHRONISED, uncertainty_ms=0)
        told = records.BundleEffect(kind=str(BundleKind.SITE), version=version, effect=effect, detail=detail)
        async with self.database.unit(self.tenant, self.actor) as unit:
            await fleet.note_reports(unit, gateway_id, 1, [(self.seq, stamp, told)], None)

    async def site(self, gateway_id: GatewayId) -> tuple[int, dict[str, Any]]:
        async with self.database.view(self.tenant) as session:
            return await rollout.site(session, gateway_id)


@pytest.fixture
def company(database: Database, tenant: TenantId, actor: Actor) -> Company:
    return Company(database, tenant, actor)


def later(at: str) -> dict[str, Any]:
    return SITE | {"schedule": {"daily_at": at}}


async def test_a_newer_configuration_is_sent_on_what_was_looked_at_alone(company: Company) -> None:
    gateway = await company.gateway("one", SITE)
    assert await company.publish(gateway, later("01:00"), 1) == 2
    assert await company.site(gateway) == (2, later("01:00"))
    with pytest.raises(ConflictError, match="version 2 meanwhile"):
        await company.publish(gateway, later("02:00"), 1)


async def test_the_rest_takes_the_shared_sections_only_after_the_first_reports_good(company: Company) -> None:
    first, second, third = [await company.gateway(name, SITE) for name in ("a", "b", "c")]
    own = SITE | {"wires": [WIRE | {"address": "/dev/ttyS9"}]}
    await company.publish(second, own, 1)
    await company.publish(first, later("01:00"), 1)
    await company.reports(first, 1, "good")
    targets = {second: 2, third: 1}
    with pytest.raises(ConflictError, match="has not reported"):
        async with company.database.unit(company.tenant, company.actor) as unit:
            await rollout.carry(unit, first, targets)
    await company.reports(first, 2, "good")
    async with company.database.unit(company.tenant, company.actor) as unit:
        assert await rollout.carry(unit, first, targets) == 2
    assert await company.site(second) == (3, own | {"schedule": {"daily_at": "01:00"}})
    async with company.database.unit(company.tenant, company.actor) as unit:
        assert await rollout.carry(unit, first, {second: 3, third: 2}) == 0
        unit.record("tested", "gateway", first)


async def test_a_rest_that_changed_meanwhile_is_left_alone(company: Company) -> None:
    first, second = [await company.gateway(name, SITE) for name in ("a", "b")]
    await company.publish(first, later("01:00"), 1)
    await company.reports(first, 2, "good")
    await company.publish(second, later("03:00"), 1)
    with pytest.raises(ConflictError, match="version 2 meanwhile"):
        async with company.database.unit(company.tenant, company.actor) as unit:
            await rollout.carry(unit, first, {second: 1})
    assert await company.site(second) == (2, later("03:00"))


async def test_roll_back_publishes_the_last_good_one_as_a_new_version(company: Company) -> None:
    gateway = await company.gateway("one", SITE)
    await company.reports(gateway, 1, "good")
    await company.publish(gateway, later("01:00"), 1)
    await company.reports(gateway, 2, "refused", "no such thing")
    async with company.database.view(company.tenant) as session:
        stood = await rollout.standing(session, gateway)
    assert (stood.version, stood.effect, stood.good_version, stood.is_good) == (2, "refused", 1, False)
    async with company.database.unit(company.tenant, company.actor) as unit:
        assert await rollout.roll_back(unit, gateway) == 3
    assert await company.site(gateway) == (3, SITE)


async def test_without_an_earlier_good_one_there_is_nothing_to_roll_back_to(company: Company) -> None:
    gateway = await company.gateway("one", SITE)
    await company.reports(gateway, 1, "good")
    with pytest.raises(ConflictError, match="no earlier configuration"):
        async with company.database.unit(company.tenant, company.actor) as unit:
            await rollout.roll_back(unit, gateway)


async def test_a_retired_or_unknown_gateway_takes_nothing(company: Company) -> None:
    gateway = await company.gateway("one", SITE)
    async with company.database.unit(company.tenant, company.actor) as unit:
        await enrolment.revoke(unit, gateway)
    with pytest.raises(ConflictError, match="retired"):
        await company.publish(gateway, later("01:00"), 1)
    with pytest.raises(NotFoundError):
        await company.publish(GatewayId(UUID(int=9)), SITE, 0)


async def test_a_found_meter_is_accepted_into_fleet_and_configuration(company: Company, clock: SettableClock) -> None:
    gateway = await company.gateway("one", SITE)
    async with company.database.unit(company.tenant, company.actor) as unit:
        meter_id = await rollout.accept_proposal(unit, gateway, PROPOSAL)
    _, body = await company.site(gateway)
    (device,) = body["devices"]
    assert (device["meter_id"], device["serial"], device["profile"]) == (str(meter_id), "33000001", "cjt188-water")
    assert (device["points"], device["multiplier_milli"], device["label"]) == (["volume"], 2_000, "1-2-301 水表")
    async with company.database.view(company.tenant) as session:
        plate = (await fleet.meters(session, [meter_id]))[meter_id]
    assert (plate.serial, plate.resource, plate.multiplier_milli) == ("33000001", Resource.WATER, 2_000)
    clock.advance(minutes=1)
    async with company.database.unit(company.tenant, company.actor) as unit:
        again = await rollout.accept_proposal(unit, gateway, replace(PROPOSAL, label="moved"))
    assert again == meter_id
    assert [one["label"] for one in (await company.site(gateway))[1]["devices"]] == ["moved"]


@pytest.mark.parametrize(
    ("change", "why"),
    [({"wire": "g9"}, "no wire g9"), ({"serial": "other"}, "another meter's already"), ({"resource": "beer"}, "beer")],
)
async def test_a_found_meter_that_does_not_fit_is_refused(company: Company, change: dict[str, str], why: str) -> None:
    gateway = await company.gateway("one", SITE)
    if "serial" in change:
        async with company.database.unit(company.tenant, company.actor) as unit:
            await rollout.accept_proposal(unit, gateway, PROPOSAL)
    with pytest.raises((ConflictError, MalformedError), match=why):
        async with company.database.unit(company.tenant, company.actor) as unit:
            await rollout.accept_proposal(unit, gateway, replace(PROPOSAL, **change))  # type: ignore[arg-type]


def test_the_difference_names_wires_and_meters() -> None:
    device = {"serial": "E1", "wire": "g1-bus", "address": "1"}
    before = SITE | {"devices": [device]}
    after = SITE | {"devices": [device | {"address": "2"}], "wires": [], "schedule": {"daily_at": "01:00"}}
    assert difference(before, before) == ()
    assert [(one.where, bool(one.before), bool(one.after)) for one in difference(before, after)] == [
        ("devices E1", True, True),
        ("schedule", True, True),
        ("wires g1-bus", True, False),
    ]
    assert difference({}, {"zone": "UTC"})[0] == Change(where="zone", before="", after="UTC")


def test_a_configuration_is_carried_by_its_shared_sections() -> None:
    target = SITE | {"zone": "UTC", "devices": [1]}
    assert carried(later("05:00"), target) == later("05:00") | {"devices": [1]}


def test_a_configuration_goes_to_text_and_back() -> None:
    assert parse_site(site_text(SITE)) == SITE
    dated = parse_site("zone: UTC\nschedule: {dense_days: [{date: 2026-05-01, minutes: 15}]}")
    assert dated["schedule"]["dense_days"][0]["date"] == "2026-05-01"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("zone: [", "no YAML"),
        ("- 1", "names no zone"),
        ("zone: 7", "names no zone"),
        ("zone: UTC\nwires: {}", "wires is no list"),
        ("zone: UTC\ndevices: [{wire: a}]", "devices is no list whose parts each have a `serial`"),
        ("x" * (2 * 1024 * 1024 + 1), "larger"),
    ],
)
def test_what_is_no_configuration_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(MalformedError, match=why):
        parse_site(text)


def test_a_gateway_that_reported_nothing_stands_nowhere() -> None:
    assert standing_of(0, []).is_good is False
    foreign = BundleEffect(kind="dues", version=1, effect="good", detail="", at=_instant())
    assert standing_of(1, [foreign]).effect == ""


def _instant() -> Any:
    return Stamp(boot_no=1, boot_ms=1, at_ms=0, source=ClockSource.RTC, uncertainty_ms=0).at
