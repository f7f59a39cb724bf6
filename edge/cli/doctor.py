"""Looks at everything a visit would look at, and says how to mend it. Changes nothing; a gateway may run beside it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from common.errors import RefusalError
from common.wire import cbor
from edge.buffer.schema import MIGRATIONS, schema_of
from edge.buffer.shelf import bundle, waiting
from edge.clock import kernel_uncertainty_ms
from edge.device.catalogue import load_catalogue
from edge.driver.outcome import WireConfig, WireKind
from edge.sampling.plan import parse_plan
from edge.settings import Settings
from edge.uplink.identity import KEY_FILE, Identity

DIAL_S_MAX = 3.0
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at; a remedy is given exactly when it is not well."""

    subject: str
    well: bool
    said: str
    remedy: str = ""


async def examine(settings: Settings) -> list[Finding]:
    """Return what was found, in the order of a visit."""
    findings = [_clock(settings), *_disk(settings), *_store(settings), _keys(settings), _profiles(settings)]
    findings += [await _wire(wire) for wire in _site_wires(settings)]
    return [*findings, await _cloud(settings)]


def report(findings: list[Finding]) -> str:
    """Return the findings as text, one a line."""
    lines = []
    for finding in findings:
        mark = "ok  " if finding.well else "MEND"
        lines.append(f"{mark} {finding.subject:<14} {finding.said}")
        if finding.remedy:
            lines.append(f"     {'':<14} -> {finding.remedy}")
    return "\n".join(lines) + "\n"


def _clock(settings: Settings) -> Finding:
    if settings.clock_file is not None:
        return Finding(subject="clock", well=True, said=f"paced by {settings.clock_file}")
    uncertainty_ms = kernel_uncertainty_ms()
    if uncertainty_ms is None:
        return Finding(
            subject="clock",
            well=False,
            said="the kernel says its clock is not synchronised; readings are kept and dated by the first receipt",
            remedy="let the box reach a time server (UDP 123), or wait for the cloud",
        )
    return Finding(subject="clock", well=True, said=f"synchronised within {uncertainty_ms} ms")


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.home if settings.home.exists() else settings.home.parent
    try:
        usage = shutil.disk_usage(folder)
        ours = sum(map(_size, settings.store_path.parent.glob(f"{settings.store_path.name}*")))
    except OSError as error:
        yield Finding(subject="disk", well=False, said=f"{folder}: {error.strerror}", remedy="mount or make the folder")
        return
    need = max(0, settings.store_limit_bytes - _size(settings.store_path))
    well, others = usage.free > need, max(0, usage.used - ours)
    said = (
        f"{usage.free // 2**20} of {usage.total // 2**20} MiB free at {folder}, the store may still grow by "
        f"{need // 2**20} MiB; {others // 2**20} MiB are files that are not the store's"
    )
    remedy = f"remove what is not the gateway's from that disk ({folder}), use a larger card, or lower store.limit_mib"
    yield Finding(subject="disk", well=well, said=said, remedy="" if well else remedy)
    if not os.access(folder, os.W_OK):
        yield Finding(subject="folder", well=False, said=f"{folder} cannot be written", remedy="give it to the gateway")


