"""A site file: companies, communities, premises, people, meters and charges of a site, written by hand or by a tool.

Reading checks the whole file and lists all faults at once; expanding turns building templates into premises. Nothing
here touches a database. The file's words are the glossary's; areas and shares are decimal text, never floats.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cloud.estate.kinds import EntityKind, PremisesKind, Role
from cloud.identity.policy import RoleName
from cloud.payments.channel import Channel
from cloud.tariffs.charge import ChargeBasis, FundClass, Nature
from common.errors import Fault, FaultsError, RefusalError
from common.reading.reading import Resource

# The loader in C is eight times faster; PyYAML builds without it where libyaml is missing.
SAFE_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
SITE_FILE_BYTES_MAX = 8 * 1024 * 1024
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,39}$")]
AreaText = Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(_Strict):
    """A name in both languages."""

    zh: str
    en: str


class LegalEntity(_Strict):
    """A legal person that may receive money: the company itself or an owners' committee."""

    code: Code
    name: Name
    kind: EntityKind


class Merchant(_Strict):
    """A merchant account: one legal person, one fund class, one channel; its secrets lie in a file of their own.

    `credentials` is a JSON file beside the site file: app_id, merchant_serial, private_key_pem, api_key and
    channel_keys (PEM by serial). Without it the account is left to be added by hand.
    """

    code: Code
    legal_entity: Code
    fund_class: FundClass
    channel: Channel
    merchant_number: str
    credentials: str | None = None


class Gateway(_Strict):
    """A gateway of the company."""

    code: Code
    name: Name


class Door(_Strict):
    """One door of each floor with its built-up area in square metres."""

    door: str
    area: AreaText


class Building(_Strict):
    """A building of equal floors: units x floors x doors premises."""

    code: Code
    units: Annotated[int, Field(ge=1, le=20)]
    floors: Annotated[int, Field(ge=1, le=80)]
    doors: Annotated[tuple[Door, ...], Field(min_length=1, max_length=40)]


class Row(_Strict):
    """A row of numbered shops or spaces."""

    building: Code
    count: Annotated[int, Field(ge=0, le=5000)]
    area: AreaText | None = None


class Community(_Strict):
    """A community: its zone, buildings, shops, spaces and what is charged there."""

    code: Code
    name: Name
    zone: str
    gateway: Code
    buildings: tuple[Building, ...] = ()
    shops: Row | None = None
    spaces: Row | None = None
    public_meter: bool = False
    charges: tuple[Code, ...] = ()


class Company(_Strict):
    """A management company: the tenant."""

    code: Code
    name: Name
    legal_entities: Annotated[tuple[LegalEntity, ...], Field(min_length=1)]
    merchants: tuple[Merchant, ...] = ()
    gateways: tuple[Gateway, ...] = ()
    communities: tuple[Community, ...]


class Charge(_Strict):
    """A charge item, the tariff file that prices it and the kinds of premises it falls on."""

    name: Name
    basis: ChargeBasis
    resource: Resource | None = None
    nature: Nature
    fund_class: FundClass
    tariff: str
    tax_code: str = ""
    tax_rate_micro: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    premises: tuple[PremisesKind, ...]


class Person(_Strict):
    """An owner or tenant of one premises; `pays` marks the party that the bills go to."""

    community: Code
    premises: str
    name: str
    phone: str
    role: Literal[Role.OWNER, Role.TENANT] = Role.OWNER
    pays: bool = True
    plate: str | None = None
    persons: Annotated[int, Field(ge=0, le=50)] = 3


class Meter(_Strict):
    """A meter with its wire; without premises it counts the community's public area."""

    serial: Code
    community: Code
    premises: str | None
    resource: Resource
    wire: Code
    profile: str
    address: str
    digits: Annotated[int, Field(ge=4, le=12)] = 8
    multiplier: Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,3})?$")] = "1"


class Wire(_Strict):
    """A wire of a gateway and where it is reached."""

    gateway: Code
    wire: Code
    kind: Literal["serial", "serial-tcp", "modbus-tcp", "mqtt", "pulse", "recorded"]
    address: str
    baud: int = 2400
    parity: Literal["even", "odd", "none"] = "even"


class Lot(_Strict):
    """A parking lot with one camera and one barrier."""

    lot: Code
    community: Code
    camera: str
    barrier: str
    charge: Code
    spaces: Annotated[int, Field(ge=1)]


class User(_Strict):
    """Somebody who signs in: staff of one community or of the whole company, or a resident who pays for premises."""

    login: Code
    company: Code
    role: RoleName
    community: Code | None = None
    premises: str | None = None


class DenseDay(_Strict):
    """A day on which meters are read every few minutes."""

    day: date
    minutes: Literal[5, 10, 15, 30, 60]


