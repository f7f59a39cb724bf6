"""Seal keys over HTTP: which key seals for whom and until when, and the exchange of one for another."""

from __future__ import annotations

import secrets
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from cloud.documents import seal_keys
from cloud.documents.errors import SealKeyError
from cloud.documents.seal_keys import CHALLENGE_BYTES, PEM_LENGTH_MAX, KeptKey, KeyView
from cloud.documents.signer import KeyKeeper, der_of, name_of
from cloud.identity.caller import Caller
from cloud.identity.callers import require
from cloud.identity.policy import Permission
from cloud.kit.db import Database
from cloud.kit.secretbox import SecretBox
from common.ids import LegalEntityId

SealKeeper = Annotated[Caller, Depends(require(Permission.MANAGE_SEALS))]


class SealKeyIn(BaseModel):
    """The wish for another key: in software, or by label and certificate the one that a token or a service keeps."""

    model_config = ConfigDict(extra="forbid")

    legal_entity_id: UUID
    token_label: str = ""
    certificate_pem: str = Field(default="", max_length=PEM_LENGTH_MAX)


class SealKeyOut(BaseModel):
    """A seal key; the one without `retired_at` seals now."""

    seal_key_id: UUID
    legal_entity_id: UUID
    name: str
    token_label: str
    made_at: datetime
    expires_at: datetime
    retired_at: datetime | None

    @classmethod
    def of(cls, key: KeyView) -> SealKeyOut:
        """Return a key as it is told."""
        return cls(
            seal_key_id=key.seal_key_id,
            legal_entity_id=key.legal_entity_id,
            name=name_of(key.certificate),
            token_label=key.token_label,
            made_at=key.made_at,
            expires_at=key.expires_at,
            retired_at=key.retired_at,
        )


def build_seal_router(database: Database, box: SecretBox, keeper: KeyKeeper | None) -> APIRouter:
    """Return the endpoints of seal keys."""
    router = APIRouter(tags=["papers"])

    @router.get("/seal-keys")
    async def listed(caller: SealKeeper) -> list[SealKeyOut]:
        """Return every key that seals or has sealed for the company, oldest first."""
        async with database.view(caller.tenant) as session:
            return [SealKeyOut.of(key) for key in await seal_keys.keys(session)]

    @router.post("/seal-keys", status_code=HTTPStatus.CREATED)
    async def exchange(wish: SealKeyIn, caller: SealKeeper) -> SealKeyOut:
        """Let another key seal for a legal person from now on; what was sealed before stays verifiable."""
        entity = LegalEntityId(wish.legal_entity_id)
        if bool(wish.token_label.strip()) != bool(wish.certificate_pem.strip()):
            raise SealKeyError(
                "a key in a token or at a seal service comes with its label and its certificate; give both, or neither"
            )
        async with database.unit(caller.tenant, caller.actor) as unit:
            if not wish.token_label.strip():
                return SealKeyOut.of(await seal_keys.exchange(unit, box, entity, secrets.token_bytes))
            key = KeptKey(label=wish.token_label, certificate=der_of(wish.certificate_pem.encode()))
            return SealKeyOut.of(await seal_keys.adopt(unit, keeper, entity, key, secrets.token_bytes(CHALLENGE_BYTES)))

    return router
