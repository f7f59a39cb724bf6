"""Every fen explained: from each issued line back to the device, and from each payment to the lines it settled.

A chain is complete when every link is a row or a file that says the same as its neighbour: posting, tariff revision,
rating input, registers in blocks of named batches, the readings inside those signed batches, and the raw frame or the
recorded row behind them. Only complete chains count.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.simulation.promises import registers, wire
from tests.simulation.promises.stores import Comparison, Figures, Look
from tests.simulation.promises.wire import BatchKey

_MILLI = 1000
Register = tuple[UUID, str, int, int]  # meter, quantity, instant in milliseconds, value


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """The far ends of the chains, by what names them in a line."""

    postings: dict[tuple[UUID, int], int]
    tariffs: set[tuple[UUID, Any, int, str]]
    inputs: dict[str, bool]
    blocks: dict[tuple[UUID, str, str, int], tuple[dict[int, int], BatchKey]]
    revisions: dict[tuple[UUID, str, int, int], int]
    sent: dict[BatchKey, set[Register]]
    evidence: dict[BatchKey, set[UUID]]
    multipliers: dict[UUID, int]
    pools: set[tuple[UUID, Any, Any]]
    claims: dict[tuple[UUID, int], UUID]
    stays: set[UUID]


def links(look: Look) -> Links:
    """Read all that a chain may lead to."""
    sent, evidence, stays = _batches(look)
    return Links(
        postings={
            (row.document_id, row.n): row.fen
            for row in look.rows("""
                select j.document_id, t.n, case d.type when 'receivable' then t.fen else -t.fen end as fen
                  from transfer t
                  join journal j using (tenant_id, community_id, journal_id)
                  join ledger_account d on d.ledger_account_id = t.debit_id and d.tenant_id = t.tenant_id
                 where j.document_kind = 'bill' and j.kind like 'bill\\_%%'
            """)
        },
        tariffs={
            (row.tariff_id, row.effective_from, row.rev, row.body_sha)
            for row in look.rows("select tariff_id, effective_from, rev, body_sha from tariff_revision")
        },
        inputs={
            row.sha: hashlib.sha256(row.body).hexdigest() == row.sha
            for row in look.rows("select sha, body from rating_input")
        },
        blocks=_blocks(look),
        revisions={
            (row.meter_id, row.quantity, _ms(row.read_at), row.rev): row.value_milli
            for row in look.rows("select meter_id, quantity, read_at, rev, value_milli from reading_revision")
        },
        sent=sent,
        evidence=evidence,
        multipliers={
            row.meter_id: row.multiplier_milli for row in look.rows("select meter_id, multiplier_milli from meter")
        },
        pools={
            (row.pool_id, row.period_start, row.period_end)
            for row in look.rows("select pool_id, period_start, period_end from apportionment")
        },
        claims={
            (row.bill_id, row.line_n): row.session_id
            for row in look.rows("select bill_id, line_n, session_id from usage_claim")
        },
        stays=stays,
    )


def _blocks(look: Look) -> dict[tuple[UUID, str, str, int], tuple[dict[int, int], BatchKey]]:
    query = """
        select meter_id, quantity, day, rev, first_at, first_milli, count, body, gateway_id, store_epoch, sequence
          from meter_day_block
    """
    return {
        (row.meter_id, row.quantity, row.day.isoformat(), row.rev): (
            dict(registers.unpack(row)),
            (row.gateway_id, row.store_epoch, row.sequence),
        )
        for row in look.rows(query)
    }


def _batches(look: Look) -> tuple[dict[BatchKey, set[Register]], dict[BatchKey, set[UUID]], set[UUID]]:
    """Return by batch its readings and the meters whose raw bytes it proves, and the stays that some batch tells."""
    shown = look.once(registers.shown)
    sent: dict[BatchKey, set[Register]] = {}
    evidence: dict[BatchKey, set[UUID]] = defaultdict(set)
    stays: set[UUID] = set()
    for batch in look.once(wire.batches):
        sent[batch.key] = {(r.meter_id, r.quantity, r.slot_ms, r.value_milli) for r in batch.readings}
        for meter, _, slot_ms, _, request, response in batch.of_kind(wire.EVIDENCE):
            meter_id = UUID(bytes=meter)
            answers = shown.frames.get(meter_id)
            if answers is None:
                quantity = request.decode().partition(",")[2]
                proved = shown.recorded.get((meter_id, quantity, slot_ms)) == int(response)
            else:
                proved = any(answer.endswith(response.hex()) for answer in answers)
            if proved:
                evidence[batch.key].add(meter_id)
        stays |= {UUID(bytes=record[3]) for record in batch.of_kind(wire.PARKING) if record[3] is not None}
    return sent, evidence, stays


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _lines_explained(look: Look) -> Figures:
    found = look.once(links)
    issued, explained = 0, 0
    faults = []
    for line in look.rows("""
        select b.number, b.bill_id, l.n, l.basis, l.subject, l.service_start, l.service_end, l.fen, l.quantity_milli,
               l.tariff_id, l.effective_from, l.rev, l.tariff_sha, l.input_sha, l.corrects_bill_id, l.trace
          from bill_line l join bill b using (tenant_id, community_id, bill_id) order by b.number, l.n
    """):
        issued += abs(line.fen)
        missing = _missing_links(found, line)
        if missing:
            faults.append(f"{line.number}/{line.n} ({line.basis}): {', '.join(missing)}")
        else:
            explained += abs(line.fen)
    return Figures(left=issued, right=explained, faults=tuple(faults))


def _missing_links(found: Links, line: Any) -> list[str]:
    """Return which links of a line's chain are missing or say something else."""
    missing = []
    if line.fen and found.postings.get((line.bill_id, line.n)) != line.fen:
        missing.append("no posting of the same amount")
    if (line.tariff_id, line.effective_from, line.rev, line.tariff_sha) not in found.tariffs:
        missing.append("no tariff revision")
    if not found.inputs.get(line.input_sha):
        missing.append("no rating input")
    ends = [line.trace["from_register"], line.trace["to_register"]]
    if line.basis in {"metered", "share"}:
        missing += [fault for end in ends for fault in _missing_of_register(found, end)]
    if line.basis == "metered" and line.corrects_bill_id is None and None not in ends:
        counted = (ends[1]["value_milli"] - ends[0]["value_milli"]) * found.multipliers[UUID(line.subject)] // _MILLI
        if counted != line.quantity_milli:
            missing.append(f"registers count {counted}, the line {line.quantity_milli}")
    if line.basis == "share" and not _has_pool(found, line):
        missing.append("no apportionment")
    if line.basis == "parking":
        claimed = found.claims.get((line.bill_id, line.n))
        if claimed is None or str(claimed) != line.trace["session_id"] or claimed not in found.stays:
            missing.append("no stay told by a batch")
    return missing


