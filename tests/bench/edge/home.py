"""Makes the folder of a gateway for the farm: device model, settings, an enrolled key, the site on board."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from common.ids import MeterId
from common.wire import cbor
from common.wire.bundle import Bundle, BundleKind, Certificate, certificate_body, sign_bundle
from edge.app import make_clock, open_store
from edge.buffer.records import BundleState, StoredBundle
from edge.clock import entropy
from edge.settings import read_settings
from edge.uplink.identity import KEY_FILE, Identity, write_synced
from tests.bench.edge.farm import PORTS, UNITS
from tests.common.wire.builders import CLOUD_KEY, GATEWAY, GATEWAY_KEY

QUANTITIES = (
    "energy_forward",
    "energy_reverse",
    "energy_t1",
    "energy_t2",
    "energy_t3",
    "energy_t4",
    "power",
    "voltage",
    "current",
    "temperature",
)
UNITS_OF = {"power": "kW", "voltage": "V", "current": "A", "temperature": "degC"}
CAMERA_MODEL = Path(__file__).parents[3] / "firmware-config" / "profiles" / "parking" / "zhenshi-camera.yaml"
CAMERA, BARRIER = "CAM-1", "BAR-1"
FIRST_DAY = date(2025, 12, 31)
DENSE_DAYS = 400

_PROFILE = """model: counting
revision: 1
vendor: Bench
products: [counting meter]
resource: electricity
protocol: modbus
link: {{baud: "9600", parity: none, stop_bits: 1}}
timing: {{answer_ms: 2000, longest_ms: 3000, gap_ms: 20}}
limits: {{registers_most: 60, gap_most: 8, stretch: 1}}
ranges:
  - {{function: 4, first: 0x0000, last: 0x0009}}
points:
{points}
plausibility: {{step_most_per_hour: "1000"}}
quality:
  captured_frames: "exempt: a meter of the bench"
  error_answers: "exempt: a meter of the bench"
  recovery_tested: "exempt: a meter of the bench"
  value_ranges: "exempt: a meter of the bench"
  clock_drift: "exempt: a meter of the bench"
recordings:
  - name: ten counters
    mark: derived
    source: "the farm of the bench"
    request: "010400000001"
    response: "0104020007"
    values: {{energy_forward: "7"}}
"""
_POINT = "  - {{id: {q}, quantity: {q}, function: 4, register: {n}, type: u16, scale: '1', unit: {unit}, kind: {kind}}}"


def meter_of(port: int, unit: int) -> MeterId:
    """Return the id of a meter of the farm."""
    return MeterId(UUID(int=0x0190_0000_0000_7000_8000 << 48 | port << 8 | unit))


def profile() -> str:
    """Return the device model of the farm's meters."""
    points = [
        _POINT.format(
            q=quantity,
            n=n,
            unit=UNITS_OF.get(quantity, "kWh"),
            kind="instant" if quantity in UNITS_OF else "cumulative",
        )
        for n, quantity in enumerate(QUANTITIES)
    ]
    return _PROFILE.format(points="\n".join(points))


def site(first_port: int, *, broker: str = "", daily_only: bool = False) -> dict[str, Any]:
    """Return the site bundle: every meter of the farm, each quarter of an hour, and a gate when there is a broker."""
    days = [] if daily_only else [FIRST_DAY + timedelta(days=n) for n in range(DENSE_DAYS)]
    lanes = [{"camera": CAMERA, "barrier": BARRIER, "direction": "entry"}]
    gate = {"wire": "gate", "model": "zhenshi-camera", "lots": [{"lot": "north", "lanes": lanes}]}
    wires = [{"wire": f"tcp{n}", "kind": "modbus-tcp", "address": f"127.0.0.1:{first_port + n}"} for n in range(PORTS)]
    return {
        "zone": "UTC",
        "wires": [*wires, {"wire": "gate", "kind": "mqtt", "address": broker}] if broker else wires,
        "devices": [
            {
                "meter_id": str(meter_of(port, unit)),
                "serial": f"B{port:02d}{unit:02d}",
                "wire": f"tcp{port}",
                "profile": "counting",
                "address": str(unit),
                "resource": "electricity",
                "points": list(QUANTITIES),
            }
            for port in range(PORTS)
            for unit in range(1, UNITS + 1)
        ],
        "gate": gate if broker else {},
        "schedule": {"dense_days": [{"date": day.isoformat(), "minutes": 15} for day in days]},
    }


def certificate(key: bytes) -> bytes:
    """Return what the cloud of the bench answers to an enrolment."""
    body = certificate_body(
        Certificate(
            gateway_id=GATEWAY,
            public_key=key,
            not_after_ms=None,
            cloud_keys={CLOUD_KEY.key_id: CLOUD_KEY.public_key},
        )
    )
    return sign_bundle(
        Bundle(gateway_id=GATEWAY, kind=BundleKind.CERTIFICATE, version=1, made_ms=1, body=body), CLOUD_KEY
    )


def make_home(home: Path, bundles: dict[str, Any], *, settings: str) -> None:
    """Write the folder of an enrolled gateway with its bundles on board."""
    models = home / "profiles"
    models.mkdir(parents=True)
    (models / "counting.yaml").write_text(profile(), encoding="utf-8")
    shutil.copy(CAMERA_MODEL, models)
    (home / "settings.yaml").write_text(f"devices: {{profiles: profiles}}\n{settings}", encoding="utf-8")
    read = read_settings(home)
    read.key_path.mkdir(mode=0o700)
    write_synced(read.key_path / KEY_FILE, GATEWAY_KEY.seed_text().encode())
    identity = Identity.load(read.key_path, entropy)
    identity.enrol(certificate(identity.key.public_key))

    async def put() -> None:
        with closing(open_store(read, make_clock(read))) as store:
            for kind, body in bundles.items():
                encoded = cbor.encode(body)
                await store.save_bundle(
                    StoredBundle(kind=kind, version=1, body=encoded, signed=b"", state=BundleState.GOOD, detail="")
                )

    asyncio.run(put())
