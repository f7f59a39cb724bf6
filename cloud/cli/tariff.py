"""`gatehouse tariff WORD`: check a tariff file, price a request with it, compare two tariffs over many requests.

    check FILE...                          all faults at once: line, what is wrong, how to mend it
    price FILE --usage REQUEST             the amount and its explanation, or the reason why there is none
    compare OLD NEW --usage REQUESTS       who pays more and who less, as a table and a histogram

Requests are YAML: one mapping for `price`, `requests: [...]` with a `name` each for `compare`. The commands only read.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cloud.cli.tariff_comparison import histogram, table
from cloud.tariffs import trial
from cloud.tariffs.comparison import summarise
from cloud.tariffs.text import CHARACTERS_MAX, TextFaultsError, load_text
from common.errors import RefusalError
from common.rating.explain import explain
from common.rating.plain import line_to_plain
from common.rating.refusal import RatingRefusedError
from common.rating.usage_document import Place
from common.tariff.canonical import canonical_json
from common.tariff.compile import CompiledTariff
from common.tariff.daytype import OfficialCalendar, parse_calendar

_CALENDAR_CODE = "cn"
_TARIFF_HELP = "a tariff, YAML or JSON"
_REQUEST = """a request says the days and what was used; decimals in quotes:

  period: ["2026-06-01", "2026-07-01"]   # the first day, and the day after the last
  quantity: "150"                        # units of the tariff
  prior: "2100"                          # used before, since the tiers began

also: windows: {peak: "90", valley: "60"}   facts: {area: "88.53"}   traits: {class: general}
      visits: [["2026-06-01T08:00", "2026-06-01T09:30"]]   granted_minutes: 30   paid_at: "2026-06-01T09:20"
      debts: [{key: a, amount: "100.00", due: "2026-05-01"}]   paid_on: "2026-06-09"
"""
_REQUESTS = (
    """several requests stand in one list, each with a name:

  requests:
    - {name: "1-101", period: ["2026-06-01", "2026-07-01"], quantity: "150"}
    - {name: "1-102", period: ["2026-06-01", "2026-07-01"], quantity: "80"}

"""
    + _REQUEST
)
_CALENDAR_HELP = "official notice of a year, for tariffs that ask for working days; may stand several times"

_Raw = argparse.RawDescriptionHelpFormatter


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused with the reason, 2 not understood."""
    options = _parser().parse_args(argv)
    try:
        if options.word == "check":
            return _check(options.files)
        if options.word == "price":
            return _price(options)
        return _compare(options)
    except TextFaultsError as refusal:
        sys.stderr.writelines(f"{line}\n" for line in refusal.told())
        return 1
    except RefusalError as refusal:
        sys.stderr.write(f"gatehouse tariff: {refusal}\n")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gatehouse tariff", description="tariffs as data: check, price, compare")
    words = parser.add_subparsers(dest="word", required=True, metavar="check|price|compare")
    check = words.add_parser("check", help="list every fault of tariff files")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE", help=_TARIFF_HELP)
    price = words.add_parser("price", help="price one request and explain it", epilog=_REQUEST, formatter_class=_Raw)
    price.add_argument("file", type=Path, metavar="FILE", help=_TARIFF_HELP)
    price.add_argument("--json", action="store_true", help="print the rated line as canonical JSON instead")
    compare = words.add_parser(
        "compare", help="show who pays more or less under a new tariff", epilog=_REQUESTS, formatter_class=_Raw
    )
    compare.add_argument("old", type=Path, metavar="OLD", help="the tariff as it is")
    compare.add_argument("new", type=Path, metavar="NEW", help="the tariff as it would be")
    for command in (price, compare):
        command.add_argument("--usage", type=Path, required=True, metavar="FILE", help="the request or requests, YAML")
        command.add_argument("--zone", type=_zone, default=ZoneInfo("Asia/Shanghai"), help="zone of local times")
        command.add_argument("--calendar", type=Path, action="append", default=[], metavar="FILE", help=_CALENDAR_HELP)
        command.add_argument("--language", choices=("zh", "en"), default="zh", help="of the explanation")
    return parser


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise argparse.ArgumentTypeError(f"{name} is no time zone; write one such as Asia/Shanghai") from error


def _check(files: Sequence[Path]) -> int:
    faulty = 0
    for path in files:
        try:
            tariff = _load_tariff(path)
        except TextFaultsError as refusal:
            faulty += 1
            sys.stdout.writelines(f"{line}\n" for line in refusal.told())
        else:
            sys.stdout.write(f"{path}: {tariff.code} {tariff.body_sha[:12]} 无误 no fault\n")
    return 1 if faulty else 0


def _price(options: argparse.Namespace) -> int:
    tariff = _load_tariff(options.file)
    try:
        line = trial.price_text(tariff, load_text(*_text(options.usage)), _place(options))
    except RatingRefusedError as refusal:
        reason = refusal.detail_zh if options.language == "zh" else refusal.detail_en
        sys.stderr.write(f"gatehouse tariff: {reason}\n")
        return 1
    if options.json:
        sys.stdout.write(canonical_json(line_to_plain(line)).decode() + "\n")
    else:
        sys.stdout.writelines(f"{sentence}\n" for sentence in explain(line, options.language))
    return 0


def _load_tariff(path: Path) -> CompiledTariff:
    return trial.read_tariff(*_text(path))


def _text(path: Path) -> tuple[str, str]:
    """Return the text of a file and its name.

    Raises:
        RefusalError: the file cannot be read, or holds more than a text may.
    """
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(CHARACTERS_MAX + 1), str(path)
    except (OSError, UnicodeDecodeError) as error:
        raise RefusalError(f"{path}: {error}; give the name of a readable UTF-8 file") from error


def _place(options: argparse.Namespace) -> Place:
    zone: ZoneInfo = options.zone
    return Place(zone=zone, zone_name=zone.key, calendar=_calendar(options.calendar))


def _calendar(files: Sequence[Path]) -> OfficialCalendar | None:
    return parse_calendar(_CALENDAR_CODE, [load_text(*_text(path)).data for path in files]) if files else None


def _compare(options: argparse.Namespace) -> int:
    old, new = _load_tariff(options.old), _load_tariff(options.new)
    requests = trial.read_requests(*_text(options.usage))
    found = summarise(trial.compare(old, new, requests, _place(options)))
    sys.stdout.writelines(f"{row}\n" for row in table(found, old.currency))
    sys.stdout.writelines(f"{row}\n" for row in histogram(found, old.currency))
    return 0
