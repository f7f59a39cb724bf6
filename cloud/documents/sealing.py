"""The seal of a paper: the job that seals each paper once, with the key of the legal person that issued it.

The job is known by the digest of the paper, prints it again from what was kept and seals only bytes with exactly that
digest. A paper that has its seal keeps it, whatever is asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from uuid import UUID

from cloud.documents import repository, seal_keys, service
from cloud.documents.service import Press
from cloud.documents.signer import KeyKeeper, Signer
from cloud.documents.tables import SealKeyRow
from cloud.documents.typesetting import SEAL as SEAL_TEMPLATE
from cloud.estate import service as estate
from cloud.kit.runner import JobContext
from cloud.kit.secretbox import SecretBox
from common.ids import TenantId

_SIGNERS_MAX = 64


class Sealing:
    """Seals papers with keys in software and at a keeper; the loaded keys are kept for the next paper."""

    def __init__(
        self, press: Press, box: SecretBox, random_bytes: Callable[[int], bytes], keeper: KeyKeeper | None = None
    ) -> None:
        self._press = press
        self._box = box
        self._random_bytes = random_bytes
        self._keeper = keeper
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
            key = await seal_keys.key_for(unit, self._box, paper.legal_entity_id, self._random_bytes)
        signer, mark = await self._signer(key, context.job.tenant, name)
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
                    "seal_key_id": key.seal_key_id,
                    "sealed_sha": sha256(sealed).digest(),
                    "sealed_pdf": sealed,
                    "sealed_at": now,
                },
            )
            unit.record("sealed", "paper", paper_id, after={"seal_key_id": str(key.seal_key_id)})

    async def warn(self, context: JobContext) -> None:
        """Open a case for every key whose certificate ends soon."""
        async with context.finishing_unit() as unit:
            await seal_keys.warn(unit)

    async def _signer(self, key: SealKeyRow, tenant: TenantId, name: str) -> tuple[Signer, bytes]:
        if key.seal_key_id not in self._ready:
            if len(self._ready) >= _SIGNERS_MAX:
                self._ready.clear()
            mark = await self._press.printer.print(SEAL_TEMPLATE, {"name": name})
            self._ready[key.seal_key_id] = seal_keys.signer_of(key, tenant, self._box, self._keeper), mark
        return self._ready[key.seal_key_id]
