"""What anybody may ask without signing in: is this file genuine, and does what it says still hold?

The answer names kind, number, date, amount and standing of the paper, and no person, room or account. A file is
genuine only when its bytes are exactly those that were sealed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection
from hashlib import sha256

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.documents import repository
from cloud.documents.errors import UnknownPaperError
from cloud.documents.kinds import Check
from cloud.documents.signer import pem_of
from cloud.documents.sources import standing_of
from cloud.documents.tables import PaperRow
from cloud.documents.values import Public, Verdict
from cloud.documents.verifying import Examined, examine
from cloud.kit import directory
from cloud.kit.db import Database
from cloud.kit.directory import DirectoryEntry, DirectoryKind

_EXAMINE_S_MAX = 10.0
_TOKEN = re.compile(r"[A-Za-z0-9_-]{24}", re.ASCII)


async def by_token(database: Database, token: str) -> Public:
    """Return what anybody may know of the paper with a code.

    Raises:
        UnknownPaperError: no paper has it.
    """
    entry = await _find(database, token)
    if entry is None:
        raise UnknownPaperError
    async with database.view(entry.tenant) as session:
        return await _public(session, await _row(session, entry))


async def certificates(database: Database, token: str) -> str:
    """Return the certificates, as PEM, with which the company of a paper seals and has sealed.

    Raises:
        UnknownPaperError: no paper has the code.
    """
    entry = await _find(database, token)
    if entry is None:
        raise UnknownPaperError
    async with database.view(entry.tenant) as session:
        return "".join(pem_of(key.certificate) for key in await repository.keys(session))


async def of_file(database: Database, pdf: bytes) -> Verdict:
    """Return what is to be said of a file."""
    claimed = await _examined(pdf, ())
    entry = await _find(database, claimed.token)
    if entry is None:
        return Verdict(check=claimed.check, sealed_by=claimed.sealed_by, paper=None)
    async with database.view(entry.tenant) as session:
        trusted = {key.certificate for key in await repository.keys(session)}
        public = await _public(session, await _row(session, entry))
    found = await _examined(pdf, trusted)
    check = found.check
    if check is Check.GENUINE and found.file_sha != public.sealed_sha:
        check = Check.TAMPERED
    return Verdict(check=check, sealed_by=found.sealed_by, paper=public)


async def _examined(pdf: bytes, trusted: Collection[bytes]) -> Examined:
    """Examine a file of a stranger beside the loop, for a bounded time."""
    try:
        async with asyncio.timeout(_EXAMINE_S_MAX):
            return await asyncio.to_thread(examine, pdf, trusted)
    except TimeoutError:
        return Examined(check=Check.UNREADABLE, file_sha=sha256(pdf).digest())


async def _find(database: Database, token: str) -> DirectoryEntry | None:
    if _TOKEN.fullmatch(token) is None:
        return None
    async with database.directory() as connection:
        return await directory.find(connection, DirectoryKind.PAPER, token)


async def _row(session: AsyncSession, entry: DirectoryEntry) -> PaperRow:
    row = await repository.paper(session, entry.object_id)
    if row is None:
        raise UnknownPaperError
    return row


async def _public(session: AsyncSession, row: PaperRow) -> Public:
    seal = await repository.seal_of(session, row.paper_id)
    return Public(
        kind=row.kind,
        number=row.number,
        issuer=row.sheet["issuer"],
        issued_at=row.issued_at,
        total=row.sheet["totals"][-1][2],
        sealed_sha=None if seal is None else seal.sealed_sha,
        standing=await standing_of(session, row.kind, row.subject_id),
    )
