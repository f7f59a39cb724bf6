"""The gateway, put together: store, then wires, gate and pages, then uplink. Nothing ever waits for the uplink.

    wires ──► sampling ──► watch, estimator ──► store ──► sealer ──► uplink
    cameras ──► gate ─────────────────────────► store (gate lane first)
    downlink ──► apply: site, tariffs, permits, dues ──► sampling, gate, estimator, kiosk

Each part runs in one task group. A part that fails is counted, logged once and started again after a pause; only a
store that stopped serving ends the process, for a supervisor to start it anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Any

import structlog

from common.errors import RefusalError, ensure
from common.ids import TimeOrderedIds
from common.wire import cbor
from common.wire.records import Health
from common.wire.stamp import ClockSource
from edge.access.plan import parse_access
from edge.access.service import Access
from edge.buffer.records import BundleState
from edge.buffer.shedding import Budget
from edge.buffer.store import Store
from edge.charging.desk import ChargingDesk
from edge.charging.plan import parse_charging
from edge.charging.service import ChargingStage
from edge.clock import EdgeClock, PacedClock, SystemClock, entropy, monotonic_s
from edge.device.catalogue import Catalogue, load_catalogue
from edge.downlink.listener import Listener
from edge.downlink.trial import Trials, site_of
from edge.driver.board import Board
from edge.driver.build import build_wires
from edge.driver.cards import parse_cards
from edge.driver.door_build import build_door_wire
from edge.driver.fitness import check_site
from edge.driver.gate_build import build_gate
from edge.driver.gate_events import GateWire
from edge.driver.health import BackOff
from edge.driver.outcome import Wire, WireConfig
from edge.driver.pile_build import pile_wires
from edge.driver.printer import Printer
from edge.driver.units import UnitBook
from edge.driver.wire_book import WireBook
from edge.gate.desk import GateDesk
from edge.gate.plan import GatePlan, parse_gate, parse_permits
from edge.gate.service import Gate
from edge.kiosk.commissioning import Commissioning, SiteLook
from edge.kiosk.dues import DuesBook, parse_dues
from edge.kiosk.pages import Pages
from edge.kiosk.probes import health_figures, metrics
from edge.kiosk.server import PageServer
from edge.kiosk.sessions import Guesses, TechnicianSessions
from edge.kiosk.till import Till
from edge.kiosk.views import Sources
from edge.prerate.estimator import OWNER as PRERATE
from edge.prerate.estimator import Estimator
from edge.prerate.prices import parse_prices
from edge.sampling.plan import parse_plan
from edge.sampling.poller import Around, Tempo
from edge.sampling.service import Sampling
from edge.sampling.watch import OWNER as WATCH
from edge.sampling.watch import Watch
from edge.settings import Settings, make_pin
from edge.supervision import LoopLag, Supervisor
from edge.telemetry import settle_interpreter
from edge.transport.web import web_client
from edge.uplink.backoff import FullJitter
from edge.uplink.cashier import CloudCashier
from edge.uplink.commands import obey
from edge.uplink.courier import Courier, Rhythm
from edge.uplink.enrolment import enrol_at
from edge.uplink.errors import LinkError
from edge.uplink.identity import Identity
from edge.uplink.link import CloudLink
from edge.uplink.sealer import BatchSealer

PART_PAUSE_S = 2.0
HEALTH_S = 60.0
GUESSES_A_MINUTE = 10
BUNDLE_KINDS = ("site", "tariffs", "permits", "dues", "access")
_log = structlog.get_logger()


def make_clock(settings: Settings) -> EdgeClock:
    """Return the clock of the settings: the box's own, or a paced one by file."""
    return SystemClock() if settings.clock_file is None else PacedClock(settings.clock_file)


def open_store(settings: Settings, clock: EdgeClock) -> Store:
    """Open the gateway's store.

    Raises:
        RefusalError: another process holds it, or the folder cannot be written.
    """
    return Store.open(
        settings.store_path,
        clock=clock,
        entropy=entropy,
        budget=Budget(
            limit_bytes=settings.store_limit_bytes,
            ballast_bytes=settings.store_ballast_bytes,
            keep_ms=settings.store_keep_ms,
        ),
        commit_interval_s=settings.commit_interval_ms / 1000,
    )


