"""Gateways and fleet health: the newest report of each, how far its batches are unpacked, its bundles' effects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.cases import service as cases
from cloud.fleet import rollout
from cloud.fleet import service as fleet
from cloud.fleet.kinds import GatewayState
from cloud.fleet.rollout import Standing
from cloud.fleet.values import Gateway
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.errors import NotFoundError
from cloud.kit.httpapi import Paging, paging
from cloud.metering import service as metering
from cloud.web.frame import Frame, page_router
from cloud.web.listing import csv_file, part
from cloud.web.rendering import instant
from common.wire.software import SOFTWARE, unpack_release

SILENT_AFTER = timedelta(hours=26)  # readings come daily at least; two hours of grace

Viewer = Annotated[Caller, Depends(require(Permission.SEE_FLEET))]
Wanted = Annotated[Paging, Depends(paging)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What the fleet page says of a gateway; None where it has not reported that yet."""

    backlog: int | None
    clock_trusted: bool | None
    meters: int | None
    meters_silent: int | None
    software: str | None
    site: Standing
    open_cases: int


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of the fleet."""
    router = page_router()

    @router.get("/fleet")
    async def overview(request: Request, caller: Viewer, wanted: Wanted) -> Response:
        """Show every gateway with its newest health."""
        now = frame.now()
        async with frame.database.view(caller.tenant) as session:
            found = await fleet.gateways(session)
            until = await metering.watermarks(session, [gateway.gateway_id for gateway in found])
            rows = part(found, wanted)
            health = {one.gateway_id: await _health(session, one) for one in rows.rows}
        return frame.page(
            request,
            "manager/fleet.html",
            caller=caller,
            keeps=_keeps(caller),
            rows=rows,
            health=health,
            until=until,
            silent=frozenset(gateway.gateway_id for gateway in found if is_silent(gateway, now)),
            now=now,
        )

    _add_file(router, frame)

    @router.get("/fleet/{gateway_id}")
    async def one(request: Request, gateway_id: UUID, caller: Viewer) -> Response:
        """Show one gateway: counters and what it said of its bundles."""
        now = frame.now()
        async with frame.database.view(caller.tenant) as session:
            found = next((one for one in await fleet.gateways(session) if one.gateway_id == gateway_id), None)
            if found is None:
                raise NotFoundError("there is no such gateway")
            effects = await fleet.bundle_effects(session, found.gateway_id)
            until = await metering.watermarks(session, [found.gateway_id])
            health = await _health(session, found)
        return frame.page(
            request,
            "manager/gateway.html",
            caller=caller,
            gateway=found,
            effects=effects[::-1],
            keeps=_keeps(caller),
            health=health,
            until=until[found.gateway_id],
            silent=is_silent(found, now),
            now=now,
        )

    return router


def _add_file(router: APIRouter, frame: Frame) -> None:
    @router.get("/fleet/gateways.csv")
    async def file(caller: Viewer) -> Response:
        """Answer the gateways as a file."""
        async with frame.database.view(caller.tenant) as session:
            found = await fleet.gateways(session)
            until = await metering.watermarks(session, [gateway.gateway_id for gateway in found])
        return csv_file(
            "gateways.csv",
            ("网关 gateway", "状态 state", "硬件 hardware", "软件 software", "报告 health", "完整至 complete until"),
            (
                (one.label, one.state, one.hardware, _software(one), _when(one.health_at), _when(until[one.gateway_id]))
                for one in found
            ),
        )


async def _health(session: AsyncSession, gateway: Gateway) -> Health:
    """Return how a gateway does: what it reported, how its configuration stands, what is open about it."""
    told = gateway.counters
    return Health(
        backlog=told.get("batches_pending"),
        clock_trusted=None if "clock_trusted" not in told else told["clock_trusted"] == 1,
        meters=told.get("meters"),
        meters_silent=told.get("meters_silent"),
        software=_software(gateway),
        site=await rollout.standing(session, gateway.gateway_id),
        open_cases=len(await cases.open_about(session, [gateway.gateway_id])),
    )


def _software(gateway: Gateway) -> str | None:
    told = gateway.counters.get(SOFTWARE)
    return None if told is None else unpack_release(told)


def _keeps(caller: Caller) -> bool:
    return caller.may(Permission.MANAGE_FLEET) and caller.scope(Permission.MANAGE_FLEET).everywhere


def is_silent(gateway: Gateway, now: datetime) -> bool:
    """Return whether a gateway that should report has not done so for too long."""
    if gateway.state is not GatewayState.ENROLLED:
        return False
    return gateway.health_at is None or now - gateway.health_at > SILENT_AFTER


def _when(at: datetime | None) -> str | None:
    return None if at is None else instant(at)
