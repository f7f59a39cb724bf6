"""`gatehouse ledger`: walk every book of the house again, or write one for others to read.

    gatehouse ledger audit --home DIR     one row for each community; exit code 1 when anything cannot be right
    gatehouse ledger export --home DIR --community CODE [--format csv|beancount] [--through DAY] [--out FILE]

Both commands only read. The audit walks fingerprints, routes, guards, sums, seals and closed periods.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from cloud.app import running_services
from cloud.estate import service as estate
from cloud.house import open_house
from cloud.kit import jobqueue
from cloud.ledger import exporting
from cloud.ledger.auditing import AuditReport, audit
from cloud.ledger.reports import Posting
from cloud.services import Services
from cloud.settings import read_settings
from common.errors import RefusalError
from common.money.amount import format_minor


def main(argv: Sequence[str] | None = None) -> int:
    """Audit every book and return 0 when all are sound, 1 when not."""
    options = _parser().parse_args(argv)
    try:
        if options.word == "export":
            return asyncio.run(_export(options))
        reports = asyncio.run(_run(options))
    except RefusalError as refusal:
        sys.stderr.write(f"gatehouse ledger: {refusal}\n")
        return 1
    for name, report in reports:
        sys.stdout.write(
            f"{name}: {report.journals} journals, {report.transfers} transfers, {format_minor(report.fen)} moved, "
            f"{report.seals} seals, {len(report.breaches)} breaches\n"
        )
        sys.stdout.writelines(f"  {breach.law}: {breach.where}: {breach.what}\n" for breach in report.breaches)
    return 1 if any(report.breaches for _, report in reports) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gatehouse ledger", description="the book")
    words = parser.add_subparsers(required=True, metavar="WORD", dest="word")
    word = words.add_parser("audit", help="walk every book again and list what cannot be right")
    word.add_argument("--home", type=Path, required=True, help="folder of settings, keys and embedded data")
    word = words.add_parser("export", help="write the book of one community as CSV or Beancount")
    word.add_argument("--home", type=Path, required=True, help="folder of settings, keys and embedded data")
    word.add_argument("--community", required=True, help="the code of the community")
    word.add_argument("--format", choices=("csv", "beancount"), default="csv")
    word.add_argument("--through", type=date.fromisoformat, default=None, help="up to this day, inclusive")
    word.add_argument("--out", type=Path, default=None, help="the file to write; without it, standard output")
    return parser


async def _export(options: argparse.Namespace) -> int:
    with open_house(read_settings(options.home)) as house:
        async with running_services(house, house.database.worker) as services:
            text, count = await exported(services, options.community, options.format, options.through)
    if options.out is None:
        sys.stdout.write(text)
    else:
        options.out.write_text(text, encoding="utf-8", newline="")
        sys.stdout.write(f"{options.out}: {count} entries\n")
    return 0


async def exported(services: Services, code: str, form: str, through: date | None) -> tuple[str, int]:
    """Return the book of the community that a code names as text, and how many entries it has.

    Raises:
        RefusalError: no community, or more than one, has the code.
    """
    async with services.database.directory() as connection:
        tenants = [tenant for tenant, _ in await jobqueue.companies(connection)]
    found: list[tuple[str, int]] = []
    for tenant in tenants:
        async with services.database.view(tenant) as session:
            for community in await estate.communities(session):
                if community.code == code:
                    postings = await exporting.postings_in(session, community.id, through)
                    found.append(_written(postings, community.name, form))
    if len(found) != 1:
        raise RefusalError(f"{len(found)} communities have the code {code}; name one of this house")
    return found[0]


def _written(postings: Sequence[Posting], title: str, form: str) -> tuple[str, int]:
    out = io.StringIO(newline="")
    csv = form == "csv"
    count = exporting.write_csv(postings, out) if csv else exporting.write_beancount(postings, title, out)
    return out.getvalue(), count


async def _run(options: argparse.Namespace) -> list[tuple[str, AuditReport]]:
    with open_house(read_settings(options.home)) as house:
        async with running_services(house, house.database.worker) as services:
            return await audits(services)


async def audits(services: Services) -> list[tuple[str, AuditReport]]:
    """Return the audit of every community of every company of this house, by community code and id."""
    async with services.database.directory() as connection:
        tenants = [tenant for tenant, _ in await jobqueue.companies(connection)]
    found: dict[str, AuditReport] = {}
    for tenant in tenants:
        async with services.database.view(tenant) as session:
            for community in await estate.communities(session):
                found[f"{community.code} {community.id}"] = await audit(session, community.id)
    return list(found.items())
