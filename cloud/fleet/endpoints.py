"""The doors of the fleet: for gateways enrolment, key change and long poll; for people planning, revoking, meters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Request, Response

from cloud.estate import service as estate
from cloud.fleet import enrolment, schemas
from cloud.fleet import service as fleet
from cloud.fleet.answers import CBOR, refusal_answer
from cloud.fleet.counters import GatewayMetrics
from cloud.fleet.downlink import Downlink
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.errors import ForbiddenError, MalformedError
from cloud.kit.httpapi import problem, status_of
from common.civil import Period
from common.ids import CommunityId, GatewayId, MeterId, PremisesId
from common.wire.refusal import WireError

Viewer = Annotated[Caller, Depends(require(Permission.SEE_FLEET))]
Keeper = Annotated[Caller, Depends(require(Permission.MANAGE_FLEET))]
_log = structlog.get_logger()


def build_gateway_router(downlink: Downlink, metrics: GatewayMetrics) -> APIRouter:
    """Return the endpoints that gateways call, outside the API of people."""
    router = APIRouter(prefix="/gateway/v1", tags=["gateway"])

    async def answered(endpoint: str, work: Callable[[bytes], Awaitable[bytes]], request: Request) -> Response:
        body = await request.body()
        try:
            answer = await work(body)
        except WireError as error:
            metrics.refused.labels(endpoint, str(error.reason)).inc()
            _log.warning("gateway_refused", endpoint=endpoint, reason=str(error.reason))
            return refusal_answer(error)
        except ForbiddenError as error:
            metrics.refused.labels(endpoint, "forbidden").inc()
            _log.warning("gateway_refused", endpoint=endpoint, reason="forbidden")
            return problem(status_of(error), str(error), reason="forbidden")
        metrics.accepted.labels(endpoint, "answered").inc()
        return Response(answer, media_type=CBOR)

    @router.post("/enrol")
    async def enrol(request: Request) -> Response:
        """Bind a gateway's key with a one-time code; answer its certificate and configuration."""
        return await answered("enrol", downlink.enrol, request)

    @router.post("/keys")
    async def change_key(request: Request) -> Response:
        """Take a gateway's next key in; answer its new certificate."""
        return await answered("keys", downlink.rotate, request)

    @router.post("/downlink")
    async def poll(request: Request) -> Response:
        """Answer bundles newer than the gateway has, as soon as there are any."""
        return await answered("downlink", downlink.poll, request)

    return router


def build_router(database: Database) -> APIRouter:
    """Return the endpoints of the fleet for the company's people."""
    router = APIRouter(tags=["fleet"])
    _add_gateways(router, database)
    _add_meters(router, database)
    return router


