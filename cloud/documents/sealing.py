"""The seal of a paper: the legal person's key, made at first use, and the job that seals each paper once.

The job is known by the digest of the paper, prints it again from what was kept and seals only bytes with exactly that
digest. A paper that has its seal keeps it, whatever is asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from uuid import UUID

from cloud.documents import repository, service
from cloud.documents.service import Press
from cloud.documents.signer import SealKey, Signer, SoftwareSigner, new_key
from cloud.documents.tables import SealKeyRow
from cloud.documents.typesetting import SEAL as SEAL_TEMPLATE
from cloud.estate import service as estate
from cloud.kit.db import Unit
from cloud.kit.runner import JobContext
from cloud.kit.secretbox import SecretBox
from common.ids import LegalEntityId

PURPOSE = "seal key"
_SERIAL_BYTES = 16
_SIGNERS_MAX = 64


class Sealing:
    """Seals papers with keys in software; the loaded keys are kept for the next paper."""

    def __init__(self, press: Press, box: SecretBox, random_bytes: Callable[[int], bytes]) -> None:
        self._press = press
        self._box = box
        self._random_bytes = random_bytes
        self._ready: dict[UUID, tuple[Signer, bytes]] = {}

    async def seal_paper(self, context: JobContext) -> None:
        """Seal the paper of a job."""
        paper_id = UUID(str(context.job.payload["paper_id"]))
        async with context.view() as session:
            paper = await service.paper(session, paper_id)
            if await service.is_sealed(session, paper_id):
                return  # sealed by an earlier try
            name = (await estate.entity_names(session))[paper.legal_entity_id]
        async with context.unit() as unit:
            key_id, key = await self._key(unit, paper.legal_entity_id, name)
        signer, mark = await self._signer(key_id, key, name)
        pdf = await service.reprint(self._press, context.job.tenant, paper_id)
        now = self._press.database.clock.now()
        sealed = await signer.seal(pdf, mark, now)
        async with context.finishing_unit() as unit:
            await repository.add_seal(
                unit.session,
                {
                    "tenant_id": unit.tenant,
                    "community_id": paper.community_id,
                    "paper_id": paper_id,
                    "seal_key_id": key_id,
                    "sealed_sha": sha256(sealed).digest(),
                    "sealed_pdf": sealed,
                    "sealed_at": now,
                },
            )
            unit.record("sealed", "paper", paper_id, after={"seal_key_id": str(key_id)})

    async def _key(self, unit: Unit, entity: LegalEntityId, name: str) -> tuple[UUID, SealKey]:
        row = await repository.key_in_use(unit.session, entity)
        if row is None:
            row = await self._make_key(unit, entity, name)
        private = self._box.open(unit.tenant, PURPOSE, row.private_key_sealed)
        return row.seal_key_id, SealKey(certificate=row.certificate, private_key=private)

    async def _make_key(self, unit: Unit, entity: LegalEntityId, name: str) -> SealKeyRow:
        key = new_key(name, unit.now, int.from_bytes(self._random_bytes(_SERIAL_BYTES), "big") >> 1 | 1)
        row = SealKeyRow(
            tenant_id=unit.tenant,
            seal_key_id=unit.new_id(),
            legal_entity_id=entity,
            certificate=key.certificate,
            certificate_sha=key.fingerprint,
            private_key_sealed=self._box.seal(unit.tenant, PURPOSE, key.private_key),
            made_at=unit.now,
            retired_at=None,
        )
        unit.session.add(row)
        await unit.session.flush()
        unit.record("made", "seal_key", row.seal_key_id, after={"certificate_sha": key.fingerprint.hex()})
        return row

    async def _signer(self, key_id: UUID, key: SealKey, name: str) -> tuple[Signer, bytes]:
        if key_id not in self._ready:
            if len(self._ready) >= _SIGNERS_MAX:
                self._ready.clear()
            mark = await self._press.printer.print(SEAL_TEMPLATE, {"name": name})
            self._ready[key_id] = SoftwareSigner(key), mark
        return self._ready[key_id]