class Gateway:
    """All parts of one gateway over an open store."""

    def __init__(self, settings: Settings, clock: EdgeClock, store: Store, catalogue: Catalogue) -> None:
        self._settings = settings
        self._identity = Identity.load(settings.key_path, entropy)
        self._enrolled = asyncio.Event()
        self._cashier = CloudCashier(settings.cloud_url, self._identity)
        self._courier: Courier | None = None
        self._listener: Listener | None = None
        self._clock = clock
        self._store = store
        self._catalogue = catalogue
        self._zone: tzinfo = UTC
        self._dues = DuesBook()
        self._wires: dict[str, WireConfig] = {}
        self._part_failures = 0
        self._lag = LoopLag()
        self._units = UnitBook(catalogue)
        self.board = Board()
        self.versions: dict[str, int] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Take up what is on board, then work until told to stop."""
        await self._assemble()
        pages = self._pages()
        async with asyncio.TaskGroup() as group:
            parts = {
                "sampling": self.sampling.run,
                "gate": self.gate.run,
                "pages": pages.run,
                "uplink": self._reach_cloud,
                "charging": self.charging.run,
                "access": self.access.run,
                "trials": self._trials.run,
                "commissioning": self.commissioning.run,
            }
            tasks = [group.create_task(self._keep(name, part)) for name, part in parts.items()]
            tasks.append(group.create_task(self._watch_health()))
            tasks.append(group.create_task(self._lag.watch(monotonic_s)))
            settle_interpreter()
            supervisor = Supervisor(address=self._settings.notify_socket, watchdog_us=self._settings.watchdog_us)
            tasks.append(group.create_task(supervisor.feed(self._store.trouble, monotonic_s)))
            supervisor.tell("READY=1")
            _log.info("gateway_started", epoch=self._store.epoch, bundles=self.versions)
            await stop.wait()
            supervisor.tell("STOPPING=1")
            for task in tasks:
                task.cancel()

    async def apply(self, kind: str, body: Mapping[str, Any]) -> None:
        """Check a bundle's payload and put it in force; what is in force stays when it is refused.

        Raises:
            RefusalError: the payload is faulty or of a kind this release does not know.
        """
        match kind:
            case "site":
                self._apply_site(body)
            case "tariffs":
                self.estimator.use(parse_prices(body))
            case "permits":
                self.gate.use_permits(parse_permits(body))
            case "access":
                self.charging.use_cards(cards := parse_cards(body))
                self.access.use_cards(cards)
            case "dues":
                self._dues = parse_dues(body)
            case _:
                raise RefusalError(f"a bundle of kind {kind!r} is not known here; update the gateway")

    async def _assemble(self) -> None:
        """Build the stages with what they stored, and put the last good bundles in force."""
        store, clock = self._store, self._clock
        self.watch = Watch(await store.stage(WATCH), self._zone)
        self.estimator = Estimator(await store.stage(PRERATE), self._zone)
        around = Around(
            store=store,
            clock=clock,
            monotonic_s=monotonic_s,
            board=self.board,
            units=self._units,
            observers=(self.watch, self.estimator),
            tempo=Tempo(
                tick_s=self._settings.tick_ms / 1000,
                patience_s=self._settings.patience_ms / 1000,
                retry_s=self._settings.retry_ms / 1000,
            ),
        )
        book = WireBook(self._make_wire, clock, lambda: self.board.wires)
        self.sampling = Sampling(book.make, around)
        self._ids = ids = TimeOrderedIds(clock.now, entropy)
        look = SiteLook(
            board=self.board,
            book=book,
            catalogue=self._catalogue,
            wires=lambda: self._wires,
            read_now=self.sampling.read_now,
            now=clock.now,
            new_id=ids.new,
            home=self._settings.home,
        )
        self.commissioning = await Commissioning.load(store, look)
        self.gate = Gate(store, clock, ids, self.estimator.quote_stay, lambda plan: self._build_gate(plan, self._wires))
        await self.gate.load()
        piles = pile_wires(lambda: self._wires, clock)
        self.charging = ChargingStage(store, clock, ids, self.estimator.quote_charge, piles)
        await self.charging.load()
        self.access = Access(store, clock, ids, lambda name, doors: build_door_wire(self._wires, name, doors))
        await self.access.load()
        site = site_of(
            self.board, self.sampling.read_now, lambda: bool(self._listener and self._listener.stats.connected)
        )
        self._trials = Trials(shelf=store, site=site, apply=self.apply, monotonic_s=monotonic_s)
        for kind in BUNDLE_KINDS:
            stored = await store.bundle(kind)
            if stored is not None and stored.state is BundleState.TRIAL:
                await self._trials.abandon(stored)
                stored = await store.bundle(kind)
            if stored is not None:
                try:
                    await self.apply(kind, cbor.decode(stored.body, f"{kind} bundle"))
                    self.versions[kind] = stored.version
                except RefusalError as refusal:
                    _log.error("stored_bundle_refused", kind=kind, version=stored.version, reason=str(refusal))

    def _apply_site(self, body: Mapping[str, Any]) -> None:
        plan, gate, charging, access = parse_plan(body), parse_gate(body), parse_charging(body), parse_access(body)
        check_site(plan.wires, plan.devices, self._catalogue, period_s=plan.schedule.shortest_period_s)
        wires = {config.wire: config for config in plan.wires}
        if gate.lanes:
            self._build_gate(gate, wires)
        self._zone, self._wires = plan.schedule.zone, wires
        self.watch.use_zone(self._zone)
        self.estimator.use_zone(self._zone)
        self.sampling.use(plan)
        self.gate.use(gate)
        self.charging.use(charging)
        self.access.use(access)

    def _make_wire(self, config: WireConfig) -> Wire:
        back_off = BackOff(
            first_s=self._settings.back_off_first_ms / 1000, most_s=self._settings.back_off_most_ms / 1000
        )
        built = build_wires([config], self._catalogue, self._clock, folder=self._settings.home, back_off=back_off)
        ensure(config.wire in built, f"wire {config.wire} has meters on a {config.kind} line")
        return built[config.wire]

    def _build_gate(self, plan: GatePlan, wires: Mapping[str, WireConfig]) -> GateWire:
        return build_gate(plan.posts(), wires, self._catalogue, self._clock)

    def _pages(self) -> PageServer:
        sources = Sources(
            board=self.board,
            store=self._store,
            clock=self._clock,
            units=self._units,
            registry=metrics(self.board, self._store, self._lag, lambda: self._counters(server)),
            dues=lambda: self._dues,
            parking=GateDesk(self.gate, self._clock),
            charging=ChargingDesk(self.charging),
            access=self.access,
            pay=Till(self._store, self._ids, Printer(self._settings.kiosk_printer), self._cashier),
            commissioning=self.commissioning,
            uplink=self._uplink_state,
            gateway_name=lambda: self._settings.home.name,
            read_now=self.sampling.read_now,
            enrol=self._enrol,
        )
        pin = make_pin(self._settings, entropy)
        application = Pages(
            sources,
            TechnicianSessions(pin, monotonic_s, entropy),
            Guesses(monotonic_s, most=GUESSES_A_MINUTE, window_s=60.0),
            lambda: self._zone,
            self._settings.kiosk_idle_s,
        ).application()
        server = PageServer(application, self._settings.pages_host, self._settings.pages_port)
        return server

    async def _reach_cloud(self) -> None:
        """Seal, send and listen, once a cloud is set and the gateway is enrolled."""
        while (cloud_url := self._settings.cloud_url) is None:
            await asyncio.Event().wait()
        if not self._identity.enrolled:
            await self._enrolled.wait()
        self._store.use_sealer(BatchSealer(self._identity, entropy))
        async with web_client(cloud_url) as http:
            link = CloudLink(http, cloud_url)
            self._courier = Courier(
                store=self._store,
                link=link,
                trust=self._identity,
                entropy=entropy,
                monotonic_s=monotonic_s,
                rhythm=Rhythm(gather_s=self._settings.cloud_gather_ms / 1000),
            )
            self._listener = self._listen(link, self._courier)
            self._courier.reached = self._listener.nudge
            async with asyncio.TaskGroup() as group:
                group.create_task(self._courier.run())
                group.create_task(self._listener.run())

    def _listen(self, link: CloudLink, courier: Courier) -> Listener:
        return Listener(
            shelf=self._store,
            credentials=self._identity,
            apply=self.apply,
            post=link.ask,
            now=self._trusted_now,
            wait=FullJitter(entropy),
            link_errors=(LinkError,),
            reached=courier.nudge,
            command=partial(obey, link, self._identity, entropy),
            trials=self._trials,
            wait_s=self._settings.cloud_poll_s,
        )

    def _trusted_now(self) -> datetime | None:
        """Return the business time, None while no clock of this boot is trusted."""
        return None if self._clock.look().source is ClockSource.BOUNDED else self._clock.now()

    def _uplink_state(self) -> dict[str, Any]:
        """Return how the link to the cloud is doing; it stands as long as the cloud holds the long poll."""
        state: dict[str, Any] = {
            "cloud": self._settings.cloud_url,
            "enrolled": self._identity.enrolled,
            "connected": self._listener is not None and self._listener.stats.connected,
        }
        if self._identity.enrolled:
            state["gateway_id"] = str(self._identity.gateway_id)
        if self._courier is not None:
            state["sent"] = asdict(self._courier.stats)
        if self._listener is not None:
            state["downlink"] = asdict(self._listener.stats)
        return state

    async def _enrol(self, code: str) -> str:
        name = await enrol_at(self._settings.cloud_url, self._identity, epoch=self._store.epoch, code=code)
        self._enrolled.set()
        return name

    def _counters(self, pages: PageServer) -> dict[str, int]:
        parts: dict[str, Any] = {"gate": self.gate, "charging": self.charging, "access": self.access}
        parts |= {"uplink": self._courier, "downlink": self._listener}
        told = {name: asdict(part.stats) for name, part in parts.items() if part is not None}
        counted = {f"{part}_{name}": int(value) for part, stats in told.items() for name, value in stats.items()}
        refused = {"estimates_refused": self.estimator.refusals, "pages_refused": pages.refusals}
        return counted | refused | {"part_failures": self._part_failures}

    async def _watch_health(self) -> None:
        """Store the counters when there is news; end the process when the store no longer serves."""
        jobs_seen = 0
        while True:
            await asyncio.sleep(HEALTH_S)
            ensure(self._store.alive, "the store's writer ended; start the gateway again")
            if self._store.stats.jobs == jobs_seen:
                continue  # nothing was stored, so there is nothing to tell and the flash is spared
            figures = await health_figures(self.board, self._store, self._clock, self._lag)
            await self._store.record(Health(counters=figures))
            jobs_seen = self._store.stats.jobs

    async def _keep(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        """Run a part for good; after a failure, count, log once and start it again."""
        while True:
            try:
                await part()
            except Exception:  # noqa: BLE001 - the edge of a part: the others go on, the store is watched apart
                self._part_failures += 1
                _log.exception("part_failed", part=name)
            ensure(self._store.alive, "the store's writer ended; start the gateway again")
            await asyncio.sleep(PART_PAUSE_S)


async def run_gateway(settings: Settings, stop: asyncio.Event) -> None:
    """Run one gateway until told to stop.

    Raises:
        RefusalError: its folder, store or device models cannot be used.
    """
    clock = make_clock(settings)
    catalogue = load_catalogue(settings.profiles)
    with closing(open_store(settings, clock)) as store:
        await Gateway(settings, clock, store, catalogue).run(stop)