class SiteFile(_Strict):
    """A whole site."""

    site: Code
    starts: date
    companies: Annotated[tuple[Company, ...], Field(min_length=1)]
    charges: dict[Code, Charge]
    people: tuple[Person, ...] = ()
    meters: tuple[Meter, ...] = ()
    wires: tuple[Wire, ...] = ()
    lots: tuple[Lot, ...] = ()
    users: tuple[User, ...] = ()
    dense_days: tuple[DenseDay, ...] = ()


class Premises(_Strict):
    """One premises of the expanded site; `label` is what people say, such as 1-2-301."""

    community: Code
    building: Code
    unit: str | None
    floor: int | None
    label: str
    kind: PremisesKind
    area_milli: int | None


def read_site(path: Path) -> SiteFile:
    """Return the checked site file.

    Raises:
        RefusalError: the file is missing, too large or no YAML.
        FaultsError: it is not a site; every fault with its place.
    """
    if not path.is_file() or path.stat().st_size > SITE_FILE_BYTES_MAX:
        raise RefusalError(f"{path}: no such file, or larger than {SITE_FILE_BYTES_MAX} bytes; name a site file")
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=SAFE_LOADER)  # noqa: S506 - see there
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RefusalError(f"{path}: not readable as YAML: {error}; mend the line it names") from error
    try:
        site = SiteFile.model_validate(document)
    except ValidationError as error:
        faults = [
            Fault(
                where=".".join(map(str, fault["loc"])),
                what=fault["msg"],
                remedy="see firmware-config/sites/demo/site.yaml",
            )
            for fault in error.errors()
        ]
        raise FaultsError(str(path), faults) from error
    faults = [*_dangling(site), *_strangers(site)]
    if faults:
        raise FaultsError(str(path), faults)
    return site


def expand(community: Community) -> tuple[Premises, ...]:
    """Return the premises of a community: flats of each building, then shops, then spaces."""
    flats = [
        Premises(
            community=community.code,
            building=building.code,
            unit=str(unit),
            floor=floor,
            label=f"{building.code}-{unit}-{floor}{door.door}",
            kind=PremisesKind.RESIDENCE,
            area_milli=_milli(door.area),
        )
        for building in community.buildings
        for unit in range(1, building.units + 1)
        for floor in range(1, building.floors + 1)
        for door in building.doors
    ]
    return (
        *flats,
        *_row(community, community.shops, PremisesKind.SHOP),
        *_row(community, community.spaces, PremisesKind.SPACE),
    )


def _row(community: Community, row: Row | None, kind: PremisesKind) -> list[Premises]:
    if row is None:
        return []
    return [
        Premises(
            community=community.code,
            building=row.building,
            unit=None,
            floor=None,
            label=f"{row.building}-{number:02d}",
            kind=kind,
            area_milli=_milli(row.area) if row.area else None,
        )
        for number in range(1, row.count + 1)
    ]


def _milli(text: str) -> int:
    return int(Decimal(text).scaleb(3))


def _dangling(site: SiteFile) -> list[Fault]:
    """Return one fault for each name that points at nothing."""
    communities = {community.code: community for company in site.companies for community in company.communities}
    gateways = {gateway.code for company in site.companies for gateway in company.gateways}
    wires = {wire.wire for wire in site.wires}
    labels = {code: {premises.label for premises in expand(community)} for code, community in communities.items()}
    faults = []

    def check(where: str, word: str, known: set[str] | dict[str, object]) -> None:
        if word not in known:
            faults.append(Fault(where=where, what=f"{word!r} is not in the file", remedy="add it or mend the name"))

    for code, community in communities.items():
        check(f"communities.{code}.gateway", community.gateway, gateways)
        for charge in community.charges:
            check(f"communities.{code}.charges", charge, set(site.charges))
    for wire in site.wires:
        check(f"wires.{wire.wire}.gateway", wire.gateway, gateways)
    for meter in site.meters:
        check(f"meters.{meter.serial}.wire", meter.wire, wires)
        check(f"meters.{meter.serial}.community", meter.community, set(communities))
        if meter.premises is not None:
            check(f"meters.{meter.serial}.premises", meter.premises, labels.get(meter.community, set()))
    for person in site.people:
        check(f"people.{person.premises}", person.premises, labels.get(person.community, set()))
    for lot in site.lots:
        check(f"lots.{lot.lot}.community", lot.community, set(communities))
        check(f"lots.{lot.lot}.charge", lot.charge, set(site.charges))
    return faults


def _strangers(site: SiteFile) -> list[Fault]:
    """Return one fault for each resident user who pays for no premises of the file."""
    payers = {(person.community, person.premises) for person in site.people if person.pays}
    what, remedy = "nobody of the file pays for these premises", "name community and premises of a payer"
    return [
        Fault(where=f"users.{user.login}", what=what, remedy=remedy)
        for user in site.users
        if user.role is RoleName.RESIDENT and (user.community, user.premises) not in payers
    ]
