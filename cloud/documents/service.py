"""Issuing papers, once for each thing they are about, and handing them out.

A paper is printed before its unit of work begins, because printing takes longer than a transaction should; what was
read for it is issued and does not change. The seal follows in a job; until then the file says on every page that it
is not sealed. Issuing again answers the same paper.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import segno
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.documents import repository
from cloud.documents.errors import UnknownPaperError
from cloud.documents.glyphs import font_sha, printed
from cloud.documents.kinds import PaperKind
from cloud.documents.printer import Printer
from cloud.documents.sources import Content, content_of
from cloud.documents.typesetting import PAPER, template_sha
from cloud.documents.values import Paper, PaperFile, paper_of
from cloud.kit import directory
from cloud.kit.actor import Actor
from cloud.kit.db import Database, Unit
from cloud.kit.directory import DirectoryKind
from cloud.kit.jobs import NewJob
from common.errors import InvariantError, ensure
from common.ids import AccountId, TenantId

SEAL = "documents.seal"
_TOKEN_BYTES = 18
_CODE_BORDER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """What printing papers needs: the printer, the address that codes lead to, and randomness for their tokens."""

    database: Database
    printer: Printer
    public_url: str
    random_bytes: Callable[[int], bytes]


async def issue(press: Press, tenant: TenantId, actor: Actor, kind: PaperKind, subject_id: UUID) -> Paper:
    """Issue the paper about a thing, or return the one that was issued.

    Raises:
        NotFoundError: the company has no such thing.
        NotPrintableError: it is not final yet.
        BusyError: printing failed just now; nothing was changed.
    """
    now = press.database.clock.now()
    async with press.database.view(tenant) as session:
        known = await repository.paper_about(session, kind, subject_id)
        if known is not None:
            return paper_of(known)
        content = await content_of(session, kind, subject_id, now)
    token = urlsafe_b64encode(press.random_bytes(_TOKEN_BYTES)).decode()
    address = f"{press.public_url.rstrip('/')}/v/{token}"
    missing: set[str] = set()
    sheet = {
        **printed(content.sheet, missing),
        "made": [now.year, now.month, now.day, now.hour, now.minute, now.second],
        "verify": {"token": token, "address": address, "code": _code(address)},
    }
    if content.pay_token:
        pay = f"{press.public_url.rstrip('/')}/pay/{content.pay_token}"
        sheet["pay"] = {"address": pay, "code": _code(pay)}
    pdf = await press.printer.print(PAPER, sheet)
    values = {
        "kind": kind,
        "subject_id": subject_id,
        "token": token,
        "sheet": sheet,
        "missing_letters": "".join(sorted(missing)),
        "pdf_sha": sha256(pdf).digest(),
        "issued_at": now,
    }
    async with press.database.unit(tenant, actor) as unit:
        return await _keep(unit, content, values)


async def paper(session: AsyncSession, paper_id: UUID) -> Paper:
    """Return a paper.

    Raises:
        UnknownPaperError: the company has no such paper.
    """
    row = await repository.paper(session, paper_id)
    if row is None:
        raise UnknownPaperError
    return paper_of(row)


async def about(session: AsyncSession, kind: PaperKind, subject_id: UUID) -> Paper:
    """Return the paper of a kind that was issued about a thing.

    Raises:
        UnknownPaperError: none was.
    """
    row = await repository.paper_about(session, kind, subject_id)
    if row is None:
        raise UnknownPaperError
    return paper_of(row)


async def papers_of(session: AsyncSession, account_id: AccountId) -> tuple[Paper, ...]:
    """Return the papers of an account, the newest first."""
    return tuple(paper_of(row) for row in await repository.papers_of(session, [account_id]))


async def is_sealed(session: AsyncSession, paper_id: UUID) -> bool:
    """Return whether a paper has its seal."""
    return await repository.seal_of(session, paper_id) is not None


async def file_of(press: Press, tenant: TenantId, paper_id: UUID) -> PaperFile:
    """Return the file of a paper.

    Raises:
        UnknownPaperError: the company has no such paper.
        BusyError: printing failed just now.
    """
    async with press.database.view(tenant) as session:
        row = await repository.paper(session, paper_id)
        seal = await repository.seal_of(session, paper_id)
    if row is None:
        raise UnknownPaperError
    if seal is not None:
        return PaperFile(name=f"{row.kind}-{row.number}.pdf", content=seal.sealed_pdf, sealed=True)
    marked = await press.printer.print(row.template, {**row.sheet, "unsealed": True})
    return PaperFile(name=f"{row.kind}-{row.number}-unsealed.pdf", content=marked, sealed=False)


async def reprint(press: Press, tenant: TenantId, paper_id: UUID) -> bytes:
    """Return the bytes of a paper before its seal, made again from what was kept.

    Raises:
        UnknownPaperError: the company has no such paper.
        InvariantError: template or font are no longer those it was made with, so the bytes are others.
    """
    async with press.database.view(tenant) as session:
        row = await repository.paper(session, paper_id)
    if row is None:
        raise UnknownPaperError
    pdf = await press.printer.print(row.template, row.sheet)
    ensure(sha256(pdf).digest() == row.pdf_sha, f"paper {row.number} is printed again to the same bytes")
    return pdf


async def _keep(unit: Unit, content: Content, values: dict[str, Any]) -> Paper:
    paper_id, account = unit.new_id(), content.account
    added = await repository.add_paper(
        unit.session,
        {
            **values,
            "tenant_id": unit.tenant,
            "community_id": account.community_id,
            "paper_id": paper_id,
            "account_id": account.account_id,
            "legal_entity_id": content.legal_entity_id,
            "number": content.number,
            "template": PAPER,
            "template_sha": template_sha(PAPER),
            "font_sha": font_sha(),
        },
    )
    row = await repository.paper_about(unit.session, values["kind"], values["subject_id"])
    if row is None:
        raise InvariantError("a paper that was kept is there")
    found = paper_of(row)
    if not added:
        unit.record("asked for", "paper", found.paper_id)
        return found
    await directory.enter(unit, DirectoryKind.PAPER, found.token, paper_id)
    unit.enqueue(
        NewJob(kind=SEAL, key=f"{SEAL}:{paper_id}:{found.pdf_sha.hex()[:32]}", payload={"paper_id": str(paper_id)})
    )
    unit.record("issued", "paper", paper_id, after={"kind": found.kind.value, "number": found.number})
    if found.missing_letters:
        await cases.raise_case(unit, _letters_missing(found))
    return found


def _code(address: str) -> str:
    return str(segno.make(address, error="m", micro=False).svg_inline(border=_CODE_BORDER))


def _letters_missing(found: Paper) -> CaseReport:
    points = ", ".join(f"U+{ord(letter):04X}" for letter in found.missing_letters)
    return CaseReport(
        kind=CaseKind.EXCEPTION,
        reason="letters_missing",
        origin="documents",
        object_kind="paper",
        object_id=found.paper_id,
        community_id=found.community_id,
        owner_role=OwnerRole.MANAGER,
        detail_zh=f"单据 {found.number} 中有字库没有的字 ({points}), 已用〓和编码代替, 请人工补写或更换字库",
        detail_en=f"paper {found.number} has letters that the font lacks ({points}); they are shown by their codes",
    )
