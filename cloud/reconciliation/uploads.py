"""Settlement files that a person brings, because the acquirer has no interface: sealed, read by a worker, compared.

The page only checks that the file can be read; the worker keeps and compares it as it does a file that it fetched.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import date
from uuid import UUID

from cloud.kit.db import Unit
from cloud.kit.jobs import NewJob
from cloud.kit.runner import JobContext
from cloud.kit.secretbox import SecretBox
from cloud.payments import merchants
from cloud.payments.channel import Channel
from cloud.payments.channels.pos.acquirer_file import read_acquirer_file
from cloud.payments.merchants import MerchantAccount
from cloud.reconciliation import service, statements
from cloud.reconciliation.statements import BillFile
from common.errors import FaultsError, RefusalError

READ = "reconciliation.read_upload"


async def bring(unit: Unit, box: SecretBox, merchant_account_id: UUID, day: date, raw: bytes) -> int:
    """Take an acquirer's file of a day and have it read and compared; return its count of rows.

    Raises:
        NotFoundError: there is no such merchant account.
        RefusalError: its channel has an interface, whose file is fetched.
        FaultsError: the file contradicts itself; nothing of it is used.
    """
    account = await merchants.merchant_account(unit.session, merchant_account_id)
    if account.channel is not Channel.POS:
        raise RefusalError("the file of this channel is fetched from it; only a terminal's file is brought")
    rows = read_acquirer_file(raw, account.merchant_number)
    upload_id = unit.new_id()
    sealed = box.seal(unit.tenant, _purpose(merchant_account_id, day), raw)
    unit.enqueue(
        NewJob(
            kind=READ,
            key=f"{READ}:{upload_id}",
            payload={
                "merchant_account_id": str(merchant_account_id),
                "day": day.isoformat(),
                "file": b64encode(sealed).decode(),
            },
            partition=f"recon:{merchant_account_id}",
        )
    )
    unit.record("brought", "statement_file", merchant_account_id, after={"day": day.isoformat(), "rows": len(rows)})
    return len(rows)


class UploadTasks:
    """The handler of brought files."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    async def read(self, context: JobContext) -> None:
        """Keep a brought file and have its day compared."""
        payload = context.job.payload
        merchant_account_id, day = UUID(str(payload["merchant_account_id"])), date.fromisoformat(str(payload["day"]))
        async with context.finishing_unit() as unit:
            account = await merchants.merchant_account(unit.session, merchant_account_id)
            sealed = b64decode(str(payload["file"]))
            raw = self._box.open(unit.tenant, _purpose(merchant_account_id, day), sealed)
            stored = await statements.store(unit, self._box, account, day, _read(account, raw))
            if stored.usable and not stored.known:
                unit.enqueue(service.compare_job(merchant_account_id, day, f"version:{stored.version}"))


def _read(account: MerchantAccount, raw: bytes) -> BillFile:
    try:
        return BillFile(raw=raw, rows=read_acquirer_file(raw, account.merchant_number))
    except FaultsError as error:
        return BillFile(raw=raw, faults=tuple(str(fault) for fault in error.faults))


def _purpose(merchant_account_id: UUID, day: date) -> str:
    return f"upload:{merchant_account_id}:{day}"