def _has_pool(found: Links, line: Any) -> bool:
    pool_id = UUID(line.trace["pool_id"])
    return any(
        pool == pool_id and start <= line.service_start and line.service_end <= end for pool, start, end in found.pools
    )


def _missing_of_register(found: Links, register: dict[str, Any] | None) -> list[str]:
    if register is None:
        return ["a register is not named"]
    meter_id, quantity = UUID(register["meter_id"]), register["quantity"]
    at_ms, value = _ms(datetime.fromisoformat(register["read_at"])), register["value_milli"]
    if register["revision"] is not None:
        told = found.revisions.get((meter_id, quantity, at_ms, register["revision"]))
        return [] if told == value else ["no reading revision of this value"]
    block, batch = found.blocks.get((meter_id, quantity, register["block_day"], register["block_rev"]), ({}, None))
    if batch is None or block.get(at_ms) != value:
        return ["no block with this register"]
    if (meter_id, quantity, at_ms, value) not in found.sent.get(batch, set()):
        return ["the signed batch does not hold this register"]
    return [] if meter_id in found.evidence.get(batch, set()) else ["no raw answer of the device behind it"]


def _payments_explained(look: Look) -> Figures:
    """Follow each payment through its journal to existing lines of existing bills, or to the balance paid ahead."""
    rows = look.rows("""
        select p.number, p.amount_fen, p.ahead_fen,
               coalesce(sum(t.fen) filter (where l.bill_id is not null and c.type = 'receivable'), 0)::bigint as lines,
               coalesce(sum(t.fen) filter (where c.type = 'prepayment'), 0)::bigint as ahead
          from payment p
          left join transfer t using (tenant_id, community_id, journal_id)
          left join ledger_account c on c.tenant_id = t.tenant_id and c.ledger_account_id = t.credit_id
          left join bill_line l on l.tenant_id = t.tenant_id and l.community_id = t.community_id
                               and l.bill_id = t.bill_id and l.n = t.line_n
         group by p.tenant_id, p.community_id, p.payment_id
    """)
    paid, explained = 0, 0
    faults = []
    for row in rows:
        paid += row.amount_fen
        explained += row.lines + row.ahead
        if row.ahead != row.ahead_fen or row.lines + row.ahead != row.amount_fen:
            faults.append(f"{row.number}: paid {row.amount_fen}, on lines {row.lines}, ahead {row.ahead}")
    return Figures(left=paid, right=explained, faults=tuple(faults))


LINES_EXPLAINED = Comparison(
    key="lines_explained",
    promise=1,
    name_zh="每一分都有来历：账单",
    name_en="Every fen explained: bills",
    compared_zh="已出账单行的金额（分） 与 追溯到设备原始报文且环环相符的金额（分）",
    compared_en="fen on issued lines | fen on lines whose chain reaches the device's raw answer",
    figures=_lines_explained,
)
PAYMENTS_EXPLAINED = Comparison(
    key="payments_explained",
    promise=1,
    name_zh="每一分都有来历：收款",
    name_en="Every fen explained: payments",
    compared_zh="收款金额（分） 与 经总账落到账单行或预存的金额（分）",
    compared_en="fen received | fen that the book carries to bill lines or to balances paid ahead",
    figures=_payments_explained,
)
