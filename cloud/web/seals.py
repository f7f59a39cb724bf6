"""The page of seal keys: which key seals for each legal person, until when, and the exchange of one for another.

/seals              every key that seals or has sealed, and the form
/seals/exchange     let another key seal from now on (form): a new one in software, or one that a keeper has
"""

from __future__ import annotations

import secrets
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import BaseModel, Field

from cloud.documents import seal_keys
from cloud.documents.errors import SealKeyError
from cloud.documents.seal_keys import CHALLENGE_BYTES, PEM_LENGTH_MAX, WARNING, KeptKey
from cloud.documents.signer import der_of, name_of
from cloud.estate import service as estate
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.web.frame import Frame, page_router, see_other
from common.ids import LegalEntityId

SealKeeper = Annotated[Caller, Depends(require(Permission.MANAGE_SEALS))]


class ExchangeForm(BaseModel):
    """The wish for another key; label and certificate name one that a token or a seal service keeps."""

    legal_entity_id: UUID
    label: Annotated[str, Field(max_length=100)] = ""
    certificate_pem: Annotated[str, Field(max_length=PEM_LENGTH_MAX)] = ""


def build_pages(frame: Frame) -> APIRouter:
    """Return the pages of seal keys."""
    router = page_router()

    @router.get("/seals")
    async def listed(request: Request, caller: SealKeeper) -> Response:
        """Show the keys, those that seal now first."""
        async with frame.database.view(caller.tenant) as session:
            found = await seal_keys.keys(session)
            names = await estate.entity_names(session)
        return frame.page(
            request,
            "manager/seals.html",
            caller=caller,
            keys=sorted(found, key=lambda key: key.retired_at is not None),
            names=names,
            name_of=name_of,
            soon=frame.now() + WARNING,
            has_keeper=frame.parts.seal_keeper is not None,
        )

    @router.post("/seals/exchange")
    async def exchanged(caller: SealKeeper, form: Annotated[ExchangeForm, Form()]) -> Response:
        """Let another key seal for a legal person from now on."""
        entity, label, pem = LegalEntityId(form.legal_entity_id), form.label.strip(), form.certificate_pem.strip()
        if bool(label) != bool(pem):
            raise SealKeyError("a key in a token or at a seal service comes with its label and its certificate")
        async with frame.database.unit(caller.tenant, caller.actor) as unit:
            if label:
                key = KeptKey(label=label, certificate=der_of(pem.encode()))
                challenge = secrets.token_bytes(CHALLENGE_BYTES)
                await seal_keys.adopt(unit, frame.parts.seal_keeper, entity, key, challenge)
            else:
                await seal_keys.exchange(unit, frame.parts.secret_box, entity, secrets.token_bytes)
        return see_other("/seals", done="seal-exchanged")

    return router
