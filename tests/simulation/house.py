"""The simulated house: every process of the demo, its folder and its ports, started in order and stopped by handle.

    broker ─ devices ─ WeChat Pay ─ database ─ site file ─ cloud API and worker ─ links ─ gateways

Ports are chosen once and kept with the data, because the site bundle names them. All paths lie below one folder.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import yaml

from cloud.house import DATABASE_NAME
from cloud.kit.postgres import SUPERUSER, EmbeddedPostgres
from cloud.kit.roles import APP
from common.errors import RefusalError
from tests.simulation.broker import broker_process, mosquitto_program
from tests.simulation.conductor import Conductor
from tests.simulation.link import Link
from tests.simulation.models import quick_models
from tests.simulation.office import BRIEFLY, Office, sign_in
from tests.simulation.plan import GARDEN, ROLES
from tests.simulation.processes import Process, free_port, wait_until
from tests.simulation.promises import Stores
from tests.simulation.site import (
    DEMO,
    DemoSite,
    compose,
    device_description,
    recorded_instants,
    site_document,
    write_recorded,
)
from tests.simulation.wechat.seals import kept_key

GATEHOUSE = str(Path(sys.executable).parent / "gatehouse")
DAYS_RECORDED = 200
START_SECONDS = 60.0
MERCHANT_SERIAL = "6157F09EFDC096DE15EBE81A47057A7232F1B8E2"
APP_ID = "wx0000000000demo00"
PEOPLE = ("manager", "cashier", "technician")
SIGN_INS = (*PEOPLE, "resident")
Say = Callable[[str], None]


class House:
    """The demo's processes over one folder."""

    def __init__(self, folder: Path, seed: int, *, wrong: dict[tuple[str, date], int] | None = None) -> None:
        self.folder = folder
        self.seed = seed
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "logs").mkdir(exist_ok=True)
        self.site: DemoSite = compose(seed)
        self.first_time = not (folder / "report.codes.json").exists()
        self.ports = self._ports()
        self.clock_file = folder / "clock"
        self.conductor = Conductor(self.clock_file, self.site.epoch + timedelta(hours=12))
        self.gateways = sorted({meter.gateway for meter in self.site.meters})
        self.links: dict[str, Link] = {}
        self.processes: dict[str, Process] = {}
        self._wrong = wrong or {}
        self.http = httpx.Client(timeout=10, trust_env=False, limits=BRIEFLY)  # one for all: making one is dear
        self._stack = ExitStack()

    @property
    def cloud_url(self) -> str:
        """Return the address of the cloud's pages and API."""
        return f"http://127.0.0.1:{self.ports['cloud']}"

    def pages_url(self, gateway: str) -> str:
        """Return the address of a gateway's own pages."""
        return f"http://127.0.0.1:{self.ports[gateway]}"

    @property
    def wechat_url(self) -> str:
        """Return the address of the simulated channel."""
        return f"http://127.0.0.1:{self.ports['wechat']}"

    @property
    def codes(self) -> dict[str, Any]:
        """Return the ids and one-time codes that loading the site gave."""
        return cast(dict[str, Any], json.loads((self.folder / "report.codes.json").read_text(encoding="utf-8")))

    def start(self, say: Say, *, visits: list[dict[str, Any]], faults: list[dict[str, Any]], dense: list[date]) -> None:
        """Start everything, the first time with the site loaded and the gateways enrolled."""
        say("消息总线与模拟设备 broker and simulated devices")
        self._start_broker()
        self._start_devices(visits, faults)
        say("微信支付模拟器 WeChat Pay simulator")
        self._start_wechat()
        say("数据库 private PostgreSQL")
        self._start_database(dense, say)
        say("云端接口与任务 cloud API and worker")
        self.start_cloud()
        say(f"网关 gateways {', '.join(self.gateways)}")
        self._enrol_gateways()
        for gateway in self.gateways:
            self._begin_gateway(gateway)
        for gateway in self.gateways:
            self._wait_for_gateway(gateway, has_read=True)

    def stop_processes(self) -> None:
        """Stop every process that runs, gateways first, and hold the business clock; the database goes on."""
        self.conductor.hold()
        for name in [*self.gateways, "worker", "cloud", "wechat", "devices", "broker"]:
            if name in self.processes:
                self.processes[name].stop()
        for link in self.links.values():
            link.close()
        self.links.clear()

    def stop(self) -> None:
        """Stop everything, the database last."""
        self.stop_processes()
        self.http.close()
        self._stack.close()

    def start_cloud(self) -> None:
        """Start API and worker, again after a kill, and wait until the API answers."""
        for name, word in (("cloud", "serve"), ("worker", "worker")):
            process = self.processes.get(name)
            if process is None:
                process = self._process(name, [GATEHOUSE, "cloud", word, "--home", str(self.folder / "cloud")])
            process.start()
        watched = [self.processes["cloud"], self.processes["worker"]]
        wait_until(self._cloud_answers, what="the cloud", seconds=START_SECONDS, watched=watched)

    def kill_cloud(self) -> None:
        """Kill API and worker without asking."""
        for name in ("cloud", "worker"):
            self.processes[name].kill()

    def start_gateway(self, gateway: str) -> None:
        """Start an enrolled gateway again and wait until its pages answer."""
        self._begin_gateway(gateway)
        self._wait_for_gateway(gateway)

    def status(self, gateway: str) -> dict[str, Any] | None:
        """Return what a gateway says of itself, or None while it does not answer."""
        try:
            answer = self.http.get(f"{self.pages_url(gateway)}/status")
        except httpx.HTTPError:
            return None
        told: dict[str, Any] = answer.json()
        return told

    def stores(self) -> Stores:
        """Return where the stores are that the auditor compares; the database still runs."""
        return Stores(
            conninfo=self.server.conninfo(role=SUPERUSER, database=DATABASE_NAME),
            company_conninfo=self.server.conninfo(role=APP, database=DATABASE_NAME),
            folder=self.folder,
        )

    def technician_pin(self, gateway: str) -> str:
        """Return the PIN that the gateway made for its technician page."""
        return (self.folder / gateway / "technician.pin").read_text(encoding="ascii").strip()

    def office(self, login: str) -> Office:
        """Return a signed-in user of the story; the session is kept with the data, or begun with a fresh code."""
        path = self.folder / "sessions.json"
        kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if login not in kept or not Office(self.cloud_url, kept[login]).stands():
            if login in kept:
                told = self._run("code", ["cloud", "code", "--home", str(self.folder / "cloud"), login])
                code = told.split()[-1]
            else:
                code = self.codes["users"][login]
            kept[login] = sign_in(self.cloud_url, code)
            path.touch(mode=0o600)
            path.write_text(json.dumps(kept), encoding="utf-8")
        return Office(self.cloud_url, kept[login])

    def control_wechat(self, act: str, **fields: Any) -> dict[str, Any]:
        """Call the channel's back door."""
        answer = self.http.post(f"{self.wechat_url}/control/{act}", json=fields)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def _enrol_gateways(self) -> None:
        """Write the gateways' settings and enrol those that are new, all at once.

        Raises:
            RefusalError: one was refused; the message carries what it said.
        """
        enrolling = []
        for gateway in self.gateways:
            self.links[gateway] = Link(self.ports["cloud"])
            self._write_gateway_settings(gateway)
            home = self.folder / gateway
            if not (home / "enrolled").exists():
                code = self.codes["gateways"][gateway]["code"]
                command = [GATEHOUSE, "edge", "enrol", "--home", str(home), code]
                process = Process(name=f"enrol {gateway}", command=command, log=self.folder / "logs" / "enrol.log")
                process.start()
                enrolling.append((process, home / "enrolled"))
        for process, mark in enrolling:
            if process.wait() != 0:
                raise RefusalError(f"{process.name} failed:\n{process.tail()}")
            mark.touch()

    def _begin_gateway(self, gateway: str) -> None:
        process = self.processes.get(gateway)
        if process is None:
            process = self._process(gateway, [GATEHOUSE, "edge", "run", "--home", str(self.folder / gateway)])
        process.start()

    def _wait_for_gateway(self, gateway: str, *, has_read: bool = False) -> None:
        """Wait for its pages, at first for its wires too: time that leaps while a meter answers dates it wrongly."""

        def ready() -> bool:
            told = self.status(gateway)
            return told is not None and (told["completed_slot"] is not None or not has_read)

        wait_until(ready, what=gateway, seconds=START_SECONDS, watched=[self.processes[gateway]])

    def _ports(self) -> dict[str, int]:
        path = self.folder / "ports.json"
        if not path.exists():
            wires = {meter.wire for meter in self.site.meters if meter.kind in {"modbus-tcp", "serial-tcp"}}
            gateways = {meter.gateway for meter in self.site.meters}
            names = sorted({"broker", "wechat", "cloud", "worker"} | wires | gateways)
            path.write_text(json.dumps({name: free_port() for name in names}), encoding="utf-8")
        ports: dict[str, int] = json.loads(path.read_text(encoding="utf-8"))
        return ports

    def _process(self, name: str, command: list[str]) -> Process:
        process = Process(name=name, command=command, log=self.folder / "logs" / f"{name}.log")
        self.processes[name] = process
        return process

    def _run(self, name: str, words: list[str]) -> str:
        """Run one command of ours to its end and return what it printed."""
        done = subprocess.run([GATEHOUSE, *words], capture_output=True, text=True, check=False)  # noqa: S603 - ours
        if done.returncode:
            raise RefusalError(f"{name} failed: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def _start_broker(self) -> None:
        process = broker_process(self.folder / "logs", self.ports["broker"], program=mosquitto_program())
        self.processes["broker"] = process
        process.start()

    def _start_devices(self, visits: list[dict[str, Any]], faults: list[dict[str, Any]]) -> None:
        broker = f"127.0.0.1:{self.ports['broker']}"
        description = device_description(self.site, self.folder, broker=broker, visits=visits, faults=faults)
        for line in description["lines"]:
            if line["line"] in self.ports:
                line["listen"] = f"127.0.0.1:{self.ports[line['line']]}"
        path = self.folder / "devices.yaml"
        path.write_text(yaml.safe_dump(description, allow_unicode=True), encoding="utf-8")
        log = self.folder / "devices"
        log.mkdir(exist_ok=True)
        (log / "addresses.json").unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.simulation.devices", "--site", str(path)]
        process = self._process("devices", [*command, "--clock", str(self.clock_file), "--log", str(log)])
        process.start()
        addresses = log / "addresses.json"
        wait_until(addresses.exists, what="the simulated devices", seconds=START_SECONDS, watched=[process])

    def _start_wechat(self) -> None:
        folder = self.folder / "wechat"
        folder.mkdir(exist_ok=True)
        (folder / "ready.json").unlink(missing_ok=True)
        command = [
            sys.executable,
            "-m",
            "tests.simulation.wechat",
            "--dir",
            str(folder),
            "--clock",
            str(self.clock_file),
        ]
        process = self._process("wechat", [*command, "--port", str(self.ports["wechat"]), "--hurry", "20"])
        process.start()
        ready = folder / "ready.json"
        wait_until(ready.exists, what="the WeChat Pay simulator", seconds=START_SECONDS, watched=[process])

    def _start_database(self, dense: list[date], say: Say) -> None:
        home = self.folder / "cloud"
        if self.first_time:
            self._run("init", ["cloud", "init", "--home", str(home)])
        settings = {
            "port": self.ports["cloud"],
            "public_url": self.cloud_url,
            "clock_file": str(self.clock_file),
            "wechat_url": self.wechat_url,
            "poll_ms": 50,
            "worker_metrics_port": self.ports["worker"],
        }
        (home / "settings.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        self.server = self._stack.enter_context(EmbeddedPostgres(home / "database").hold())
        if self.first_time:
            say("小区、住户、表具与价格 communities, people, meters and prices")
            path = self._write_site(dense)
            report = self.folder / "report.codes.json"
            self._run("site-load", ["cloud", "site-load", "--home", str(home), str(path), "--report", str(report)])

    def _write_site(self, dense: list[date]) -> Path:
        recorded = {}
        instants = recorded_instants(self.site, DAYS_RECORDED, dense)
        for gateway in self.gateways:
            recorded[gateway] = self.folder / f"recorded-{gateway}.csv"
            write_recorded(self.site, gateway, recorded[gateway], instants, self._wrong)
        addresses = {
            meter.wire: f"127.0.0.1:{self.ports[meter.wire]}"
            if meter.wire in self.ports
            else str(self.folder / f"{meter.wire}.tty")
            for meter in self.site.meters
            if meter.live
        }
        broker = f"127.0.0.1:{self.ports['broker']}"
        days = [{"day": day, "minutes": 15} for day in dense]
        document = site_document(self.site, addresses, recorded, broker, days)
        for company in document["companies"]:
            for merchant in company["merchants"]:
                merchant["credentials"] = self._credentials(merchant["merchant_number"])
        document["users"] = [
            {"login": f"{whose}{role}-{company['code']}", "company": company["code"], "role": role}
            for company in document["companies"]
            for whose, roles in (("", PEOPLE), ("story-", ("manager", "cashier")))
            for role in roles
        ]
        document["users"] += [
            {
                "login": f"resident-{label}",
                "company": "cuihu",
                "role": "resident",
                "community": GARDEN,
                "premises": label,
            }
            for label in (ROLES.misread, ROLES.never_pays)
        ]
        shutil.copytree(DEMO / "tariffs", self.folder / "tariffs", dirs_exist_ok=True)
        path = self.folder / "site.yaml"
        path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
        return path

    def _credentials(self, merchant: str) -> str:
        """Register a merchant at the channel and write its credentials beside the site file."""
        key = kept_key(self.folder / "wechat" / f"merchant-{merchant}.pem", MERCHANT_SERIAL)
        api_key = secrets.token_hex(16)
        told = self.control_wechat(
            "merchants",
            mchid=merchant,
            appid=APP_ID,
            serial=MERCHANT_SERIAL,
            public_pem=key.public_pem(),
            api_key=api_key,
        )
        credentials = {
            "app_id": APP_ID,
            "merchant_serial": MERCHANT_SERIAL,
            "private_key_pem": key.pem.decode(),
            "api_key": api_key,
            "channel_keys": told["keys"],
        }
        path = self.folder / f"merchant-{merchant}.json"
        path.write_text(json.dumps(credentials), encoding="utf-8")
        path.chmod(0o600)
        return path.name

    def _write_gateway_settings(self, gateway: str) -> None:
        home = self.folder / gateway
        home.mkdir(exist_ok=True)
        settings = {
            "cloud": {"url": f"http://127.0.0.1:{self.links[gateway].port}", "gather_ms": 1500, "poll_s": 5},
            "pages": {"port": self.ports[gateway]},
            "devices": {"profiles": str(quick_models(self.folder / "models"))},
            "clock": {"file": str(self.clock_file)},
            "store": {"ballast_mib": 1, "commit_interval_ms": 5},
            "sampling": {"tick_ms": 5, "patience_ms": 0, "back_off_first_ms": 20, "back_off_most_ms": 50},
        }
        (home / "settings.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")

    def _cloud_answers(self) -> bool:
        try:
            return self.http.get(f"{self.cloud_url}/healthz").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False


def business_midnight(site: DemoSite, day: date) -> datetime:
    """Return the instant at which a civil day of the site begins."""
    first = site.epoch + timedelta(days=1)
    starts = date.fromisoformat(site.template["starts"])
    return first + (day - starts)
