"""The pages say what is on board and as of when; guesses are limited; the technician needs the PIN."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from common.errors import RefusalError
from common.ids import MeterId
from common.reading.reading import Quantity, Resource
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.driver.board import Board, WireFace
from edge.driver.build import build_wires
from edge.driver.health import BackOff
from edge.driver.outcome import (
    DeviceConfig,
    Exchange,
    FailureKind,
    PointValue,
    ReadFailure,
    ReadOutcome,
    Wire,
    WireConfig,
    WireKind,
    WireStats,
)
from edge.driver.units import UnitBook
from edge.driver.wire_book import WireBook
from edge.kiosk.commissioning import Commissioning, SiteLook
from edge.kiosk.dues import DuesBook, parse_dues
from edge.kiosk.pages import Pages
from edge.kiosk.probes import metrics
from edge.kiosk.server import PageServer, open_port
from edge.kiosk.sessions import Guesses, TechnicianSessions
from edge.kiosk.views import Sources
from edge.supervision import LoopLag
from tests.edge.builders import START, HandClock, counted, meter, until
from tests.edge.driver.builders import catalogue
from tests.edge.kiosk.desk_book import STAY, DeskBook, DoorBook, PileBook, TillBook
from tests.edge.kiosk.test_dues import body

PIN = "13572468"
SHORT = BackOff(first_s=0.001, most_s=0.002)
DEVICE = DeviceConfig(
    meter_id=meter(1),
    serial="W0001",
    wire="g1-bus",
    profile="cjt188-water",
    address="33000001",
    resource=Resource.WATER,
    points=(Quantity.VOLUME,),
    label="1-2-301 水表",
)
WIRE = WireConfig(wire="g1-bus", kind=WireKind.SERIAL_TCP, address="127.0.0.1:4001")


class Box:
    """A gateway's pages over a real store, with a board a test fills."""

    def __init__(self, store: Store, home: Path) -> None:
        self.store = store
        self.home = home
        self.clock = HandClock()
        self.board = Board()
        self.dues = DuesBook()
        self.asked: list[MeterId] = []
        self.codes: list[str] = []
        self.desk = DeskBook()
        self.piles = PileBook()
        self.doors = DoorBook()
        self.till = TillBook()
        self.second = 0
        self.ids = 0
        self.wires: dict[str, WireConfig] = {}
        self.commissioning = Commissioning(store, self.site_look(), {})
        sources = Sources(
            board=self.board,
            store=store,
            clock=self.clock,
            units=UnitBook(catalogue()),
            registry=metrics(self.board, store, LoopLag(), lambda: {"gate_opened": 2}),
            dues=lambda: self.dues,
            parking=self.desk,
            charging=self.piles,
            access=self.doors,
            pay=self.till,
            commissioning=self.commissioning,
            uplink=lambda: {"connected": False, "enrolled": True},
            gateway_name=lambda: "g1",
            read_now=self.read_now,
            enrol=self.enrol,
        )
        sessions = TechnicianSessions(PIN, self.seconds, counted)
        guesses = Guesses(self.seconds, most=3, window_s=60)
        pages = Pages(sources, sessions, guesses, lambda: UTC, 45)
        self.application = pages.application()
        transport = httpx.ASGITransport(self.application, raise_app_exceptions=False)
        self.browser = httpx.AsyncClient(transport=transport, base_url="http://box", follow_redirects=True)

    def seconds(self) -> float:
        return self.second

    def site_look(self) -> SiteLook:
        def build(config: WireConfig) -> Wire:
            return build_wires([config], catalogue(), self.clock, folder=Path(), back_off=SHORT)[config.wire]

        return SiteLook(
            board=self.board,
            book=WireBook(build, self.clock, lambda: self.board.wires),
            catalogue=catalogue(),
            wires=lambda: self.wires,
            read_now=self.read_now,
            now=self.clock.now,
            home=self.home,
            new_id=self.new_id,
        )

    def new_id(self) -> UUID:
        self.ids += 1
        return meter(900 + self.ids)

    async def read_now(self, meter_id: MeterId) -> ReadOutcome:
        self.asked.append(meter_id)
        return self.board.meters[meter_id].outcome or SILENT

    async def enrol(self, code: str) -> str:
        if code != "AB12":
            raise RefusalError("this code was used before; ask the office for a new one")
        self.codes.append(code)
        return "g1"

    def lay_out(self, outcome: ReadOutcome | None) -> None:
        face = WireFace(config=WIRE, stats=WireStats(exchanges=9, answers=8), meters=1, completed=START)
        self.board.lay_out([face], [DEVICE])
        self.board.meters[DEVICE.meter_id].outcome = outcome
        self.board.meters[DEVICE.meter_id].read_at = START if outcome else None

    async def look_up(self, room: str, code: str) -> httpx.Response:
        return await self.browser.post("/dues", data={"room": room, "code": code})

    async def sign_in(self) -> None:
        await self.browser.post("/technician/sign-in", data={"pin": PIN})


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    store = Store.open(tmp_path / "store.db", clock=HandClock(), entropy=counted, budget=Budget())
    box = Box(store, tmp_path)
    yield box
    await box.browser.aclose()
    store.close()


