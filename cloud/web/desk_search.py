"""Finding a room from what was typed or scanned at the desk: part of its label, a bill's number, a bill's code.

A scanner types what the code holds and presses Enter: for a bill that is the address `.../pay/<token>`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import service as billing
from cloud.billing.documents import Account
from cloud.billing.errors import UnknownBillError
from cloud.estate import service as estate
from cloud.estate.values import Premises
from cloud.kit.db import Database
from cloud.payments import links
from cloud.payments.errors import UnknownPayLinkError
from common.civil import civil_day
from common.errors import RefusalError
from common.ids import CommunityId, TenantId

FOUND_MAX = 30
TYPED_MAX = 200
_PAY = "/pay/"


async def find(
    session: AsyncSession, database: Database, place: tuple[TenantId, CommunityId], typed: str
) -> Sequence[Premises]:
    """Return the rooms of a company's community that the text may mean; exactly one when it names one exactly.

    Raises:
        RefusalError: it is the code of another company's bill.
    """
    tenant, community_id = place
    text = typed.strip()[:TYPED_MAX]
    community = await estate.community(session, community_id)
    day = civil_day(database.clock.now(), community.zone)
    account = await _account_of(session, database, tenant, text)
    if account is not None:
        named = await estate.premises(session, account.premises_id, day=day)
        return (named,) if named.community_id == community_id else ()
    found = await estate.find_premises(session, community_id, label_part=text, day=day, limit=FOUND_MAX)
    exact = [premises for premises in found if premises.label.casefold() == text.casefold()]
    return exact or found


async def _account_of(session: AsyncSession, database: Database, tenant: TenantId, text: str) -> Account | None:
    if _PAY in text:
        token = text.rpartition(_PAY)[2].partition("?")[0].strip("/")
        try:
            link = await links.find(database, token)
        except UnknownPayLinkError:
            return None
        if link.tenant != tenant:
            raise RefusalError("this code is of another company's bill; the payer pays it by scanning it himself")
        return await billing.account(session, link.account_id)
    try:
        return (await billing.bill_numbered(session, text.upper())).account
    except UnknownBillError:
        return None
