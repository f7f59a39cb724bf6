"""The cloud's gateway endpoints as a process of their own, to be killed: `python -m tests.support.gateway_cloud`."""

from __future__ import annotations

import argparse
import asyncio
from datetime import UTC, datetime

import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from cloud.fleet.counters import GatewayMetrics
from cloud.fleet.downlink import Downlink
from cloud.fleet.endpoints import build_gateway_router
from cloud.ingest.endpoints import build_router
from cloud.ingest.service import Ingest
from cloud.kit.clock import SystemClock
from cloud.kit.db import Database
from cloud.kit.events import no_listeners
from cloud.kit.httpapi import install_error_handlers
from cloud.kit.ids import system_ids
from common.wire.signing import SigningKey
from tests.support.clock import SettableClock

CLOUD_KEY = SigningKey(b"c" * 32)


def gateway_app(database: Database) -> FastAPI:
    """Return the gateway endpoints over a database."""
    app = FastAPI()
    install_error_handlers(app)
    metrics = GatewayMetrics(CollectorRegistry())
    app.include_router(build_router(Ingest(database, CLOUD_KEY), metrics))
    downlink = Downlink(database=database, key=CLOUD_KEY, machine_clock=SystemClock(), look_s=0.05)
    app.include_router(build_gateway_router(downlink, metrics))
    return app


async def serve(conninfo: str, port: int) -> None:
    """Serve until killed."""
    clock = SettableClock(datetime(2026, 1, 1, tzinfo=UTC))
    database = Database(conninfo, clock=clock, ids=system_ids(clock), route=no_listeners)
    config = uvicorn.Config(gateway_app(database), host="127.0.0.1", port=port, log_level="warning")
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--conninfo", required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.conninfo, arguments.port))
