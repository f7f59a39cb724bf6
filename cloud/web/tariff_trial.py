"""Trying prices out on a page: a tariff text is checked, priced for one request, compared with another over many.

/price-trial                the form, filled with a tariff of the library or a recorded revision if one is named
/price-trial/changes.csv    the comparison as a file

The same functions do the work as behind `gatehouse tariff check | price | compare`; nothing is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated

import yaml
from fastapi import APIRouter, Depends, Form, Query, Request, Response, UploadFile
from sqlalchemy.ext.asyncio import AsyncSession

from cloud.estate.values import Community
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.errors import NotFoundError, TooLargeError
from cloud.tariffs import service as tariffs
from cloud.tariffs import trial
from cloud.tariffs.calendars import trial_place
from cloud.tariffs.comparison import Comparison, signed, summarise
from cloud.tariffs.library import library, library_text
from cloud.tariffs.schemas import REQUESTS_MAX
from cloud.tariffs.text import LineFault, TextFaultsError, load_text
from cloud.web.frame import Frame, chosen, communities_of, page_router
from cloud.web.listing import csv_file
from cloud.web.tariff_trial_words import (
    EXAMPLE_REQUESTS,
    EXAMPLE_USAGE,
    changes_cells,
    changes_chart,
    changes_rows,
    spread,
    told,
)
from common.errors import RefusalError
from common.rating.line import RatedLine
from common.rating.refusal import RatingRefusedError
from common.rating.usage_document import Place
from common.tariff.compile import CompiledTariff

Editor = Annotated[Caller, Depends(require(Permission.CHANGE_TARIFFS))]
CommunityCode = Annotated[str | None, Query(max_length=80)]
Source = Annotated[str, Query(max_length=120)]
TEXT_MAX = 200_000
Text = Annotated[str, Form(max_length=TEXT_MAX)]
_LIBRARY, _REVISION = "library:", "revision:"


class Deed(StrEnum):
    """What a button of the form asks for."""

    CHECK = "check"
    PRICE = "price"
    COMPARE = "compare"
    TAKE = "take"
    TAKE_OLD = "take_old"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The form as it is filled in: the tariff, a request, the tariff as it is, and the requests to compare over."""

    community: str | None = None
    source: str = ""
    tariff: str = ""
    usage: str = EXAMPLE_USAGE
    old: str = ""
    requests: str = EXAMPLE_REQUESTS


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of a trial: the faults of every text, or what was found."""

    faults: dict[str, tuple[LineFault, ...]] = field(default_factory=dict)
    refusals: list[tuple[str, str]] = field(default_factory=list)
    tariff: CompiledTariff | None = None
    line: RatedLine | None = None
    comparison: Comparison | None = None

    @contextmanager
    def reading(self, text: str) -> Iterator[None]:
        """Keep the faults of a text, or why it cannot be priced, and go on."""
        try:
            yield
        except TextFaultsError as refusal:
            self.faults[text] = refusal.line_faults
        except RatingRefusedError as refusal:
            self.refusals.append((refusal.detail_zh, refusal.detail_en))
        except RefusalError as refusal:
            self.refusals.append(("不能这样做", str(refusal)))


async def _files(
    tariff_file: UploadFile | None = None,
    old_file: UploadFile | None = None,
    requests_file: UploadFile | None = None,
) -> dict[str, str]:
    """Return the texts of the files that were chosen."""
    files = {"tariff": tariff_file, "old": old_file, "requests": requests_file}
    texts = {name: await _text_of(file) for name, file in files.items() if file is not None}
    return {name: text for name, text in texts.items() if text}


async def _sheet(
    files: Annotated[dict[str, str], Depends(_files)],
    community: Annotated[str | None, Form(max_length=80)] = None,
    tariff: Text = "",
    usage: Text = "",
    old: Text = "",
    requests: Text = "",
) -> Sheet:
    """Return the form; a file that was chosen stands in for its text."""
    typed = Sheet(community=community, tariff=tariff, usage=usage, old=old, requests=requests)
    return replace(typed, **files)


Filled = Annotated[Sheet, Depends(_sheet)]


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of trials."""
    router = page_router()

    @router.get("/price-trial")
    async def empty(
        request: Request, caller: Editor, community: CommunityCode = None, source: Source = "", old: Source = ""
    ) -> Response:
        """Show the form, with the tariffs that the address names."""
        async with frame.database.view(caller.tenant) as session:
            one = chosen(await communities_of(session, caller, Permission.CHANGE_TARIFFS), community)
            sheet = Sheet(community=one.code, source=source)
            if source:
                sheet = replace(sheet, tariff=await _taken(session, one, source))
            if old:
                sheet = replace(sheet, old=await _taken(session, one, old))
        return await _shown(frame, request, caller, sheet, Outcome())

    @router.post("/price-trial")
    async def tried(
        request: Request,
        caller: Editor,
        sheet: Filled,
        deed: Annotated[Deed, Form()],
        source: Annotated[str, Form(max_length=120)] = "",
    ) -> Response:
        """Show what a trial finds; nothing is stored."""
        async with frame.database.view(caller.tenant) as session:
            one = chosen(await communities_of(session, caller, Permission.CHANGE_TARIFFS), sheet.community)
            place = await trial_place(session, one, frame.now())
            if deed in {Deed.TAKE, Deed.TAKE_OLD}:
                into = "tariff" if deed is Deed.TAKE else "old"
                sheet = replace(sheet, source=source, **{into: await _taken(session, one, source)})
        outcome = await asyncio.to_thread(_try, sheet, deed, place)
        return await _shown(frame, request, caller, sheet, outcome)

    @router.post("/price-trial/changes.csv")
    async def file(caller: Editor, sheet: Filled) -> Response:
        """Answer the comparison as a file; texts with faults are refused with all of them."""
        async with frame.database.view(caller.tenant) as session:
            one = chosen(await communities_of(session, caller, Permission.CHANGE_TARIFFS), sheet.community)
            place = await trial_place(session, one, frame.now())
        old, new = (trial.read_tariff(text, name) for text, name in ((sheet.old, "old"), (sheet.tariff, "tariff")))
        found = summarise(trial.compare(old, new, _requests(sheet), place))
        header = ("名称 name", "原 old", "新 new", "差 change", "百分比 %", "原因 reason")
        return csv_file("tariff-changes.csv", header, changes_cells(found, old.currency))

    return router