VALUE = PointValue(quantity=Quantity.VOLUME, raw=b"", value_milli=152_375, exchange=Exchange(request=b"", response=b""))
READ = ReadOutcome(meter_id=DEVICE.meter_id, points=(VALUE,))
SILENT = ReadOutcome(
    meter_id=DEVICE.meter_id,
    failures=(ReadFailure(kind=FailureKind.TIMEOUT, points=(Quantity.VOLUME,), detail="W0001 is silent"),),
)


async def test_the_kiosk_starts_in_chinese_with_english_beside_and_resets_when_idle(box: Box) -> None:
    page = await box.browser.get("/")
    assert '<html lang="zh-CN">' in page.text
    assert "查询应缴费用" in page.text
    assert "What is due" in page.text
    assert 'data-idle-seconds="45"' in page.text


async def test_every_asset_a_page_names_is_on_board(box: Box) -> None:
    page = await box.browser.get("/")
    assert "http://" not in page.text
    assert "https://" not in page.text
    for asset in ("/static/pages.css", "/static/pages.js"):
        assert asset in page.text
        assert (await box.browser.get(asset)).status_code == 200


async def test_dues_are_shown_with_the_date_of_the_last_sync(box: Box) -> None:
    box.dues = parse_dues(body())
    page = await box.look_up("1-2-301", "4711")
    assert page.status_code == 200
    assert "2026-02-01 00:00" in page.text
    assert "¥76.25" in page.text
    assert "电费" in page.text


async def test_before_the_first_sync_the_kiosk_says_so(box: Box) -> None:
    page = await box.look_up("1-2-301", "4711")
    assert page.status_code == 404
    assert "还没有收到账单数据" in page.text


async def test_a_wrong_code_and_an_unknown_room_look_the_same(box: Box) -> None:
    box.dues = parse_dues(body())
    wrong, unknown = await box.look_up("1-2-301", "0000"), await box.look_up("9-9-999", "4711")
    assert (wrong.status_code, wrong.text) == (unknown.status_code, unknown.text)


async def test_guesses_are_limited_and_allowed_again_later(box: Box) -> None:
    box.dues = parse_dues(body())
    for _ in range(3):
        assert (await box.look_up("1-2-301", "0000")).status_code == 404
    assert (await box.look_up("1-2-301", "4711")).status_code == 429
    box.second = 61
    assert (await box.look_up("1-2-301", "4711")).status_code == 200


async def test_what_the_pages_refuse_is_counted_by_reason(box: Box) -> None:
    box.dues = parse_dues(body())
    for code in ("0000", "4711", "4712", "4711"):
        await box.look_up("1-2-301", code)
    await box.browser.post("/technician/sign-in", data={"pin": "00000000"})
    told = (await box.browser.get("/metrics")).text
    assert 'gatehouse_kiosk_refusals_total{reason="wrong code"} 2.0' in told
    assert 'gatehouse_kiosk_refusals_total{reason="too many guesses"} 1.0' in told
    assert 'gatehouse_kiosk_refusals_total{reason="wrong PIN"} 1.0' in told


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/technician/enrol", {"code": "ZZ99"}),
        (f"/technician/parking/{STAY.session_id}", {"yuan": "much"}),
        ("/technician/parking/77", {"plate": "沪A12345"}),
    ],
)
async def test_faulty_input_of_a_technician_is_refused_counted_and_done_nowhere(
    box: Box, path: str, form: dict[str, str]
) -> None:
    await box.sign_in()
    answer = await box.browser.post(path, data=form)
    assert answer.status_code == 409
    assert "未能完成" in answer.text
    assert (box.codes, box.desk.done) == ([], [])
    told = (await box.browser.get("/metrics")).text
    assert 'gatehouse_kiosk_refusals_total{reason="faulty input"} 1.0' in told


async def test_an_oversize_form_is_refused_before_it_is_read(box: Box) -> None:
    page = await box.browser.post("/dues", content=b"room=" + b"1" * 10_000)
    assert page.status_code == 413


async def test_text_from_a_bundle_is_shown_as_text(box: Box) -> None:
    hostile = body()
    hostile["rooms"][0]["bills"][0]["lines"][0]["name"]["zh"] = "<script>alert(1)</script>"
    box.dues = parse_dues(hostile)
    page = await box.look_up("1-2-301", "4711")
    assert "<script>alert" not in page.text


async def test_the_technician_needs_the_pin(box: Box) -> None:
    box.lay_out(READ)
    assert "W0001" not in (await box.browser.get("/technician")).text
    page = await box.browser.post("/technician/sign-in", data={"pin": "00000000"})
    assert page.status_code == 403
    await box.browser.post(f"/technician/meters/{DEVICE.meter_id}/read")
    assert box.asked == []


async def test_pin_guesses_are_limited(box: Box) -> None:
    for _ in range(3):
        await box.browser.post("/technician/sign-in", data={"pin": "00000000"})
    page = await box.browser.post("/technician/sign-in", data={"pin": PIN})
    assert page.status_code == 429


