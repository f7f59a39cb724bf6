"""The peer: `thingsboard-gateway` from the package index, in an environment of its own, on the same farm.

Block reads of all ten registers, SQLite storage, QoS 1 to a broker on loopback; statistics, rate limits and remote
configuration off and logs at ERROR, which is how it measured best. Its environment lies in a folder of `.bench/` that
git ignores and is made once; where it cannot be made, the bench says so and judges the other ratios.
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

from tests.bench.edge.farm import PORTS, REGISTERS, UNITS
from tests.simulation.processes import Process

REQUIREMENTS = ("thingsboard-gateway==3.8.5", "pymodbus[serial]==3.9.2")
INSTALL_SECONDS_MAX = 600
_LOGS_OF = ("service", "connector", "converter", "storage", "database", "extension", "tb_connection", "statistics")


def install(folder: Path) -> Path | str:
    """Return the peer's Python, making its environment when there is none; else why it cannot be had."""
    python = folder / "bin" / "python"
    done = folder / ".installed"
    if done.exists():
        return python
    try:
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run(  # noqa: S603 - fixed words
            [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *REQUIREMENTS],
            check=True,
            capture_output=True,
            timeout=INSTALL_SECONDS_MAX,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", b"") or b""
        return f"{error} {said.decode(errors='replace')[-300:]}".strip()
    done.touch()
    return python


def configure(folder: Path, *, first_port: int, broker_port: int, period_ms: int) -> None:
    """Write the peer's settings for the farm."""
    settings = folder / "config"
    settings.mkdir(parents=True)
    (folder / "logs").mkdir()
    (folder / "data").mkdir()
    for name, document in {
        "tb_gateway.json": _gateway(broker_port),
        "modbus.json": {"master": {"slaves": _slaves(first_port, period_ms)}},
        "logs.json": _logs(),
    }.items():
        (settings / name).write_text(json.dumps(document), encoding="utf-8")


def process(python: Path, folder: Path) -> Process:
    """Return the peer's process, not started; it works in its folder."""
    program = "import os, sys; os.chdir(sys.argv.pop()); from thingsboard_gateway.tb_gateway import main; main()"
    return Process(
        name="peer",
        command=[str(python), "-c", program, str(folder)],
        log=folder / "output.log",
        environment={"TB_GW_CONFIG_DIR": str(folder / "config"), "PYTHONPATH": ""},
    )


def _gateway(broker_port: int) -> dict[str, Any]:
    limits = ("rateLimits", "dpRateLimits", "messagesRateLimits", "deviceMessagesRateLimits", "deviceRateLimits")
    return {
        "thingsboard": {
            "host": "127.0.0.1",
            "port": broker_port,
            "remoteShell": False,
            "remoteConfiguration": False,
            "statistics": {"enable": False},
            "maxPayloadSizeBytes": 65_000,
            "minPackSendDelayMS": 50,
            "minPackSizeToSend": 500,
            "checkConnectorsConfigurationInSeconds": 3600,
            "security": {"type": "accessToken", "accessToken": "bench"},
            "qos": 1,
            "reportStrategy": {"type": "ON_RECEIVED"},
            "checkingDeviceActivity": {"checkDeviceInactivity": False},
            **dict.fromkeys((*limits, "deviceDpRateLimits"), "0:0,"),
        },
        "storage": {
            "type": "sqlite",
            "data_file_path": "./data/",
            "max_read_records_count": 1000,
            "messages_ttl_check_in_hours": 1,
            "messages_ttl_in_days": 7,
        },
        "grpc": {"enabled": False},
        "connectors": [{"type": "modbus", "name": "farm", "configuration": "modbus.json"}],
    }


def _slaves(first_port: int, period_ms: int) -> list[dict[str, Any]]:
    registers = {
        "tag": "${type}_${functionCode}_${address}",
        "type": "16uint",
        "functionCode": 4,
        "objectsCount": 1,
        "address": f"0-{REGISTERS - 1}",
    }
    return [
        {
            "host": "127.0.0.1",
            "port": first_port + port,
            "type": "tcp",
            "method": "socket",
            "timeout": 5,
            "retries": 1,
            "byteOrder": "BIG",
            "wordOrder": "BIG",
            "pollPeriod": period_ms,
            "connectAttemptTimeMs": 1000,
            "connectAttemptCount": 5,
            "waitAfterFailedAttemptsMs": 5000,
            "unitId": unit,
            "deviceName": f"m{port}-{unit}",
            "deviceType": "default",
            "attributes": [],
            "timeseries": [registers],
            "attributeUpdates": [],
            "rpc": [],
        }
        for port in range(PORTS)
        for unit in range(1, UNITS + 1)
    ]


def _logs() -> dict[str, Any]:
    logger = {"handlers": ["consoleHandler"], "level": "ERROR", "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"class": "logging.Formatter", "format": "%(levelname)s %(message)s"}},
        "handlers": {
            "consoleHandler": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stdout"}
        },
        "loggers": dict.fromkeys(_LOGS_OF, logger),
        "root": {"level": "ERROR", "handlers": ["consoleHandler"]},
        "ts": 0,
    }


if __name__ == "__main__":
    made = install(Path(sys.argv[1]))
    sys.stdout.write(f"{made}\n")
