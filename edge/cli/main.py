"""`gatehouse edge WORD`: run the gateway and look after it.

    run       work until SIGTERM or Ctrl-C
    enrol     make this gateway known to the cloud with a one-time code
    doctor    clock, disk, store, device models, wires, cloud; says how to mend
    budget    the disk a site needs while the cloud is away

Every command takes `--home DIR`. Exit code 0 is done, 1 refused or something to mend, 2 not understood.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from common.errors import RefusalError
from edge.app import enrol_gateway, make_clock, open_store, run_gateway
from edge.cli.budget import SiteSize, budget_table
from edge.cli.doctor import examine, report
from edge.clock import entropy
from edge.settings import Settings, make_pin, read_settings
from edge.telemetry import configure_logging
from edge.uplink.identity import Identity

Command = Callable[[Settings, argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(argv)
    command: Command = options.command
    try:
        return command(read_settings(options.home), options)
    except RefusalError as refusal:
        sys.stderr.write(f"gatehouse edge: {refusal}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gatehouse edge", description="the gateway of Gatehouse")
    words = parser.add_subparsers(required=True, metavar="WORD")
    run = _word(words, "run", _run, "work until SIGTERM or Ctrl-C")
    enrol = _word(words, "enrol", _enrol, "make this gateway known to the cloud with a one-time code")
    enrol.add_argument("code", help="the code from the office")
    doctor = _word(words, "doctor", _doctor, "look at everything a visit would look at")
    budget = _word(words, "budget", _budget, "the disk a site needs while the cloud is away")
    for name, default, about in (
        ("--meters", 500, "meters on all wires"),
        ("--points", 4, "values read of each meter"),
        ("--every", 15, "minutes between two readings"),
        ("--days", 90, "days the cloud is away"),
    ):
        budget.add_argument(name, type=int, default=default, help=about)
    for sub in (run, enrol, doctor, budget):
        sub.add_argument("--home", type=Path, required=True, help="folder of settings, keys and store")
    return parser


def _word(
    words: argparse._SubParsersAction[argparse.ArgumentParser], name: str, command: Command, about: str
) -> argparse.ArgumentParser:
    sub = words.add_parser(name, help=about, description=about)
    sub.set_defaults(command=command)
    return sub


def _run(settings: Settings, _: argparse.Namespace) -> int:
    configure_logging()
    asyncio.run(_until_told(settings))
    return 0


async def _until_told(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run_gateway(settings, stop)


def _enrol(settings: Settings, options: argparse.Namespace) -> int:
    """Enrol while the gateway rests; a running one is enrolled on its own page."""
    configure_logging()
    identity = Identity.load(settings.key_path, entropy)
    with closing(open_store(settings, make_clock(settings))) as store:
        name = asyncio.run(enrol_gateway(settings, identity, store.epoch, options.code))
    sys.stdout.write(f"gateway {name} is enrolled\ntechnician's PIN on its page: {make_pin(settings, entropy)}\n")
    return 0


def _doctor(settings: Settings, _: argparse.Namespace) -> int:
    findings = asyncio.run(examine(settings))
    sys.stdout.write(report(findings))
    return 0 if all(finding.well for finding in findings) else 1


def _budget(settings: Settings, options: argparse.Namespace) -> int:
    figures = (options.meters, options.points, options.every, options.days)
    if min(figures) < 1:
        raise RefusalError("budget: give whole numbers above zero")
    size = SiteSize(meters=options.meters, points=options.points, every_minutes=options.every, days=options.days)
    text, fits = budget_table(size, settings.store_limit_bytes - settings.store_ballast_bytes)
    sys.stdout.write(text)
    return 0 if fits else 1
