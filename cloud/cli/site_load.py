"""`gatehouse cloud site-load FILE`: put a checked site file into the cloud, one company a transaction.

A company is loaded whole or not at all; a company that exists already is refused. One-time codes of gateways and
users are written to the report file (readable by its owner only) and nowhere else.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from cloud.cli import site_file
from cloud.cli.site_file import SAFE_LOADER, Community, Company, Meter, Person, SiteFile
from cloud.cli.site_report import Report
from cloud.estate import service as estate
from cloud.estate.intake import add_all_premises, add_parties, relate_all
from cloud.estate.kinds import EntityKind, Fact, PartyKind, PremisesKind, Role
from cloud.estate.values import NewParty, NewPremises, Relation
from cloud.fleet import service as fleet
from cloud.fleet.intake import add_meters, install_meters
from cloud.fleet.values import NewMeter, NewPlace
from cloud.identity import service as identity
from cloud.identity.policy import Grant, RoleName
from cloud.kit.actor import system_actor
from cloud.kit.db import Unit
from cloud.parking import service as parking
from cloud.parking.kinds import VehicleClass
from cloud.payments.merchants import NewMerchantAccount, add_merchant_account
from cloud.services import Services
from cloud.tariffs import service as tariffs
from cloud.tariffs.assignment import Target, TargetKind
from cloud.tariffs.charge import ChargeBasis, ChargeItem
from common.errors import RefusalError
from common.ids import (
    ChargeItemId,
    CommunityId,
    GatewayId,
    LegalEntityId,
    MeterId,
    PartyId,
    PremisesId,
    TariffId,
    TenantId,
)
from common.measure.quantity import Unit as MeasureUnit
from common.measure.quantity import parse_quantity
from common.reading.reading import Quantity, Resource
from common.wire.bundle import BundleKind

TARIFF_BYTES_MAX = 1 << 20
CREDENTIAL_BYTES_MAX = 1 << 20
_ACTOR = system_actor("site file")
_PERMIT_LIFE = timedelta(days=3650)
_NOTIFY_TOKEN_BYTES = 16
_BILLED_POINT = {Resource.ELECTRICITY: Quantity.ENERGY_FORWARD}


@dataclass(slots=True, kw_only=True)
class _Loaded:
    """What one company's transaction has made so far, by the names of the file."""

    entities: dict[str, LegalEntityId] = field(default_factory=dict)
    communities: dict[str, CommunityId] = field(default_factory=dict)
    premises: dict[tuple[str, str], PremisesId] = field(default_factory=dict)
    meters: dict[str, MeterId] = field(default_factory=dict)
    gateways: dict[str, GatewayId] = field(default_factory=dict)
    payers: dict[tuple[str, str], PartyId] = field(default_factory=dict)


async def load_site(services: Services, path: Path) -> Report:
    """Load a site file and return the report.

    Raises:
        RefusalError: the file, one of its tariffs or one of its companies is not accepted; whole companies stay out.
    """
    site = site_file.read_site(path)
    documents = {charge.tariff: _tariff(path.parent / charge.tariff) for charge in site.charges.values()}
    report = Report()
    for company in site.companies:
        tenant = TenantId(services.database.new_id())
        async with services.database.unit(tenant, _ACTOR) as unit:
            loader = _CompanyLoader(unit, site, company, path.parent, report)
            await loader.load(documents)
            await loader.add_merchants(services)
        report.companies[company.code] = str(tenant)
    return report


