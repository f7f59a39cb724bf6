"""`gatehouse ledger audit`: walk every book of the house again: fingerprints, routes, guards, sums and seals.

    gatehouse ledger audit --home DIR     one row for each community; exit code 1 when anything cannot be right

The command only reads.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from cloud.app import running_services
from cloud.estate import service as estate
from cloud.house import open_house
from cloud.kit import jobqueue
from cloud.ledger.auditing import AuditReport, audit
from cloud.services import Services
from cloud.settings import read_settings
from common.errors import RefusalError
from common.money.amount import format_minor


def main(argv: Sequence[str] | None = None) -> int:
    """Audit every book and return 0 when all are sound, 1 when not."""
    options = _parser().parse_args(argv)
    try:
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
    words = parser.add_subparsers(required=True, metavar="WORD")
    word = words.add_parser("audit", help="walk every book again and list what cannot be right")
    word.add_argument("--home", type=Path, required=True, help="folder of settings, keys and embedded data")
    return parser


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
