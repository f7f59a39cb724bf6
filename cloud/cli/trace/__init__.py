"""`gatehouse trace NUMBER`: the chain behind a bill, a bill line or a receipt, back to the raw frame.

    gatehouse trace GARDEN-B2026-000012 --home DIR        every line of a bill
    gatehouse trace GARDEN-B2026-000012/3 --home DIR      one line
    gatehouse trace GARDEN-R2026-000007 --home DIR        a receipt, and every line that it settled
    --json                                                the same as structure

The command only reads. Exit code 0 is found, 1 refused with the reason, 2 not understood.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from cloud.app import running_services
from cloud.billing import tracing
from cloud.billing.errors import UnknownBillError
from cloud.billing.tracing import LineTrace
from cloud.cli.trace.words import line_words, payment_words
from cloud.house import open_house
from cloud.kit import jobqueue
from cloud.kit.errors import NotFoundError
from cloud.payments import booking
from cloud.payments.tracing import PaymentTrace, trace_payment
from cloud.services import Services
from cloud.settings import read_settings
from common.errors import RefusalError
from common.ids import TenantId

Found = PaymentTrace | tuple[LineTrace, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Print the chain of a number and return the exit code."""
    options = _parser().parse_args(argv)
    try:
        found = asyncio.run(_look_up(options))
    except RefusalError as refusal:
        sys.stderr.write(f"gatehouse trace: {refusal}\n")
        return 1
    if options.json:
        plain = asdict(found) if isinstance(found, PaymentTrace) else [asdict(line) for line in found]
        sys.stdout.write(json.dumps(plain, default=str, ensure_ascii=False, indent=2) + "\n")
    else:
        words = payment_words(found) if isinstance(found, PaymentTrace) else _bill_words(found)
        sys.stdout.writelines(f"{line}\n" for line in words)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gatehouse trace", description="the chain behind a bill line or a payment")
    parser.add_argument("number", help="a bill number, a bill number with /line, or a receipt number")
    parser.add_argument("--home", type=Path, required=True, help="folder of settings, keys and embedded data")
    parser.add_argument("--json", action="store_true", help="print the chain as structure")
    return parser


def _bill_words(lines: tuple[LineTrace, ...]) -> list[str]:
    return [word for line in lines for word in line_words(line)]


async def _look_up(options: argparse.Namespace) -> Found:
    with open_house(read_settings(options.home)) as house:
        async with running_services(house, house.database.worker) as services:
            return await find(services, options.number)


async def find(services: Services, number: str) -> Found:
    """Return the chain of a number of any company of this house.

    Raises:
        NotFoundError: nobody has a document of that number.
    """
    async with services.database.directory() as connection:
        tenants = [tenant for tenant, _ in await jobqueue.companies(connection)]
    for tenant in tenants:
        found = await _find_in(services, tenant, number)
        if found is not None:
            return found
    raise NotFoundError(f"no bill, bill line or payment is numbered {number}")


async def _find_in(services: Services, tenant: TenantId, number: str) -> Found | None:
    async with services.database.view(tenant) as session:
        try:
            return await tracing.trace_number(session, number)
        except UnknownBillError:
            pass
        try:
            payment = await booking.payment_numbered(session, number)
        except NotFoundError:
            return None
        return await trace_payment(session, payment)
