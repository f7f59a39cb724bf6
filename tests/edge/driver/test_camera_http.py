"""Cameras that push, over real HTTP: answered after the decision, opened their own way, hostile bodies turned away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from edge.driver.camera_http import CameraFamily, HttpGateWire
from edge.driver.gate_events import BarrierAnswer, Post
from edge.driver.outcome import WireConfig, WireKind
from edge.driver.signs import BoardFamily
from edge.protocol.cameras import BODY_BYTES_MOST
from tests.edge.builders import until
from tests.edge.gate.bench import PLATE, Bench
from tests.support.browser import serving

SECONDS = 1_767_225_600


def zhenshi(plate: str = PLATE, number: int = 1, *, offline: bool = False, camera: str = "CAM-1") -> bytes:
    result = {
        "license": plate,
        "plateid": number,
        "colorType": 1,
        "confidence": 95,
        "isoffline": int(offline),
        "triggerType": 1,
        "type": 1,
        "timeStamp": {"Timeval": {"sec": SECONDS}},
    }
    return json.dumps({"AlarmInfoPlate": {"result": {"PlateResult": result}, "serialno": camera}}).encode()


def wire_of(family: CameraFamily, bench: Bench, barrier: str = "BAR-1") -> HttpGateWire:
    config = WireConfig(wire="push", kind=WireKind.CAMERA_HTTP, address="127.0.0.1:0")
    post = Post(camera="CAM-1", barrier=barrier, board=BoardFamily.LED_64, login=("admin", "secret"))
    return HttpGateWire(config, family, (post,), bench.clock)


Ask = Callable[..., Awaitable[httpx.Response]]


@asynccontextmanager
async def at_work(bench: Bench, wire: HttpGateWire) -> AsyncIterator[Ask]:
    """Run the gate over the wire and give a camera's way to post to it."""
    bench.gate = bench.make_gate()
    bench.gate._make_wire = lambda _: wire
    async with asyncio.TaskGroup() as group, httpx.AsyncClient() as http:
        task = group.create_task(bench.gate.run())
        async with asyncio.timeout(5):
            await wire.bound.wait()

        async def post(body: bytes, path: str = "/push/CAM-1") -> httpx.Response:
            return await http.post(f"http://127.0.0.1:{wire.port}{path}", content=body)

        yield post
        task.cancel()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path / "store.db")
    yield bench
    bench.store.close()


async def test_a_zhenshi_camera_is_opened_by_its_answer_with_a_sign(bench: Bench) -> None:
    async with at_work(bench, wire_of(CameraFamily.ZHENSHI, bench)) as post:
        answer = (await post(zhenshi())).json()["Response_AlarmInfoPlate"]
        again = (await post(zhenshi())).json()["Response_AlarmInfoPlate"]
    assert answer["info"] == "ok"
    assert answer["serialData"]
    assert again["info"] == "no", "a repeated record opened the gate"
    assert [event.what for event in await bench.parking()] == ["entry"]


async def test_an_offline_record_asks_for_the_next_and_never_opens(bench: Bench) -> None:
    async with at_work(bench, wire_of(CameraFamily.ZHENSHI, bench)) as post:
        answer = (await post(zhenshi(number=7, offline=True))).json()["Response_AlarmInfoPlate"]
    assert (answer["info"], answer["ContinuePushOffline"]) == ("no", {"plateid": "7", "continue": 1})


async def test_who_paid_while_waiting_is_let_out_by_the_next_heartbeat(bench: Bench) -> None:
    stay = await bench.enter()
    bench.clock.advance(timedelta(hours=3))
    async with at_work(bench, wire_of(CameraFamily.ZHENSHI, bench)) as post:
        bench.gate._book.keep(stay)
        held = (await post(zhenshi(number=9))).json()["Response_AlarmInfoPlate"]
        assert held["info"] == "no"
        await bench.gate.settle(stay.session_id, 600)
        beat: dict[str, Any] = {}
        for _ in range(50):
            beat = (await post(b"", "/push/CAM-1/beat")).json()["Response_AlarmInfoPlate"]
            if beat["info"] == "ok":
                break
            await asyncio.sleep(0.02)
    assert beat["info"] == "ok"