def _try(sheet: Sheet, deed: Deed, place: Place) -> Outcome:
    """Return what a deed finds, with the faults of every text it reads."""
    outcome = Outcome()
    if deed in {Deed.CHECK, Deed.PRICE, Deed.COMPARE}:
        with outcome.reading("tariff"):
            outcome.tariff = trial.read_tariff(sheet.tariff, "tariff")
    if deed is Deed.PRICE:
        with outcome.reading("usage"):
            usage = load_text(sheet.usage, "usage")
            if outcome.tariff is not None:
                outcome.line = trial.price_text(outcome.tariff, usage, place)
    if deed is Deed.COMPARE:
        old, requests = None, None
        with outcome.reading("old"):
            old = trial.read_tariff(sheet.old, "old")
        with outcome.reading("requests"):
            requests = _requests(sheet)
        if outcome.tariff is not None and old is not None and requests is not None:
            with outcome.reading("requests"):
                outcome.comparison = summarise(trial.compare(old, outcome.tariff, requests, place))
    return outcome


def _requests(sheet: Sheet) -> list[dict[str, object]]:
    requests = trial.read_requests(sheet.requests, "requests")
    if len(requests) > REQUESTS_MAX:
        what, remedy = f"these are {len(requests)} requests", f"compare at most {REQUESTS_MAX} at once, or by command"
        raise TextFaultsError("requests", [LineFault(where="requests", what=what, remedy=remedy, line=1)])
    return requests


async def _text_of(file: UploadFile) -> str:
    """Return the text of a file; the browser sends an empty one where none was chosen."""
    try:
        text = (await file.read()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RefusalError(f"the file is not text in UTF-8: {error}; save it as UTF-8") from error
    if len(text) > TEXT_MAX:
        raise TooLargeError(f"the file holds {len(text)} characters; a page takes {TEXT_MAX}, the command more")
    return text


async def _taken(session: AsyncSession, community: Community, source: str) -> str:
    """Return the text of a tariff of the library, or of a revision recorded for a community."""
    if source.startswith(_LIBRARY):
        return library_text(source.removeprefix(_LIBRARY))
    sha = source.removeprefix(_REVISION)
    bodies = await tariffs.revision_bodies(session, community.id, [sha])
    if sha not in bodies:
        raise NotFoundError("there is no such revision")
    return yaml.safe_dump(dict(bodies[sha]), allow_unicode=True, sort_keys=False, width=100)


async def _shown(frame: Frame, request: Request, caller: Caller, sheet: Sheet, outcome: Outcome) -> Response:
    async with frame.database.view(caller.tenant) as session:
        communities = await communities_of(session, caller, Permission.CHANGE_TARIFFS)
        one = chosen(communities, sheet.community)
        book = await tariffs.price_book(session, one.id, frame.now())
    found = outcome.comparison
    return frame.page(
        request,
        "manager/tariff_trial.html",
        caller=caller,
        communities=communities,
        community=one,
        sheet=sheet,
        outcome=outcome,
        told=None if outcome.line is None else told(outcome.line),
        spread=[] if found is None or outcome.tariff is None else spread(found, outcome.tariff.currency),
        chart=None if found is None or outcome.tariff is None else changes_chart(found, outcome.tariff.currency),
        total="" if found is None or outcome.tariff is None else signed(found.total, outcome.tariff.currency),
        rows=[] if found is None or outcome.tariff is None else list(changes_rows(found, outcome.tariff.currency)),
        library=[(f"{_LIBRARY}{name}", name) for name in library()],
        revisions=sorted(
            (f"{_REVISION}{known.ref.body_sha}", f"{known.ref.tariff_code} {known.ref.effective_from} r{known.ref.rev}")
            for revisions in book.revisions.values()
            for known in revisions
            if known.ref.body_sha
        ),
    )
