"""A process of clients of the book: each posts payments, one in a commit or many, until all of its own are posted.

It says `ready`, waits for a line, posts, and says how many journals it posted.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
from datetime import datetime
from uuid import UUID

import structlog

from cloud.kit.actor import system_actor
from cloud.kit.db import Database
from cloud.kit.events import router
from cloud.ledger import postings, service
from cloud.ledger.accounts import Book
from cloud.ledger.journals import DocumentKind, DocumentRef, JournalDraft, LineRef
from cloud.tariffs.charge import FundClass
from common.ids import AccountId, BillId, CommunityId, LegalEntityId, TenantId, TimeOrderedIds
from tests.support.clock import SettableClock

FEN = 12_345
PAYERS = 100
MERCHANT = UUID(int=1)


class Desk:
    """Clients of one community's book; each payment settles a line of one of a hundred payers."""

    def __init__(self, database: Database, tenant: TenantId, book: Book) -> None:
        self._database = database
        self._tenant = tenant
        self._book = book
        self._into = postings.clearing(book, MERCHANT)
        self._payers = [AccountId(database.new_id()) for _ in range(PAYERS)]
        self._made = 0

    async def post(self, commits: int, at_once: int) -> None:
        """Post so many journals in each of so many commits."""
        for _ in range(commits):
            async with self._database.unit(self._tenant, system_actor("bench")) as unit:
                await service.post_many(unit, [self._payment() for _ in range(at_once)])

    def _payment(self) -> JournalDraft:
        self._made += 1
        document = self._database.new_id()
        settled = postings.Allocation(
            account_id=self._payers[self._made % PAYERS], line=LineRef(bill_id=BillId(document), n=1), fen=FEN
        )
        return JournalDraft(
            idem_key=f"payment:{document}",
            kind="payment",
            community_id=self._book.community_id,
            business_date=self._database.clock.now().date(),
            document=DocumentRef(kind=DocumentKind.PAYMENT, document_id=document),
            transfers=postings.payment_received(self._into, [settled], payer=settled.account_id),
        )


async def work(conninfo: str, now: datetime, tenant: TenantId, book: Book, plan: tuple[int, int, int]) -> None:
    """Let clients post side by side: how many clients, commits of each, journals in each commit."""
    clients, commits, at_once = plan
    clock = SettableClock(now)
    ids = TimeOrderedIds(clock.now, secrets.token_bytes)
    database = Database(conninfo, clock=clock, ids=ids, route=router({}))
    desk = Desk(database, tenant, book)
    await desk.post(1, PAYERS)  # the accounts of the payers exist, and every statement is known
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(desk.post(commits, at_once))
    sys.stdout.write(f"{clients * commits * at_once}\n")
    await database.close()


def main() -> None:
    """Read the place and the plan from the command line."""
    conninfo, now, tenant, community, entity, *plan = sys.argv[1:]
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    book = Book(
        community_id=CommunityId(UUID(community)),
        legal_entity_id=LegalEntityId(UUID(entity)),
        fund_class=FundClass.OPERATING,
    )
    clients, commits, at_once = (int(word) for word in plan)
    asyncio.run(work(conninfo, datetime.fromisoformat(now), TenantId(UUID(tenant)), book, (clients, commits, at_once)))


if __name__ == "__main__":
    main()
