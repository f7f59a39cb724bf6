"""Booking many issued bills at once: the journals of a bill run in binary form, without an object for each.

The rows are those that `service.post_many` writes for the same bills: the same accounts, transfers under the numbers of
their lines, and fingerprints. But a journal bears the id of its bill and names the billing account, so that its
transfers need not stand in every index (see `JournalRow`). Only charges are booked here: a receivable grows and what
is earned with it, neither of them guarded, so there is no balance to hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.kit import images
from cloud.kit.bulk import read_columns
from cloud.kit.db import Unit
from cloud.kit.images import ID, Cells, Ids, Integers, image
from cloud.kit.tables import table_of
from cloud.ledger import repository
from cloud.ledger.accounts import CHART, EARNED_AS, AccountType, Book, Guard, LedgerAccountRef
from cloud.ledger.errors import SealedDayError
from cloud.ledger.journals import DocumentKind, TransferKind
from cloud.ledger.routes import Route
from cloud.ledger.tables import JournalRow, LedgerAccountRow, TransferRow
from cloud.tariffs.charge import Nature
from common.errors import ensure
from common.ids import ChargeItemId, CommunityId, TenantId

_JOURNAL = (
    "community_id",
    "journal_id",
    "idem_key",
    "request_sha",
    "kind",
    "business_date",
    "recorded_at",
    "document_kind",
    "document_id",
    "approved_by",
    "account_id",
)
_TRANSFER = (
    "community_id",
    "journal_id",
    "n",
    "kind",
    "debit_id",
    "debit_class",
    "credit_id",
    "credit_class",
    "legal_entity_id",
    "fen",
    "route",
    "bill_id",
    "line_n",
    "pending_journal_id",
    "pending_n",
)
_ACCOUNT = (
    "community_id",
    "ledger_account_id",
    "legal_entity_id",
    "fund_class",
    "type",
    "owner_id",
    "guard",
    "hot",
)
_ACCOUNTS, _JOURNALS, _TRANSFERS = (table_of(row) for row in (LedgerAccountRow, JournalRow, TransferRow))
ISSUED_TABLES = (_ACCOUNTS, _JOURNALS, _TRANSFERS)
_VERSION_BYTE, _VARIANT_BYTE = 6, 8
_KNOWN = "select ledger_account_id from ledger_account where ledger_account_id = any({wanted}::uuid[])"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedLine:
    """The line with one number on every bill of a batch; `fen` is above zero."""

    n: int
    book: Book
    charge_item_id: ChargeItemId
    nature: Nature
    fen: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedBatch:
    """Bills with the same lines that move money: their accounts, ids and keys, one row each."""

    accounts: Ids
    bill_ids: Ids
    idem_keys: Cells
    lines: tuple[IssuedLine, ...]


async def post_issued(
    unit: Unit, community_id: CommunityId, business_date: date, kind: str, batches: Sequence[IssuedBatch]
) -> None:
    """Write the journals of issued bills of one community and day.

    Raises:
        SealedDayError: the day is sealed.
        IntegrityError: a key stands in the book already.
    """
    batches = [batch for batch in batches if batch.lines and len(batch.accounts)]
    if not batches:
        return
    through = await repository.sealed_through(unit.session, community_id)
    if through is not None and business_date <= through:
        raise SealedDayError(business_date, through)
    desk = _Desk(unit, community_id, business_date, kind)
    await desk.open_accounts(batches)
    await unit.load_images(_JOURNALS, _JOURNAL, [desk.journals(batch) for batch in batches])
    await unit.load_images(_TRANSFERS, _TRANSFER, [desk.transfers(batch) for batch in batches])
    count = sum(len(batch.accounts) for batch in batches)
    unit.record("posted", "journal", images.id_at(batches[0].bill_ids, 0), after={"journals": count})


def receivable_ids(tenant: TenantId, book: Book, accounts: Ids) -> Ids:
    """Return the ids that follow from the names of billing accounts' receivables; see `accounts.py`."""
    head = b"".join((tenant.bytes, book.community_id.bytes, book.legal_entity_id.bytes))
    tail = f"{book.fund_class}/{AccountType.RECEIVABLE}".encode()
    start = hashlib.sha256(head)
    owners = np.ascontiguousarray(accounts).tobytes()
    digests: list[bytes] = []
    for at in range(0, len(owners), ID.itemsize):
        name = start.copy()
        name.update(owners[at : at + ID.itemsize] + tail)
        digests.append(name.digest())
    cells = images.blobs(b"".join(digests), hashlib.sha256().digest_size)[:, : ID.itemsize].copy()
    cells[:, _VERSION_BYTE] = cells[:, _VERSION_BYTE] & 0x0F | 0x80
    cells[:, _VARIANT_BYTE] = cells[:, _VARIANT_BYTE] & 0x3F | 0x80
    return images.ids_from(cells)