async def test_the_technician_sees_wires_and_decoded_values(box: Box) -> None:
    box.lay_out(READ)
    await box.sign_in()
    page = await box.browser.get("/technician")
    assert "152.375 m3" in page.text
    assert "8/9" in page.text
    assert "1-2-301 水表" in page.text
    assert "未连接 away" in page.text
    assert "Cars in north" in page.text


async def test_a_silent_meter_says_why_it_shows_no_value(box: Box) -> None:
    box.lay_out(SILENT)
    await box.sign_in()
    page = await box.browser.get(f"/technician/meters/{DEVICE.meter_id}")
    assert "W0001 is silent" in page.text


async def test_the_technician_reads_a_meter_at_once(box: Box) -> None:
    box.lay_out(None)
    await box.sign_in()
    page = await box.browser.post(f"/technician/meters/{DEVICE.meter_id}/read")
    assert page.status_code == 200
    assert box.asked == [DEVICE.meter_id]


async def test_a_meter_that_is_not_there_is_not_found(box: Box) -> None:
    await box.sign_in()
    assert (await box.browser.get(f"/technician/meters/{UUID(int=5)}")).status_code == 404


async def test_enrolment_by_code_and_its_refusal_are_shown(box: Box) -> None:
    await box.sign_in()
    done = await box.browser.post("/technician/enrol", data={"code": " AB12 "})
    assert "网关已登记" in done.text
    refused = await box.browser.post("/technician/enrol", data={"code": "AB12X"})
    assert refused.status_code == 409
    assert "used before" in refused.text
    assert box.codes == ["AB12"]


async def test_a_wrong_plate_is_corrected_and_a_stay_is_paid_at_the_gate(box: Box) -> None:
    await box.sign_in()
    assert "苏A1234S" in (await box.browser.get("/technician/parking")).text
    await box.browser.post(f"/technician/parking/{STAY.session_id}", data={"plate": "苏A12345"})
    await box.browser.post(f"/technician/parking/{STAY.session_id}", data={"yuan": "7.50"})
    assert box.desk.done == [(STAY.session_id, "苏A12345"), (STAY.session_id, 750)]


@pytest.mark.parametrize(("path", "form"), [(str(STAY.session_id), {"yuan": "seven"}), ("x", {"plate": "苏A12345"})])
async def test_a_sum_or_session_that_is_none_is_refused(box: Box, path: str, form: dict[str, str]) -> None:
    await box.sign_in()
    refused = await box.browser.post(f"/technician/parking/{path}", data=form)
    assert refused.status_code == 409
    assert box.desk.done == []


async def test_plates_are_shown_to_nobody_without_the_pin(box: Box) -> None:
    assert "苏A1234S" not in (await box.browser.get("/technician/parking")).text


async def test_a_session_ends(box: Box) -> None:
    box.lay_out(READ)
    await box.sign_in()
    box.second = 9 * 3600
    assert "W0001" not in (await box.browser.get("/technician")).text


async def test_the_status_tells_what_paces_the_clock(box: Box) -> None:
    box.lay_out(READ)
    status = (await box.browser.get("/status")).json()
    assert status["completed_slot"] == START.isoformat()
    assert status["wires"]["g1-bus"] == {"completed_slot": START.isoformat(), "meters": 1, "failing": 0}
    assert status["parking"] == {"north": 3}
    assert status["store"]["batches_pending"] == 0


async def test_the_metrics_hold_wires_store_and_parts(box: Box) -> None:
    box.lay_out(READ)
    text = (await box.browser.get("/metrics")).text
    assert 'gatehouse_wire_exchanges_total{what="answers",wire="g1-bus"} 8.0' in text
    assert 'gatehouse_part_total{part="gate_opened"} 2.0' in text
    assert "gatehouse_completed_slot_seconds 1.7672256e+09" in text
    assert 'gatehouse_loop_lag_seconds_bucket{le="0.02"} 0.0' in text
    assert "# TYPE gatehouse_store_wait_seconds histogram" in text


def test_a_port_that_is_taken_is_refused_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(RefusalError, match=r"pages\.port"):
        open_port("127.0.0.1", taken.getsockname()[1])


async def test_a_taken_port_is_counted_and_does_not_end_the_server_task() -> None:
    application = Starlette(routes=[Route("/", lambda _: PlainTextResponse("here"))])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = PageServer(application, "127.0.0.1", taken.getsockname()[1])
        async with asyncio.TaskGroup() as group:
            task = group.create_task(server.run())
            await until(lambda: server.refusals == 1)
            assert not task.done()
            task.cancel()


async def test_the_server_answers_and_ends_when_told() -> None:
    application = Starlette(routes=[Route("/", lambda _: PlainTextResponse("here"))])
    server = PageServer(application, "127.0.0.1", 0)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.run())
        await until(lambda: server.bound is not None)
        assert server.bound is not None
        async with httpx.AsyncClient() as browser:
            answer = await browser.get(f"http://127.0.0.1:{server.bound[1]}/")
        assert answer.text == "here"
        task.cancel()
