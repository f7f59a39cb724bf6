"""Commissioning in the office: codes as QR, revocation, configurations with their difference, roll-out, found meters.

/fleet/{gateway}/site            the configuration in force, what was reported of it, meters found on site
/fleet/{gateway}/site/preview    the difference before it is sent; one gateway first, where it runs on trial
/fleet/{gateway}/rollout         the shared sections for the rest, once the first has reported good

A gateway serves several communities, so only who keeps the fleet of the whole company may change one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.cases import service as cases
from cloud.fleet import enrolment, rollout
from cloud.fleet import service as fleet
from cloud.fleet.kinds import GatewayState
from cloud.fleet.rollout import Change
from cloud.fleet.values import Gateway
from cloud.identity.caller import Caller
from cloud.identity.callers import require_everywhere
from cloud.identity.policy import Permission
from cloud.kit.errors import NotFoundError
from cloud.web import pay_code
from cloud.web.frame import Frame, page_router, see_other
from common.errors import RefusalError
from common.ids import CaseId, GatewayId
from common.wire.commissioning import METER_PROPOSED, MeterProposal, unpack_proposal

CODE_PREFIX = "gatehouse-enrol:"  # tells the gateway's page that a scanned text is a code
ACCEPTED = "accepted into the configuration"
DECLINED = "declined"

Base = Annotated[int, Form(ge=0)]
Label = Annotated[str, Form(min_length=1, max_length=60)]
SiteText = Annotated[str, Form(max_length=rollout.TEXT_BYTES_MAX)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A meter that a technician found, and the case that asks for it."""

    case_id: CaseId
    proposal: MeterProposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Another gateway of a roll-out: what would change there; `version` is what was looked at."""

    gateway: Gateway
    version: int
    changes: tuple[Change, ...]


Keeper = Annotated[Caller, Depends(require_everywhere(Permission.MANAGE_FLEET))]


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of commissioning."""
    router = page_router()
    _add_sites(router, frame)
    _add_rollout(router, frame)
    _add_proposals(router, frame)
    _add_keys(router, frame)
    return router


def _add_sites(router: APIRouter, frame: Frame) -> None:
    @router.get("/fleet/{gateway_id}/site")
    async def show(request: Request, gateway_id: UUID, caller: Keeper) -> Response:
        """Show the configuration in force and what the gateway said of it."""
        async with frame.database.view(caller.tenant) as session:
            gateway = await _gateway(session, gateway_id)
            version, body = await rollout.site(session, gateway.gateway_id)
            standing = await rollout.standing(session, gateway.gateway_id)
            found = await _found(session, gateway.gateway_id)
        return frame.page(
            request,
            "manager/site.html",
            caller=caller,
            gateway=gateway,
            version=version,
            text=rollout.site_text(body) if body else "zone: Asia/Shanghai\nwires: []\ndevices: []\n",
            standing=standing,
            found=found,
        )

    @router.post("/fleet/{gateway_id}/site/preview")
    async def preview(request: Request, gateway_id: UUID, caller: Keeper, base: Base, text: SiteText) -> Response:
        """Show what would change; nothing is sent yet."""
        after = rollout.parse_site(text)
        async with frame.database.view(caller.tenant) as session:
            gateway = await _gateway(session, gateway_id)
            _, before = await rollout.site(session, gateway.gateway_id)
        return frame.page(
            request,
            "manager/site_preview.html",
            caller=caller,
            gateway=gateway,
            base=base,
            text=text,
            changes=rollout.difference(before, after),
        )

    @router.post("/fleet/{gateway_id}/site/publish")
    async def publish(gateway_id: UUID, caller: Keeper, base: Base, text: SiteText) -> Response:
        """Send the configuration to this gateway alone."""
        after = rollout.parse_site(text)
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await rollout.publish_site(unit, GatewayId(gateway_id), after, base=base)
        return see_other(f"/fleet/{gateway_id}/site", done="site-sent")

    @router.post("/fleet/{gateway_id}/site/rollback")
    async def roll_back(gateway_id: UUID, caller: Keeper) -> Response:
        """Send the last good configuration again."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await rollout.roll_back(unit, GatewayId(gateway_id))
        return see_other(f"/fleet/{gateway_id}/site", done="site-rolled-back")


def _add_rollout(router: APIRouter, frame: Frame) -> None:
    @router.get("/fleet/{gateway_id}/rollout")
    async def show(request: Request, gateway_id: UUID, caller: Keeper) -> Response:
        """Show what the shared sections of this gateway would change at the others."""
        async with frame.database.view(caller.tenant) as session:
            first = await _gateway(session, gateway_id)
            standing = await rollout.standing(session, first.gateway_id)
            rest = await _rest(session, first)
        return frame.page(request, "manager/rollout.html", caller=caller, gateway=first, standing=standing, rest=rest)

    @router.post("/fleet/{gateway_id}/rollout")
    async def carry(gateway_id: UUID, caller: Keeper, target: Annotated[list[str], Form()]) -> Response:
        """Send the shared sections to the others, as they were looked at."""
        targets = _targets(target)
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await rollout.carry(unit, GatewayId(gateway_id), targets)
        return see_other("/fleet", done="site-carried")


def _add_proposals(router: APIRouter, frame: Frame) -> None:
    @router.post("/fleet/{gateway_id}/found/{case_id}")
    async def decide(gateway_id: UUID, case_id: UUID, caller: Keeper, accept: Annotated[bool, Form()]) -> Response:
        """Take a found meter into the configuration, or decline it; the case is closed either way."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            gateway = await _gateway(unit.session, gateway_id)
            found = await _found(unit.session, gateway.gateway_id)
            one = next((one for one in found if one.case_id == case_id), None)
            if one is None:
                raise NotFoundError("this meter was decided on already")
            if accept:
                await rollout.accept_proposal(unit, gateway.gateway_id, one.proposal)
            await cases.close_case(unit, one.case_id, reason=ACCEPTED if accept else DECLINED)
        return see_other(f"/fleet/{gateway_id}/site", done="meter-accepted" if accept else "meter-declined")