def _size(path: Path) -> int:
    """Return the bytes of a file; a log that the gateway beside has just removed has none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _store(settings: Settings) -> Iterator[Finding]:
    path = settings.store_path
    for aside in sorted(path.parent.glob(f"{path.name}.damaged-*[0-9]")):
        said = f"{aside.name} was put aside as damaged"
        yield Finding(subject="store", well=False, said=said, remedy="copy it off the box for salvage, then remove it")
    if not path.exists():
        yield Finding(subject="store", well=True, said="not made yet; the first start makes it")
        return
    try:
        with closing(_open_readonly(path)) as connection:
            sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
            found, rows = schema_of(connection), waiting(connection)
    except sqlite3.Error as error:
        yield Finding(subject="store", well=False, said=str(error), remedy="start the gateway: it puts the file aside")
        return
    said = f"schema {found}, {rows.readings} readings and {rows.batches} batches wait for the cloud"
    well = sound and found <= len(MIGRATIONS)
    remedy = "" if well else "keep a copy and start the newest release: it puts a damaged file aside and goes on"
    yield Finding(subject="store", well=well, said=said, remedy=remedy)


def _keys(settings: Settings) -> Finding:
    """Look at the key and its certificate; a missing key is left missing, the first start makes it."""
    if not (settings.key_path / KEY_FILE).exists():
        return Finding(subject="keys", well=True, said="not made yet; the first start makes them")
    try:
        identity = Identity.load(settings.key_path, no_entropy)
    except (RefusalError, OSError) as problem:
        remedy = "ask the office for a new code, remove the file named, and enrol again"
        return Finding(subject="keys", well=False, said=str(problem), remedy=remedy)
    if not identity.enrolled:
        said, remedy = "a key, but no certificate", "gatehouse edge enrol CODE, or the gateway's technician page"
        return Finding(subject="keys", well=False, said=said, remedy=remedy)
    return Finding(subject="keys", well=True, said=f"enrolled as gateway {identity.gateway_id}")


def no_entropy(count: int) -> bytes:
    """Refuse to make a key: the doctor changes nothing."""
    raise RefusalError(f"a key of {count} bytes is missing; start the gateway")


def _profiles(settings: Settings) -> Finding:
    try:
        count = len(load_catalogue(settings.profiles).profiles)
    except RefusalError as refusal:
        return Finding(subject="device models", well=False, said=str(refusal), remedy="mend the files named")
    said = f"{count} in {settings.profiles}"
    return Finding(subject="device models", well=count > 0, said=said, remedy="" if count else "set devices.profiles")


def _site_wires(settings: Settings) -> tuple[WireConfig, ...]:
    """Return the wires of the site bundle on board; none before the first, or when it cannot be read."""
    if not settings.store_path.exists():
        return ()
    try:
        with closing(_open_readonly(settings.store_path)) as connection:
            stored = bundle(connection, "site")
        return () if stored is None else parse_plan(cbor.decode(stored.body, "site bundle")).wires
    except (sqlite3.Error, RefusalError):
        return ()


async def _wire(wire: WireConfig) -> Finding:
    subject = f"wire {wire.wire}"
    if wire.kind is WireKind.RECORDED:
        return Finding(subject=subject, well=True, said=f"recorded series {wire.address}")
    if wire.kind is WireKind.SERIAL:
        there = _is_there(wire.address)
        remedy = "" if there else "plug the adapter in; use its /dev/serial/by-id name"
        return Finding(subject=subject, well=there, said=wire.address, remedy=remedy)
    host, _, port = wire.address.rpartition(":")
    answered = port.isdigit() and await _dial(host, int(port))
    remedy = "" if answered else "check power and network of the converter, broker or meter"
    return Finding(subject=subject, well=answered, said=wire.address, remedy=remedy)


def _is_there(device: str) -> bool:
    return Path(device).exists()


async def _cloud(settings: Settings) -> Finding:
    if settings.cloud_url is None:
        return Finding(subject="cloud", well=False, said="no address", remedy="set cloud.url in settings.yaml")
    parts = urlsplit(settings.cloud_url)
    answered = await _dial(parts.hostname or "", parts.port or _DEFAULT_PORTS[parts.scheme])
    remedy = "" if answered else "check the network; the gateway keeps everything until the cloud is back"
    return Finding(subject="cloud", well=answered, said=settings.cloud_url, remedy=remedy)


async def _dial(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(DIAL_S_MAX):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            await writer.wait_closed()
    except (OSError, TimeoutError):
        return False
    return True


def _open_readonly(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1.0)
    connection.execute("PRAGMA query_only = ON")
    return connection
