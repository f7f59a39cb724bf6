"""`gatehouse edge WORD`: run the gateway and look after it.

    run       work until SIGTERM or Ctrl-C
    enrol     make this gateway known to the cloud with a one-time code
    doctor    clock, disk, store, device models, wires, cloud; says how to mend
    probe     who answers on a line, at which speed, with which values
    budget    the disk a site needs while the cloud is away
    decode    what the bytes of a frame say, as JSON; needs no home
    models    the device models on board and whose frames stand behind them
    simulate  stand in for the meters of a site file, to try a site without them
    id-card   whether a kiosk's reader of identity cards works; shows masked, keeps nothing

Every other command takes `--home DIR`. Exit code 0 is done, 1 refused or something to mend, 2 not understood.
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
from edge.app import make_clock, open_store, run_gateway
from edge.cli.budget import SiteSize, budget_table
from edge.cli.decode import decode_text, read_frames
from edge.cli.doctor import examine, report
from edge.cli.models import models_table
from edge.clock import entropy
from edge.device.catalogue import load_catalogue
from edge.driver.outcome import WireKind
from edge.protocol.description import DESCRIBERS
from edge.settings import Settings, make_pin, read_settings
from edge.telemetry import configure_logging
from edge.uplink.enrolment import enrol_at
from edge.uplink.identity import Identity

Command = Callable[[Settings, argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(argv)
    try:
        if "homeless" in options:
            return int(options.homeless(options))
        command: Command = options.command
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
    probe_word = _word(words, "probe", _probe, "who answers on a line, at which speed, with which values")
    _probe_arguments(probe_word)
    budget = _word(words, "budget", _budget, "the disk a site needs while the cloud is away")
    for name, default, about in (
        ("--meters", 500, "meters on all wires"),
        ("--points", 4, "values read of each meter"),
        ("--every", 15, "minutes between two readings"),
        ("--days", 90, "days the cloud is away"),
    ):
        budget.add_argument(name, type=int, default=default, help=about)
    models = _word(words, "models", _models, "the device models on board and whose frames stand behind them")
    simulate = _word(words, "simulate", _simulate, "stand in for the meters of a site file, to try a site without them")
    simulate.add_argument("site", type=Path, help="a site bundle as YAML or JSON, or its wires and devices alone")
    simulate.add_argument("--here", type=Path, help="serve on 127.0.0.1 and put serial lines into this folder")
    id_card = _word(words, "id-card", _id_card, "read one identity card at a kiosk's reader; masked, nothing is kept")
    id_card.add_argument("line", help="/dev/serial/by-id/..., or host:port of a converter")
    id_card.add_argument("--over", choices=["serial", "serial-tcp"], default="serial")
    _decode_word(words)
    for sub in (run, probe_word, enrol, doctor, budget, models, simulate, id_card):
        sub.add_argument("--home", type=Path, required=True, help="folder of settings, keys and store")
    return parser


def _decode_word(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    about = "what the bytes of a frame say, as JSON; exit code 1 for a frame that must not be used"
    decode = words.add_parser("decode", help=about, description=about)
    decode.add_argument("--protocol", help=f"one of {', '.join(sorted(DESCRIBERS))}")
    frames = decode.add_mutually_exclusive_group(required=True)
    frames.add_argument("--hex", help="the frame in hexadecimal; blanks may stand between bytes")
    frames.add_argument("--file", type=Path, help="a file of frames: JSON with protocol and hex, or a line each")
    decode.set_defaults(homeless=_decode)


def _probe_arguments(word: argparse.ArgumentParser) -> None:
    word.add_argument("line", help="/dev/serial/by-id/..., or host:port of a converter")
    word.add_argument("--model", required=True, help="a device model; `models` lists them")
    word.add_argument("--over", choices=["serial", "serial-tcp", "modbus-tcp"], default="serial")
    word.add_argument("--addresses", default="", help="such as 1-32,40 or the digits of the nameplate")
    word.add_argument("--speeds", default="", help="such as 2400,9600; the model's own without it")
    word.add_argument("--parity", choices=["none", "even", "odd"], help="the model's own without it")
    word.add_argument("--echo", action="store_true", help="the adapter hears what it says")
    word.add_argument("--second-opinion", action="store_true", help="read Modbus meters again by another library")


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
    await run_gateway(settings, _stop_signal())


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def _enrol(settings: Settings, options: argparse.Namespace) -> int:
    """Enrol while the gateway rests; a running one is enrolled on its own page."""
    configure_logging()
    identity = Identity.load(settings.key_path, entropy)
    with closing(open_store(settings, make_clock(settings))) as store:
        name = asyncio.run(enrol_at(settings.cloud_url, identity, epoch=store.epoch, code=options.code))
    sys.stdout.write(f"gateway {name} is enrolled\ntechnician's PIN on its page: {make_pin(settings, entropy)}\n")
    return 0


def _doctor(settings: Settings, _: argparse.Namespace) -> int:
    findings = asyncio.run(examine(settings))
    sys.stdout.write(report(findings))
    return 0 if all(finding.well for finding in findings) else 1


def _probe(settings: Settings, options: argparse.Namespace) -> int:
    from edge.cli.probe import Search, described, probe  # noqa: PLC0415 - two more Modbus libraries, for the probe alone

    speeds = [speed.strip() for speed in options.speeds.split(",") if speed.strip()]
    if not all(speed.isascii() and speed.isdigit() and int(speed) > 0 for speed in speeds):
        raise RefusalError(f"probe: speeds {options.speeds!r} are no numbers such as 2400,9600")
    search = Search(
        kind=WireKind(options.over),
        line=options.line,
        model=options.model,
        addresses=options.addresses,
        speeds=tuple(int(speed) for speed in speeds),
        parity=options.parity,
        echo=options.echo,
        again=options.second_opinion,
    )
    catalogue = load_catalogue(settings.profiles)
    profile = catalogue.profile(search.model)

    async def show() -> int:
        count = 0
        async for found in probe(search, catalogue, make_clock(settings), settings.home):
            count += 1
            sys.stdout.write(described(found, profile))
            sys.stdout.flush()
        return count

    if asyncio.run(show()):
        return 0
    sys.stdout.write("nobody answered: check power, the two wires (try them the other way round), speed, address\n")
    return 1


def _budget(settings: Settings, options: argparse.Namespace) -> int:
    figures = (options.meters, options.points, options.every, options.days)
    if min(figures) < 1:
        raise RefusalError("budget: give whole numbers above zero")
    size = SiteSize(meters=options.meters, points=options.points, every_minutes=options.every, days=options.days)
    text, fits = budget_table(size, settings.store_limit_bytes - settings.store_ballast_bytes)
    sys.stdout.write(text)
    return 0 if fits else 1


def _models(settings: Settings, _: argparse.Namespace) -> int:
    sys.stdout.write(models_table(load_catalogue(settings.profiles).profiles.values()))
    return 0


def _simulate(settings: Settings, options: argparse.Namespace) -> int:
    from edge.cli.simulate import described, read_site, standing_in  # noqa: PLC0415 - a tool, no part of the gateway

    stand_ins = read_site(options.site, load_catalogue(settings.profiles), options.here)

    async def stand_in() -> None:
        stop = _stop_signal()
        async with standing_in(stand_ins, make_clock(settings)) as reached:
            sys.stdout.write(described(stand_ins, reached))
            sys.stdout.flush()
            await stop.wait()

    asyncio.run(stand_in())
    return 0


def _id_card(_: Settings, options: argparse.Namespace) -> int:
    from edge.cli.id_card import read_one  # noqa: PLC0415 - a tool, no part of the gateway

    sys.stdout.write(asyncio.run(read_one(options.line, WireKind(options.over))))
    return 0


def _decode(options: argparse.Namespace) -> int:
    if options.file is None and options.protocol is None:
        raise RefusalError("decode: say which --protocol the frame is of")
    frames = [(options.protocol, options.hex)] if options.file is None else read_frames(options.file, options.protocol)
    text, usable = decode_text(frames, many=options.file is not None)
    sys.stdout.write(text)
    if not usable:
        sys.stderr.write("gatehouse edge: a frame is refused; its reason stands in the output\n")
    return 0 if usable else 1