def _add_keys(router: APIRouter, frame: Frame) -> None:
    @router.post("/fleet")
    async def plan(
        request: Request, caller: Keeper, label: Annotated[str, Form(min_length=1, max_length=60)]
    ) -> Response:
        """Plan a gateway and show its one-time code."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            _, code = await fleet.create_gateway(unit, label=label.strip())
        return _code_page(frame, request, caller, label.strip(), code)

    @router.post("/fleet/{gateway_id}/code")
    async def issue(request: Request, gateway_id: UUID, caller: Keeper) -> Response:
        """Issue a fresh one-time code and show it once, to read and to scan."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            gateway = await _gateway(unit.session, gateway_id)
            code = await fleet.issue_code(unit, gateway.gateway_id)
        return _code_page(frame, request, caller, gateway.label, code)

    @router.post("/fleet/{gateway_id}/revoke")
    async def revoke(gateway_id: UUID, caller: Keeper) -> Response:
        """Stop accepting anything that the gateway signs, for good."""
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            await enrolment.revoke(unit, GatewayId(gateway_id))
        return see_other(f"/fleet/{gateway_id}", done="gateway-revoked")


def _code_page(frame: Frame, request: Request, caller: Caller, label: str, code: str) -> Response:
    drawn = pay_code.svg(f"{CODE_PREFIX}{code}")
    return frame.page(request, "manager/gateway_code.html", caller=caller, label=label, code=code, drawn=drawn)


async def _gateway(session: AsyncSession, gateway_id: UUID) -> Gateway:
    found = next((one for one in await fleet.gateways(session) if one.gateway_id == gateway_id), None)
    if found is None:
        raise NotFoundError("there is no such gateway")
    return found


async def _found(session: AsyncSession, gateway_id: GatewayId) -> list[Found]:
    """Return the meters found at a gateway that wait; the newest sighting of each counts."""
    found = []
    for case in await cases.open_about(session, [gateway_id]):
        if case.reason != METER_PROPOSED:
            continue
        history = await cases.case_history(session, case.case_id)
        told = next((str(one.figures["proposal"]) for one in reversed(history) if "proposal" in one.figures), "")
        try:
            found.append(Found(case_id=case.case_id, proposal=unpack_proposal(told)))
        except RefusalError:
            continue  # the case itself stays on the work list
    return found


async def _rest(session: AsyncSession, first: Gateway) -> list[Rest]:
    _, shared = await rollout.site(session, first.gateway_id)
    rest = []
    for gateway in await fleet.gateways(session):
        version, body = await rollout.site(session, gateway.gateway_id)
        if gateway.gateway_id == first.gateway_id or gateway.state is GatewayState.RETIRED or not body:
            continue
        changes = rollout.difference(body, rollout.carried(shared, body))
        rest.append(Rest(gateway=gateway, version=version, changes=changes))
    return rest


def _targets(told: Sequence[str]) -> Mapping[GatewayId, int]:
    targets = {}
    for one in told:
        gateway, _, version = one.partition(":")
        try:
            targets[GatewayId(UUID(gateway))] = int(version)
        except ValueError as error:
            raise RefusalError("a gateway of the roll-out is not named rightly; open the page again") from error
    return targets