async def test_a_huaxia_camera_is_opened_by_its_output(bench: Bench) -> None:
    form = httpx.QueryParams(type="online", vdc_type="in", plate_num=PLATE, start_time=str(SECONDS), cam_id="CAM-1")
    async with at_work(bench, wire_of(CameraFamily.HUAXIA, bench)) as post:
        answer = (await post(str(form).encode())).json()
    assert answer["gpio_data"] == [{"ionum": "io1", "action": "on"}]


@pytest.mark.parametrize("family", [CameraFamily.HIKVISION, CameraFamily.DAHUA])
async def test_a_camera_with_commands_is_told_to_open_after_it_was_answered(bench: Bench, family: CameraFamily) -> None:
    told: list[tuple[str, str]] = []

    async def take(request: Request) -> Response:
        if "authorization" not in request.headers:
            return PlainTextResponse("", 401, {"WWW-Authenticate": 'Digest realm="c", nonce="n", qop="auth"'})
        told.append((request.method, str(request.url).partition(request.url.netloc)[2]))
        return PlainTextResponse("OK")

    camera = Starlette(routes=[Route("/{rest:path}", take, methods=["GET", "PUT"])])
    if family is CameraFamily.HIKVISION:
        inside = f"<eventType>ANPR</eventType><licensePlate>{PLATE}</licensePlate>"
        xml = f"<EventNotificationAlert>{inside}</EventNotificationAlert>"
        body = b"--b\r\nContent-Type: text/xml\r\n\r\n" + xml.encode() + b"\r\n--b\r\n\xff\xd8picture\r\n--b--"
    else:
        snap: dict[str, Any] = {"Picture": {"Plate": {"PlateNumber": PLATE}, "SnapInfo": {"DeviceID": "D"}}}
        body = json.dumps(snap).encode()
    async with serving(camera) as address:
        barrier = f"{address.removeprefix('http://')}/2"
        bench.site["gate"]["lots"][0]["barrier"] = barrier
        async with at_work(bench, wire_of(family, bench, barrier)) as post:
            assert (await post(body)).status_code == 200
            await until(lambda: len(told) == 1)
    (method, path), word = told[0], "barrierGate" if family is CameraFamily.HIKVISION else "openStrobe"
    assert method == ("PUT" if family is CameraFamily.HIKVISION else "GET")
    assert word in path
    assert "2" in path


async def test_a_camera_that_is_away_is_unreachable(bench: Bench) -> None:
    wire = wire_of(CameraFamily.HIKVISION, bench, "127.0.0.1:9/1")
    assert await wire.open_barrier("127.0.0.1:9/1", "k") is BarrierAnswer.UNREACHABLE


@pytest.mark.parametrize(
    ("body", "path", "status"),
    [
        (b"{", "/push/CAM-1", 400),
        (b"[" * 50_000, "/push/CAM-1", 400),
        (b"x" * (BODY_BYTES_MOST + 1), "/push/CAM-1", 413),
        (zhenshi(camera="CAM-9"), "/push/CAM-1", 400),
        (zhenshi("京" * 4_000), "/push/CAM-1", 400),
        (zhenshi(), "/push/CAM-9", 404),
        (b"", "/push/CAM-9/beat", 404),
    ],
)
async def test_a_hostile_body_is_turned_away_and_the_lane_goes_on(
    bench: Bench, body: bytes, path: str, status: int
) -> None:
    async with at_work(bench, wire_of(CameraFamily.ZHENSHI, bench)) as post:
        assert (await post(body, path)).status_code == status
        assert (await post(zhenshi())).json()["Response_AlarmInfoPlate"]["info"] == "ok"
    assert len(await bench.parking()) == 1