class _CompanyLoader:
    """Loads one company inside one unit of work."""

    def __init__(self, unit: Unit, site: SiteFile, company: Company, folder: Path, report: Report) -> None:
        self._unit = unit
        self._site = site
        self._company = company
        self._folder = folder
        self._report = report
        self._made = _Loaded()

    async def load(self, documents: Mapping[str, Mapping[str, object]]) -> None:
        """Load everything but the merchant accounts, in the order in which one thing needs another."""
        company = self._company
        own = await estate.create_tenant(self._unit, code=company.code, name=company.name.zh)
        for entity in company.legal_entities:
            self._made.entities[entity.code] = (
                own
                if entity.kind is EntityKind.COMPANY
                else await estate.add_legal_entity(self._unit, kind=entity.kind, name=entity.name.zh)
            )
        for gateway in company.gateways:
            gateway_id, code = await fleet.create_gateway(self._unit, label=gateway.name.zh)
            self._made.gateways[gateway.code] = gateway_id
            self._report.gateways[gateway.code] = {"gateway_id": str(gateway_id), "code": code}
        for community in company.communities:
            await self._add_community(community)
            await self._add_meters(community)
            await self._add_charges(community, own, documents)
        await self._add_people()
        for code in self._made.gateways:
            await self._publish_site(code)
        await self._add_users()

    async def add_merchants(self, services: Services) -> None:
        """Add the merchant accounts whose credentials are given; their secrets are sealed before they are stored."""
        for merchant in self._company.merchants:
            if merchant.credentials is None:
                continue
            given = json.loads(_text(self._folder / merchant.credentials, CREDENTIAL_BYTES_MAX))
            account = NewMerchantAccount(
                legal_entity_id=self._made.entities[merchant.legal_entity],
                fund_class=merchant.fund_class,
                channel=merchant.channel,
                label=merchant.code,
                merchant_number=merchant.merchant_number,
                app_id=given["app_id"],
                merchant_serial=given["merchant_serial"],
                private_key_pem=given["private_key_pem"],
                api_key=given["api_key"],
                app_secret=given.get("app_secret", ""),
                deduction_plan=given.get("deduction_plan", ""),
                channel_keys=given["channel_keys"],
            )
            await add_merchant_account(self._unit, services.secret_box, account, secrets.token_hex(_NOTIFY_TOKEN_BYTES))

    async def _add_community(self, community: Community) -> None:
        community_id = await estate.create_community(
            self._unit, code=community.code, name=community.name.zh, starts=self._site.starts, zone=community.zone
        )
        self._made.communities[community.code] = community_id
        self._report.communities[community.code] = str(community_id)
        persons = {
            person.premises: person.persons
            for person in self._site.people
            if person.community == community.code and person.pays
        }
        buildings = {}
        news = []
        for premises in site_file.expand(community):
            if premises.building not in buildings:
                buildings[premises.building] = await estate.add_building(
                    self._unit, community_id, code=premises.building, name=f"{premises.building} 栋"
                )
            facts = {} if premises.area_milli is None else {Fact.AREA: premises.area_milli}
            if premises.label in persons:
                facts[Fact.PERSONS] = persons[premises.label] * 1000
            new = NewPremises(
                label=premises.label,
                kind=premises.kind,
                effective_from=self._site.starts,
                building_id=buildings[premises.building],
                facts=facts,
            )
            news.append(new)
        for new, added in zip(news, await add_all_premises(self._unit, community_id, news), strict=True):
            self._made.premises[community.code, new.label] = added

    async def _add_meters(self, community: Community) -> None:
        meters = self._meters_of(community)
        nameplates = [
            NewMeter(
                serial=meter.serial,
                resource=meter.resource,
                model=meter.profile,
                digits=meter.digits,
                multiplier_milli=_multiplier(meter),
            )
            for meter in meters
        ]
        added = await add_meters(self._unit, nameplates)
        self._made.meters.update({meter.serial: meter_id for meter, meter_id in zip(meters, added, strict=True)})
        places = [
            NewPlace(
                meter_id=self._made.meters[meter.serial],
                community_id=self._made.communities[community.code],
                premises_id=self._made.premises[community.code, meter.premises] if meter.premises else None,
                start=self._site.starts,
            )
            for meter in meters
        ]
        await install_meters(self._unit, places)

    async def _add_charges(
        self, community: Community, own: LegalEntityId, documents: Mapping[str, Mapping[str, object]]
    ) -> None:
        community_id = self._made.communities[community.code]
        for code in community.charges:
            charge = self._site.charges[code]
            item_id = ChargeItemId(self._unit.new_id())
            await tariffs.add_charge_item(
                self._unit,
                ChargeItem(
                    charge_item_id=item_id,
                    community_id=community_id,
                    code=code,
                    name_zh=charge.name.zh,
                    name_en=charge.name.en,
                    basis=charge.basis,
                    resource=charge.resource if charge.basis is ChargeBasis.METERED else None,
                    nature=charge.nature,
                    fund_class=charge.fund_class,
                    legal_entity_id=own,
                    tax_code=charge.tax_code,
                    tax_rate_micro=charge.tax_rate_micro,
                    bears_late_charge=charge.basis is ChargeBasis.AREA,
                ),
            )
            tariff_id, _ = await tariffs.record_revision(
                self._unit,
                tariffs.RevisionDraft(
                    community_id=community_id,
                    document=documents[charge.tariff],
                    basis_document=f"{self._site.site}/{charge.tariff}",
                    decided_by=self._unit.actor.name,
                ),
            )
            await self._assign(community, item_id, tariff_id, charge.basis, charge.premises)
            if charge.basis is ChargeBasis.SHARE:
                await self._add_pool(community, item_id)

    async def _assign(
        self,
        community: Community,
        item_id: ChargeItemId,
        tariff_id: TariffId,
        basis: ChargeBasis,
        kinds: tuple[PremisesKind, ...],
    ) -> None:
        targets = [Target(kind=TargetKind.PREMISES_KIND, key=kind.value) for kind in kinds]
        if basis is ChargeBasis.PARKING:
            lots = [lot.lot for lot in self._site.lots if lot.community == community.code]
            targets = [Target(kind=TargetKind.LOT, key=lot) for lot in lots] + targets
        for target in targets:
            await tariffs.assign(
                self._unit,
                tariffs.AssignmentDraft(
                    community_id=self._made.communities[community.code],
                    charge_item_id=item_id,
                    target=target,
                    effective_from=self._site.starts,
                    tariff_id=tariff_id,
                ),
            )

    async def _add_pool(self, community: Community, item_id: ChargeItemId) -> None:
        for meter in self._meters_of(community):
            if meter.premises is None:
                draft = tariffs.PoolDraft(
                    community_id=self._made.communities[community.code],
                    charge_item_id=item_id,
                    meter_id=self._made.meters[meter.serial],
                    effective_from=self._site.starts,
                )
                await tariffs.record_pool(self._unit, draft)

    async def _add_people(self) -> None:
        people = [person for person in self._site.people if person.community in self._made.communities]
        parties = [NewParty(kind=PartyKind.PERSON, name=person.name, phone_tail=person.phone[-4:]) for person in people]
        added = list(zip(people, await add_parties(self._unit, parties), strict=True))
        self._made.payers = {(person.community, person.premises): party for person, party in added if person.pays}
        relations = [
            Relation(
                premises_id=self._made.premises[person.community, person.premises],
                party_id=party_id,
                role=role,
                starts=self._site.starts,
                ends=None,
            )
            for person, party_id in added
            for role in ([person.role, Role.PAYER] if person.pays and person.role is Role.TENANT else [person.role])
        ]
        await relate_all(self._unit, relations)

    async def _publish_site(self, gateway: str) -> None:
        communities = {community.code for community in self._company.communities if community.gateway == gateway}
        wires = [wire for wire in self._site.wires if wire.gateway == gateway]
        lots = [lot for lot in self._site.lots if lot.community in communities]
        zone = next(community.zone for community in self._company.communities if community.code in communities)
        body: dict[str, Any] = {
            "zone": zone,
            "wires": [wire.model_dump(exclude={"gateway"}) for wire in wires],
            "devices": [self._device(meter) for meter in self._site.meters if meter.community in communities],
            "schedule": {
                "daily_at": "00:00",
                "dense_days": [
                    {"date": dense.day.isoformat(), "minutes": dense.minutes} for dense in self._site.dense_days
                ],
            },
            "gate": {},
        }
        gate_wire = next((wire.wire for wire in wires if wire.kind == "mqtt"), None)
        if lots and gate_wire is not None:
            body["gate"] = {
                "wire": gate_wire,
                "model": "zhenshi-camera",
                "lots": [
                    lot.model_dump(include={"lot", "camera", "barrier", "spaces"}) | {"unpaid_exit": "open"}
                    for lot in lots
                ],
            }
        gateway_id = self._made.gateways[gateway]
        await fleet.publish_bundle(self._unit, gateway_id, BundleKind.SITE, body)
        for lot in lots:
            community_id = self._made.communities[lot.community]
            await parking.add_lot(self._unit, community_id, lot=lot.lot, gateway_id=gateway_id, spaces=lot.spaces)
        for person in self._site.people:
            if lots and person.community in communities and person.plate:
                await parking.give_permit(self._unit, self._permit(person, person.plate))

    def _device(self, meter: Meter) -> dict[str, Any]:
        point = _BILLED_POINT.get(meter.resource, Quantity.VOLUME)
        return {
            "meter_id": str(self._made.meters[meter.serial]),
            "serial": meter.serial,
            "wire": meter.wire,
            "profile": meter.profile,
            "address": meter.address,
            "resource": meter.resource.value,
            "label": meter.premises or "",
            "multiplier_milli": _multiplier(meter),
            "points": [point.value],
        }

    def _permit(self, person: Person, plate: str) -> parking.PermitDraft:
        """Return the permit of a household's own plate: its stays are charged to the household's account."""
        starts = datetime.combine(self._site.starts, time(), tzinfo=ZoneInfo("UTC")).astimezone(UTC)
        return parking.PermitDraft(
            community_id=self._made.communities[person.community],
            plate=plate,
            vehicle_class=VehicleClass.TEMPORARY,
            premises_id=self._made.premises[person.community, person.premises],
            charge_to_account=True,
            valid_from=starts,
            valid_to=starts + _PERMIT_LIFE,
        )

    async def _add_users(self) -> None:
        for user in self._site.users:
            if user.company != self._company.code:
                continue
            community_id = self._made.communities[user.community] if user.community else None
            resident = user.role is RoleName.RESIDENT
            user_id = await identity.add_user(
                self._unit,
                login=user.login,
                display_name=user.login,
                grants=[Grant(role=user.role, community_id=community_id)],
                party_id=self._made.payers[user.community or "", user.premises or ""] if resident else None,
            )
            self._report.users[user.login] = await identity.issue_code(self._unit, user_id)

    def _meters_of(self, community: Community) -> list[Meter]:
        return [meter for meter in self._site.meters if meter.community == community.code]


def _multiplier(meter: Meter) -> int:
    return parse_quantity(meter.multiplier, MeasureUnit.PIECE).milli


def _tariff(path: Path) -> Mapping[str, object]:
    try:
        document = yaml.load(_text(path, TARIFF_BYTES_MAX), Loader=SAFE_LOADER)  # noqa: S506 - see there
    except yaml.YAMLError as error:
        raise RefusalError(f"{path}: not readable as YAML: {error}; mend the line it names") from error
    if not isinstance(document, dict):
        raise RefusalError(f"{path}: holds no tariff; compare with firmware-config/tariffs")
    return document


def _text(path: Path, size_max: int) -> str:
    if not path.is_file() or path.stat().st_size > size_max:
        raise RefusalError(f"{path}: no such file, or larger than {size_max} bytes; mend the name in the site file")
    return path.read_text(encoding="utf-8")