class _Desk:
    """One community and day while its journals are laid out."""

    def __init__(self, unit: Unit, community_id: CommunityId, business_date: date, kind: str) -> None:
        self._unit = unit
        self._community_id = community_id
        self._day = business_date
        self._kind = kind
        self._head = [images.uuid(unit.tenant), images.uuid(community_id)]
        self._receivables: dict[tuple[int, Book], Ids] = {}

    def _receivable(self, batch: IssuedBatch, book: Book) -> Ids:
        key = (id(batch), book)
        if key not in self._receivables:
            self._receivables[key] = receivable_ids(self._unit.tenant, book, batch.accounts)
        return self._receivables[key]

    async def open_accounts(self, batches: Sequence[IssuedBatch]) -> None:
        """Add the accounts that do not exist."""
        earned = {_earned(line).account_id(self._unit.tenant): _earned(line) for b in batches for line in b.lines}
        await repository.open_accounts(self._unit.session, self._unit.tenant, earned)
        owners: dict[Book, list[tuple[Ids, Ids]]] = {}
        for batch in batches:
            for book in {line.book for line in batch.lines}:
                owners.setdefault(book, []).append((self._receivable(batch, book), batch.accounts))
        made = []
        for book, pairs in owners.items():
            wanted, accounts = (np.concatenate(column) for column in zip(*pairs, strict=True))
            new = ~np.isin(wanted, await _known(self._unit.session, wanted))
            if new.any():
                made.append(self._accounts(book, wanted[new], accounts[new]))
        if made:
            await self._unit.load_images(_ACCOUNTS, _ACCOUNT, made)

    def _accounts(self, book: Book, ids: Ids, owners: Ids) -> Cells:
        behaves = CHART[AccountType.RECEIVABLE]
        ensure(behaves.guard is Guard.NONE, "a receivable keeps no balance row")
        columns = [
            *self._head,
            images.uuids(ids),
            images.uuid(book.legal_entity_id),
            images.text(book.fund_class),
            images.text(AccountType.RECEIVABLE),
            images.uuids(owners),
            images.text(behaves.guard),
            images.boolean(behaves.hot),
        ]
        return image(columns, len(ids))

    def journals(self, batch: IssuedBatch) -> Cells:
        """Return the rows of the journals of a batch."""
        columns = [
            *self._head,
            images.uuids(batch.bill_ids),
            batch.idem_keys,
            images.blobs(b"".join(self._fingerprints(batch)), hashlib.sha256().digest_size),
            images.text(self._kind),
            images.day(self._day),
            images.instant(self._unit.now),
            images.text(DocumentKind.BILL),
            images.uuids(batch.bill_ids),
            None,
            images.uuids(batch.accounts),
        ]
        return image(columns, len(batch.accounts))

    def transfers(self, batch: IssuedBatch) -> Cells:
        """Return the rows of the transfers of a batch, those of one journal behind each other."""
        return images.images_abreast([self._transfer(batch, line) for line in batch.lines], len(batch.accounts))

    def _transfer(self, batch: IssuedBatch, line: IssuedLine) -> list[Cells | None]:
        fund = images.text(line.book.fund_class)
        return [
            *self._head,
            images.uuids(batch.bill_ids),
            images.int8(line.n),
            images.text(TransferKind.POSTED),
            images.uuids(self._receivable(batch, line.book)),
            fund,
            images.uuid(_earned(line).account_id(self._unit.tenant)),
            fund,
            images.uuid(line.book.legal_entity_id),
            images.int8(line.fen),
            images.text(Route.ISSUE.code),
            images.uuids(batch.bill_ids),
            images.int8(line.n),
            None,
            None,
        ]

    def _fingerprints(self, batch: IssuedBatch) -> list[bytes]:
        """Return the fingerprint of each journal: `journals.fingerprint` with the figures put into one text."""
        head = f"%b {self._kind} {self._community_id} {self._day.isoformat()} {DocumentKind.BILL} %b -"
        bills = images.bytes_list(images.uuid_texts(batch.bill_ids))
        columns: list[Sequence[object]] = [images.bytes_list(batch.idem_keys), bills]
        lines = [head]
        texts = {book: images.bytes_list(images.uuid_texts(self._receivable(batch, book))) for book in _books(batch)}
        for line in batch.lines:
            credit = _earned(line).account_id(self._unit.tenant)
            entity = line.book.legal_entity_id
            lines.append(f"{line.n} {TransferKind.POSTED} %b {credit} {entity} %d {Route.ISSUE.code} %b/{line.n} -")
            columns += [texts[line.book], line.fen.tolist(), bills]
        template = "\n".join(lines).encode()
        sha256 = hashlib.sha256
        return [sha256(template % row).digest() for row in zip(*columns, strict=True)]


def _books(batch: IssuedBatch) -> set[Book]:
    return {line.book for line in batch.lines}


def _earned(line: IssuedLine) -> LedgerAccountRef:
    return line.book.account(EARNED_AS[line.nature], line.charge_item_id)


async def _known(session: AsyncSession, wanted: Ids) -> Ids:
    found = await read_columns(session, _KNOWN, {"wanted": images.IdArray(wanted)}, {"ledger_account_id": ID})
    known: Ids = found["ledger_account_id"]
    return known
