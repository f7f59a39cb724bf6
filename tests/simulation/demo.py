"""`make demo`, `make demo-check`, `make demo-clean`: the whole house for a person, for a machine, and forgotten.

    python -m tests.simulation.demo run      start, tell what is left of the story, then live on until Ctrl-C
    python -m tests.simulation.demo check    the story without a person in a folder of its own, then the comparison
    python -m tests.simulation.demo clean    forget the data of both

All data lie in `.demo` of the folder one stands in. Every process that was started is stopped, whatever ends the demo.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from cloud.kit.postgres import EmbeddedPostgres
from common.errors import RefusalError
from tests.simulation import plan, report
from tests.simulation.house import SIGN_INS, House
from tests.simulation.promises import compare, exchanges_over_wires
from tests.simulation.site import compose
from tests.simulation.story import Story

FOLDER = Path(".demo")
SEED = 20260101
LIVE_SPEED = 300
_LIVE_AHEAD = timedelta(days=1)
_BEAT_S = 0.5


def main(argv: Sequence[str] | None = None) -> int:
    """Run one word and return the exit code."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("word", choices=["run", "check", "clean"])
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(argv)
    words: dict[str, Callable[[int], int]] = {"run": run, "check": check, "clean": lambda _: clean()}
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return words[options.word](options.seed)
    except RefusalError as refusal:
        sys.stderr.write(f"demo: {refusal}\n")
        return 1
    except KeyboardInterrupt:
        sys.stdout.write("\n已停止 stopped\n")
        return 0


def run(seed: int) -> int:
    """Start the house for a person."""
    say = _speaker()
    house = _house(FOLDER / "house", seed)
    try:
        first_time = house.first_time
        _start(house, say)
        _print_addresses(house, with_codes=first_time)
        story = Story(house, say)
        if not story.told:
            say("三个月的故事开始 three months begin; 页面可以随时打开 the pages are open meanwhile")
            try:
                story.tell()
            finally:
                story.close()
            say("故事讲完，时间继续 the story is told, time goes on; Ctrl-C 结束 stops it")
            _print_addresses(house, with_codes=False)
        house.conductor.run(LIVE_SPEED, house.conductor.now() + _LIVE_AHEAD)
        while True:
            _live_on(house)
    finally:
        house.stop()


def check(seed: int) -> int:
    """Tell the story without a person, compare, and return 0 when every promise holds."""
    say = _speaker()
    started = time.monotonic()
    folder = FOLDER / "check"
    _forget(folder)
    house = _house(folder, seed)
    try:
        _start(house, say)
        story = Story(house, say)
        try:
            story.tell()
        finally:
            story.close()
        house.stop_processes()
        say("核对 comparing")
        stores = house.stores()
        rows = compare(stores)
        return report.write(
            FOLDER / "report.json",
            rows,
            exchanges_over_wires=exchanges_over_wires(stores),
            wall_s=time.monotonic() - started,
            processes=house.processes.values(),
        )
    finally:
        house.stop()


def clean() -> int:
    """Forget the data."""
    for folder in (FOLDER / "house", FOLDER / "check"):
        _forget(folder)
    shutil.rmtree(FOLDER, ignore_errors=True)
    return 0


def _house(folder: Path, seed: int) -> House:
    return House(folder.absolute(), seed, wrong=plan.wrong_readings(compose(seed)))


def _start(house: House, say: Callable[[str], None]) -> None:
    house.start(say, visits=plan.visits(house.site), faults=plan.faults(house.site), dense=[plan.DENSE_DAY])


def _live_on(house: House) -> None:
    """Let time go on, and end when a process of the house has ended by itself.

    Raises:
        RefusalError: a process ended; the message carries the end of its log.
    """
    time.sleep(_BEAT_S)
    for process in house.processes.values():
        if not process.running:
            raise RefusalError(f"{process.name} ended; its log ends:\n{process.tail()}")
    house.conductor.run(LIVE_SPEED, house.conductor.now() + _LIVE_AHEAD)


def _forget(folder: Path) -> None:
    database = folder / "cloud" / "database"
    if database.exists():
        EmbeddedPostgres(database).forget()
    shutil.rmtree(folder, ignore_errors=True)


def _print_addresses(house: House, *, with_codes: bool) -> None:
    """Print where everything is; one-time codes only the first time, and nowhere else."""
    rows = [("云端页面 cloud pages", house.cloud_url)]
    rows += [(f"网关页面 gateway {name}, kiosk", f"{house.pages_url(name)}/") for name in house.gateways]
    rows += [(f"网关页面 gateway {name}, technician", f"{house.pages_url(name)}/technician") for name in house.gateways]
    rows += [(f"技术员口令 technician PIN of {name}", house.technician_pin(name)) for name in house.gateways]
    if with_codes:
        users = house.codes["users"]
        logins = [login for login in users if login.split("-")[0] in SIGN_INS]
        rows += [(f"一次性登录码 one-time code, {login}", users[login]) for login in logins]
    width = max(report.columns(name) for name, _ in rows)
    sys.stdout.write("\n")
    for name, value in rows:
        sys.stdout.write(f"  {report.padded(name, width)}  {value}\n")
    sys.stdout.write("\n")
    sys.stdout.flush()


def _speaker() -> Callable[[str], None]:
    started = time.monotonic()

    def say(text: str) -> None:
        sys.stdout.write(f"[{time.monotonic() - started:6.1f} s] {text}\n")
        sys.stdout.flush()

    return say


def _interrupt(number: int, frame: object) -> None:
    del number, frame
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
