"""Taking issued charges back, whole or in part: credits that name their lines, without rating anything again.

A waiver, a withdrawn one-off charge and a late charge whose debt was paid in time after all go this road. What a credit
leaves overpaid moves to what the account has paid ahead, as in every correction. Lines of the monthly cycle are
refused: what rating says of them would be charged again by the next correction; their debt is given up by a write-off.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from cloud.billing import repository
from cloud.billing.adjusting import ADJUSTMENT_DUE
from cloud.billing.corrections import Cause
from cloud.billing.documents import line_from_row
from cloud.billing.issuing import IssuedBill, NewBill, issue
from cloud.billing.lines import BillDraft, BillKind, LineDraft, book_of, documents_sha, in_print_order, net_of
from cloud.billing.rules import overpaid
from cloud.billing.service import MONTHLY, lock_accounts
from cloud.billing.tables import BillLineRow, BillRow, CorrectionCaseRow
from cloud.estate import service as estate
from cloud.estate.values import Community
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from cloud.ledger import service as ledger
from cloud.ledger.journals import LineRef, TransferDraft
from cloud.ledger.postings import Allocation, overpaid_released
from common.civil import Period, civil_day
from common.errors import ensure
from common.ids import AccountId, BillId, CaseId, CommunityId


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """How much of which line is taken back, in fen above zero."""

    line: LineRef
    fen: int


async def take_back(
    unit: Unit, community_id: CommunityId, *, cause: Cause, reason: str, takes: Sequence[Take]
) -> tuple[IssuedBill, ...]:
    """Issue one adjustment for each account and cycle whose lines are taken back, and return the documents.

    Raises:
        NotFoundError: the community has no such line.
        ConflictError: less stands of a line than is to be taken back, or a bill run issued it.
    """
    bills = await repository.bills_at(unit.session, {take.line.bill_id for take in takes})
    if any(take.line.bill_id not in bills or bills[take.line.bill_id].community_id != community_id for take in takes):
        raise NotFoundError("there is no such bill line")
    if any(bill.cycle == MONTHLY for bill in bills.values()):
        raise ConflictError("what a bill run issued is corrected, or its debt written off; it is not taken back")
    await lock_accounts(unit, {AccountId(bill.account_id) for bill in bills.values()})
    community = await estate.community(unit.session, community_id)
    credits_ = await _credits(unit, takes)
    issued: list[IssuedBill] = []
    for (account_id, cycle), takes_of in sorted(_grouped(bills, takes).items(), key=lambda pair: str(pair[0])):
        home = bills[takes_of[0].line.bill_id]
        draft = BillDraft(account_id=account_id, lines=in_print_order([credits_[take.line] for take in takes_of]))
        case_id = await _case(unit, home, cause=cause, reason=reason, draft=draft)
        issued += await issue(unit, community, [await _bill(unit, community, home, cycle, draft, case_id)])
    return tuple(issued)


def _grouped(bills: Mapping[UUID, BillRow], takes: Sequence[Take]) -> dict[tuple[AccountId, str], list[Take]]:
    grouped: dict[tuple[AccountId, str], list[Take]] = {}
    for take in takes:
        bill = bills[take.line.bill_id]
        grouped.setdefault((AccountId(bill.account_id), bill.cycle), []).append(take)
    return grouped


async def standing_fen(unit: Unit, lines: Collection[LineRef]) -> dict[LineRef, int]:
    """Return what stands of some charges: what was charged less the credits that name them."""
    bill_ids = {line.bill_id for line in lines}
    charged = {_ref(row): row.fen for row in await repository.lines_of(unit.session, bill_ids)}
    for bill_id in bill_ids:
        for row in await repository.lines_correcting(unit.session, bill_id):
            target = LineRef(bill_id=bill_id, n=row.corrects_n or 0)
            if row.fen < 0 and target in charged:
                charged[target] += row.fen
    return {line: charged[line] for line in lines if line in charged}


async def _credits(unit: Unit, takes: Sequence[Take]) -> dict[LineRef, LineDraft]:
    ensure(all(take.fen > 0 for take in takes), "what is taken back is above zero")
    ensure(len({take.line for take in takes}) == len(takes), "a line is taken back once in one go")
    stands = await standing_fen(unit, [take.line for take in takes])
    rows = {_ref(row): row for row in await repository.lines_of(unit.session, {take.line.bill_id for take in takes})}
    found: dict[LineRef, LineDraft] = {}
    for take in takes:
        if take.line not in rows:
            raise NotFoundError("there is no such bill line")
        if take.fen > stands[take.line]:
            raise ConflictError(
                f"{stands[take.line]} fen stand of this line, less than the {take.fen} to be taken back"
            )
        found[take.line] = _credit(rows[take.line], take)
    return found


def _credit(row: BillLineRow, take: Take) -> LineDraft:
    line = line_from_row(row)
    whole = take.fen == line.fen
    measured = None if line.quantity_milli is None else 0
    adjusts = {"was_fen": line.fen, "now_fen": line.fen - take.fen, "withdrawn": whole}
    return replace(
        line,
        fen=-take.fen,
        net_fen=net_of(-take.fen, line.charge.tax_rate_micro),
        quantity_milli=-line.quantity_milli if whole and line.quantity_milli is not None else measured,
        price_micro=None,
        trace={**line.trace, "adjusts": adjusts},
        corrects=take.line,
    )


async def _bill(
    unit: Unit, community: Community, home: BillRow, cycle: str, draft: BillDraft, case_id: CaseId
) -> NewBill:
    seqs = await repository.highest_seqs(unit.session, [draft.account_id], cycle, BillKind.ADJUSTMENT.value)
    return NewBill(
        bill_id=BillId(unit.new_id()),
        draft=draft,
        cycle=cycle,
        period=Period(home.period_start, home.period_end),
        kind=BillKind.ADJUSTMENT,
        seq=seqs.get(draft.account_id, 0) + 1,
        due_on=civil_day(unit.now, community.zone) + ADJUSTMENT_DUE,
        case_id=case_id,
        releases=await _releases(unit, community.id, draft),
    )


async def _releases(unit: Unit, community_id: CommunityId, draft: BillDraft) -> tuple[TransferDraft, ...]:
    above = overpaid(await ledger.line_balances(unit.session, [draft.account_id]), draft.lines)
    charges = {line.corrects: line.charge for line in draft.lines}
    return tuple(
        overpaid_released(
            book_of(community_id, charges[ref]), Allocation(account_id=draft.account_id, line=ref, fen=fen)
        )
        for ref, fen in above.items()
    )


async def _case(unit: Unit, home: BillRow, *, cause: Cause, reason: str, draft: BillDraft) -> CaseId:
    """Note why, as an applied correction: it was approved by whoever acts."""
    account = (await repository.accounts_at(unit.session, [draft.account_id]))[0]
    case_id = CaseId(unit.new_id())
    unit.session.add(
        CorrectionCaseRow(
            tenant_id=unit.tenant,
            community_id=home.community_id,
            case_id=case_id,
            cause=cause.value,
            reason=reason,
            cycle=home.cycle,
            first_day=min(line.key.service_start for line in draft.lines),
            premises=[str(account.premises_id)],
            state="applied",
            opened_at=unit.now,
            opened_by=unit.actor.id,
            preview_sha=documents_sha([draft]),
            net_fen=draft.total_fen,
            known_at=unit.now,
            approved_by=unit.actor.id,
        )
    )
    await unit.session.flush()
    unit.record("applied", "correction_case", case_id, after={"cause": cause.value, "net_fen": draft.total_fen})
    return case_id


def _ref(row: BillLineRow) -> LineRef:
    return LineRef(bill_id=BillId(row.bill_id), n=row.n)
