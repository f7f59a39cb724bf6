"""The dues snapshot of the kiosks with the cashier address of each bill, so that a resident can scan and pay it.

A bill that has no address yet gets one, a bounded number in each round; the others follow in the next.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from sqlalchemy import select

from cloud.billing import dues
from cloud.kit import jobqueue
from cloud.kit.db import Unit
from cloud.kit.runner import Handler, JobContext
from cloud.payments import links
from cloud.payments.tables import PayLinkRow
from common.ids import BillId

NEW_MOST = 500


def publish_dues_handler(public_url: str) -> Handler:
    """Return the handler that hands every gateway the dues as of now, with addresses under our public one."""
    base = f"{public_url.rstrip('/')}/pay/"

    async def addresses(unit: Unit, bill_ids: Sequence[BillId]) -> Mapping[BillId, str]:
        return {bill_id: base + token for bill_id, token in (await tokens_of(unit, bill_ids)).items()}

    async def publish(context: JobContext) -> None:
        async with context.finishing_unit() as unit:
            await jobqueue.absorb(unit.session, context.job, unit.now)
            await dues.publish_everywhere(unit, addresses)

    return publish


async def tokens_of(unit: Unit, bill_ids: Sequence[BillId]) -> Mapping[BillId, str]:
    """Return the tokens of some bills, making those that are missing, at most so many at once."""
    rows = await unit.session.scalars(
        select(PayLinkRow).where(PayLinkRow.bill_id.in_(bill_ids), PayLinkRow.revoked_at.is_(None))
    )
    tokens = {BillId(row.bill_id): row.token for row in rows}
    for bill_id in [one for one in bill_ids if one not in tokens][:NEW_MOST]:
        tokens[bill_id] = await links.link_for(unit, bill_id, secrets.token_bytes)
    return tokens
