"""A site file is loaded whole, one company a transaction; what it refuses leaves nothing behind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml

from cloud.cli.site_load import load_site
from cloud.cli.site_report import Report
from cloud.estate import service as estate
from cloud.fleet import service as fleet
from cloud.identity import service as identity
from cloud.kit.db import Database
from cloud.tariffs import service as tariffs
from common.civil import month_of
from common.errors import FaultsError, RefusalError
from common.ids import CommunityId, GatewayId, TenantId
from common.wire.bundle import BundleKind
from tests.support.api import running_services
from tests.support.clock import SettableClock

PRICE = {
    "format": "gatehouse-tariff/1",
    "code": "area-fee",
    "name": {"zh": "物业费", "en": "Fee"},
    "unit": "m2",
    "effective_from": "2025-01-01",
    "charges": [{"key": "area", "quantity": "area", "per": "month", "price": "2.00"}],
}
SITE: dict[str, Any] = {
    "site": "small",
    "starts": "2026-01-01",
    "companies": [
        {
            "code": "east",
            "name": {"zh": "东方物业", "en": "East"},
            "legal_entities": [{"code": "east", "name": {"zh": "东方物业", "en": "East"}, "kind": "company"}],
            "gateways": [{"code": "g1", "name": {"zh": "一号网关", "en": "Gateway 1"}}],
            "communities": [
                {
                    "code": "east-garden",
                    "name": {"zh": "东苑", "en": "East Garden"},
                    "zone": "Asia/Shanghai",
                    "gateway": "g1",
                    "buildings": [{"code": "1", "units": 1, "floors": 2, "doors": [{"door": "01", "area": "88.53"}]}],
                    "charges": ["area-fee"],
                }
            ],
        }
    ],
    "charges": {
        "area-fee": {
            "name": {"zh": "物业费", "en": "Fee"},
            "basis": "area",
            "nature": "revenue",
            "fund_class": "operating",
            "tariff": "fee.yaml",
            "premises": ["residence"],
        }
    },
    "people": [{"community": "east-garden", "premises": "1-1-101", "name": "王芳", "phone": "19900001234"}],
    "meters": [
        {
            "serial": "E1",
            "community": "east-garden",
            "premises": "1-1-101",
            "resource": "electricity",
            "wire": "w1",
            "profile": "chint-ddsu666",
            "address": "1",
        }
    ],
    "wires": [{"gateway": "g1", "wire": "w1", "kind": "serial", "address": "/dev/ttyUSB0"}],
    "users": [
        {"login": "boss", "company": "east", "role": "manager"},
        {"login": "wang", "company": "east", "role": "resident", "community": "east-garden", "premises": "1-1-101"},
    ],
}


def written(folder: Path, price: Mapping[str, Any] = PRICE) -> Path:
    (folder / "fee.yaml").write_text(yaml.safe_dump(dict(price), allow_unicode=True), encoding="utf-8")
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(SITE, allow_unicode=True), encoding="utf-8")
    return path


async def loaded(database: Database, folder: Path) -> Report:
    async with running_services(database, folder) as services:
        return await load_site(services, written(folder))


async def test_a_site_is_loaded_with_everything_it_names(
    database: Database, clock: SettableClock, tmp_path: Path
) -> None:
    report = await loaded(database, tmp_path)
    tenant = TenantId(UUID(report.companies["east"]))
    community_id = CommunityId(UUID(report.communities["east-garden"]))
    async with database.view(tenant) as session:
        premises = await estate.premises_in(session, community_id, day=clock.now().date())
        meters = await fleet.installed_meters(session, community_id, month_of(clock.now().date()))
        items = await tariffs.charge_items(session, community_id)
        gateway_id = GatewayId(UUID(report.gateways["g1"]["gateway_id"]))
        bundles = await fleet.newer_bundles(session, gateway_id, {}, clock.now())
    assert [place.label for place in premises] == ["1-1-101", "1-1-201"]
    assert [(meter.serial, meter.premises_id) for meter in meters] == [("E1", premises[0].id)]
    assert [item.code for item in items] == ["area-fee"]
    site = next(bundle for bundle in bundles if bundle.kind is BundleKind.SITE)
    assert [device["serial"] for device in site.body["devices"]] == ["E1"]


async def test_a_resident_signs_in_with_the_code_and_is_the_party_that_pays(database: Database, tmp_path: Path) -> None:
    report = await loaded(database, tmp_path)
    token = await identity.sign_in_with_code(database, report.users["wang"])
    async with database.view(TenantId(UUID(report.companies["east"]))) as session:
        caller = await identity.recognise(session, token)
        assert caller is not None
        assert caller.party_id is not None
        homes = await estate.premises_of_party(session, caller.party_id)
    assert len(homes) == 1


async def test_the_same_company_is_not_loaded_twice(database: Database, tmp_path: Path) -> None:
    await loaded(database, tmp_path)
    with pytest.raises(RefusalError):
        await loaded(database, tmp_path)


async def test_a_faulty_tariff_refuses_the_company_and_leaves_nothing(database: Database, tmp_path: Path) -> None:
    async with running_services(database, tmp_path) as services:
        with pytest.raises(FaultsError):
            await load_site(services, written(tmp_path, PRICE | {"unit": "parsec"}))
        report = await load_site(services, written(tmp_path))
    assert set(report.companies) == {"east"}