def _add_gateways(router: APIRouter, database: Database) -> None:
    @router.get("/gateways")
    async def gateways(caller: Viewer) -> list[schemas.GatewayOut]:
        """List the gateways with their newest health."""
        async with database.view(caller.tenant) as session:
            return [schemas.GatewayOut.of(gateway) for gateway in await fleet.gateways(session)]

    @router.get("/gateways/{gateway_id}/effects")
    async def effects(gateway_id: UUID, caller: Viewer) -> list[schemas.EffectOut]:
        """List what a gateway reported about its bundles, oldest first."""
        async with database.view(caller.tenant) as session:
            found = await fleet.bundle_effects(session, GatewayId(gateway_id))
        return [schemas.EffectOut.of(effect) for effect in found]

    @router.post("/gateways", status_code=HTTPStatus.CREATED)
    async def plan(body: schemas.GatewayIn, caller: Keeper) -> schemas.CodeOut:
        """Plan a gateway; its one-time code is shown in this answer only."""
        _require_whole_company(caller)
        async with database.unit(caller.tenant, caller.actor) as unit:
            gateway_id, code = await fleet.create_gateway(unit, label=body.label)
        return schemas.CodeOut(gateway_id=gateway_id, code=code)

    @router.post("/gateways/{gateway_id}/codes", status_code=HTTPStatus.CREATED)
    async def issue_code(gateway_id: UUID, caller: Keeper) -> schemas.CodeOut:
        """Issue a fresh code for a gateway; an unused one before it loses its worth."""
        _require_whole_company(caller)
        async with database.unit(caller.tenant, caller.actor) as unit:
            code = await fleet.issue_code(unit, GatewayId(gateway_id))
        return schemas.CodeOut(gateway_id=gateway_id, code=code)

    @router.post("/gateways/{gateway_id}/key-change", status_code=HTTPStatus.ACCEPTED)
    async def order_key_change(gateway_id: UUID, caller: Keeper) -> schemas.OrderedOut:
        """Tell a gateway to change its key at its next poll; its effects say what became of it."""
        _require_whole_company(caller)
        async with database.unit(caller.tenant, caller.actor) as unit:
            version = await fleet.order_key_change(unit, GatewayId(gateway_id))
        return schemas.OrderedOut(version=version)

    @router.post("/gateways/{gateway_id}/revocation", status_code=HTTPStatus.NO_CONTENT)
    async def revoke(gateway_id: UUID, caller: Keeper) -> None:
        """Stop accepting anything that the gateway signs, from now on and for good."""
        _require_whole_company(caller)
        async with database.unit(caller.tenant, caller.actor) as unit:
            await enrolment.revoke(unit, GatewayId(gateway_id))


def _add_meters(router: APIRouter, database: Database) -> None:
    @router.post("/meters", status_code=HTTPStatus.CREATED)
    async def add_meter(body: schemas.MeterIn, caller: Keeper) -> schemas.MeterIdOut:
        """Add a meter by its nameplate; it counts nowhere until it is placed."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            made = await fleet.add_meter(
                unit,
                serial=body.serial,
                resource=body.resource,
                model=body.model,
                digits=body.digits,
                multiplier_milli=body.multiplier_milli,
                kind=body.kind,
            )
        return schemas.MeterIdOut(id=made)

    @router.get("/communities/{community_id}/meters")
    async def installed(community_id: UUID, caller: Viewer, start: date, end: date) -> list[schemas.InstalledMeterOut]:
        """List the meters of a community in their places during a period, the end not included."""
        if start >= end:
            raise MalformedError("the period ends before it starts")
        async with database.view(caller.tenant) as session:
            await estate.community(session, CommunityId(community_id))
            found = await fleet.installed_meters(session, CommunityId(community_id), Period(start, end))
        return [schemas.InstalledMeterOut.of(meter) for meter in found]

    @router.post("/communities/{community_id}/meters/{meter_id}/place", status_code=HTTPStatus.NO_CONTENT)
    async def install(community_id: UUID, meter_id: UUID, body: schemas.PlaceIn, caller: Keeper) -> None:
        """Let a meter count for premises or the public area of a community; an earlier place ends that day."""
        parent = None if body.parent_meter_id is None else MeterId(body.parent_meter_id)
        async with database.unit(caller.tenant, caller.actor) as unit:
            await fleet.install_meter(
                unit,
                meter_id=MeterId(meter_id),
                community_id=CommunityId(community_id),
                premises_id=None if body.premises_id is None else PremisesId(body.premises_id),
                start=body.start,
                parent_meter_id=parent,
            )

    @router.post("/communities/{community_id}/meters/{meter_id}/removal", status_code=HTTPStatus.NO_CONTENT)
    async def remove(community_id: UUID, meter_id: UUID, body: schemas.RemovalIn, caller: Keeper) -> None:
        """Let a meter of a community count nowhere from a day on."""
        async with database.unit(caller.tenant, caller.actor) as unit:
            await fleet.remove_meter(unit, CommunityId(community_id), MeterId(meter_id), body.end)


def _require_whole_company(caller: Caller) -> None:
    """Go on only for who keeps the fleet of every community, because a gateway may serve any of them."""
    if not caller.scope(Permission.MANAGE_FLEET).everywhere:
        raise ForbiddenError("a gateway is planned and revoked by somebody who works in the whole company")
