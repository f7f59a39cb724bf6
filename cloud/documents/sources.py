"""Where the content of each kind of paper comes from, and whether what it says still holds.

Everything is read from issued documents and booked money; a paper about something that is not final is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.arrears import letters
from cloud.billing import service as billing
from cloud.billing.documents import Account, LineView
from cloud.deposits import service as deposits
from cloud.deposits.rules import DepositState
from cloud.documents.errors import NotPrintableError
from cloud.documents.kinds import Holds, PaperKind
from cloud.documents.sheets import (
    NOT_AN_INVOICE,
    Head,
    Item,
    Sheet,
    masked,
    minute,
    sheet,
    with_notes,
    with_totals,
)
from cloud.estate import service as estate
from cloud.estate.kinds import PartyKind
from cloud.ledger import reports
from cloud.ledger.journals import LineRef
from cloud.payments import booking, sub_methods
from cloud.payments.channel import Channel
from cloud.refunds import service as refunds
from cloud.refunds.rules import RefundState
from cloud.settlement import service as settlement
from common.civil import Period, civil_day
from common.ids import BillId, LegalEntityId, PaymentId

_CHANNELS: Mapping[Channel, tuple[str, str]] = {
    Channel.WECHAT: ("微信支付", "WeChat Pay"),
    Channel.ALIPAY: ("支付宝", "Alipay"),
    Channel.UNIONPAY: ("银联", "UnionPay"),
    Channel.POS: ("POS 刷卡", "card"),
    Channel.BANK: ("银行转账", "transfer"),
    Channel.CASH: ("现金", "cash"),
}
_DEPOSITS = {
    "renovation": ("装修押金", "Renovation deposit"),
    "card": ("门禁卡押金", "Card deposit"),
    "facility": ("设施押金", "Facility deposit"),
    "lease": ("租赁押金", "Lease deposit"),
    "key": ("钥匙押金", "Key deposit"),
}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a paper will say, whose it is and who seals it; `pay_token` ends the address at which it can be paid."""

    account: Account
    legal_entity_id: LegalEntityId
    number: str
    sheet: Sheet
    pay_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether what a paper says still holds, and the numbers of the papers that changed it."""

    holds: Holds
    by: tuple[str, ...] = ()


async def owner_of(session: AsyncSession, kind: PaperKind, subject_id: UUID) -> Account:
    """Return the account whose paper it is.

    Raises:
        NotFoundError: the company has no such thing.
    """
    if kind is PaperKind.BILL:
        return (await billing.bill(session, BillId(subject_id))).account
    if kind is PaperKind.MOVE_OUT:
        return (await settlement.settlement(session, subject_id))[0]
    if kind is PaperKind.ARREARS_LETTER:
        account_id = (await letters.letter(session, subject_id)).account_id
    elif kind is PaperKind.RECEIPT:
        account_id = (await booking.payment(session, PaymentId(subject_id))).account_id
    elif kind is PaperKind.REFUND_VOUCHER:
        account_id = (await refunds.refund(session, subject_id)).account_id
    else:
        account_id = (await deposits.deposit(session, subject_id)).account_id
    return await billing.account(session, account_id)


async def content_of(session: AsyncSession, kind: PaperKind, subject_id: UUID, now: datetime) -> Content:
    """Return what a paper of a kind says about a thing.

    Raises:
        NotFoundError: the company has no such thing.
        NotPrintableError: it is not final yet.
    """
    return await _SOURCES[kind](session, subject_id, now)


async def standing_of(session: AsyncSession, kind: PaperKind, subject_id: UUID) -> Standing:
    """Return whether what a paper says still holds, by what is known now."""
    if kind is PaperKind.BILL:
        return await _bill_standing(session, BillId(subject_id))
    if kind is PaperKind.RECEIPT:
        return await _receipt_standing(session, PaymentId(subject_id))
    if kind is PaperKind.DEPOSIT_VOUCHER:
        return await _deposit_standing(session, subject_id)
    if kind is PaperKind.ARREARS_LETTER:
        return await _letter_standing(session, subject_id)
    return Standing(holds=Holds.CURRENT)


async def _head(
    session: AsyncSession, kind: PaperKind, account: Account, entity: LegalEntityId, number: str, now: datetime
) -> Head:
    community = await estate.community(session, account.community_id)
    premises = await estate.premises(session, account.premises_id, day=civil_day(now, community.zone))
    names = await estate.entity_names(session)
    return Head(
        kind=kind,
        number=number,
        issuer=names.get(entity, ""),
        community=community.name,
        room=premises.label,
        zone=community.zone,
    )


async def _payer(session: AsyncSession, account: Account, *, hidden: bool) -> tuple[str, str, str]:
    party = (await estate.parties(session, [account.party_id]))[account.party_id]
    name = masked(party.name) if hidden and party.kind is PartyKind.PERSON else party.name
    return "户名", "Name", name


async def _bill(session: AsyncSession, subject_id: UUID, now: datetime) -> Content:
    """The issuer of a bill is the legal person that bills most of it; ties go to the smaller id."""
    view = await billing.bill(session, BillId(subject_id))
    weights: Counter[LegalEntityId] = Counter()
    for one in view.lines:
        weights[one.line.charge.legal_entity_id] += abs(one.line.fen)
    entity = min(weights, key=lambda one: (-weights[one], one))
    head = await _head(session, PaperKind.BILL, view.account, entity, view.summary.number, now)
    facts = [
        await _payer(session, view.account, hidden=True),
        ("账期", "Period", _span(view.summary.period)),
        ("出账日", "Issued", view.summary.issued_on.isoformat()),
        ("应缴日", "Due", view.summary.due_on.isoformat()),
        ("查询码", "Kiosk code", view.account.lookup_code),
    ]
    made = sheet(head, facts, bill_items(view.lines), ("合计", "Total", view.summary.total_fen))
    made = with_notes(made, NOT_AN_INVOICE)
    return Content(account=view.account, legal_entity_id=entity, number=view.summary.number, sheet=made)


def bill_items(lines: Sequence[LineView]) -> list[Item]:
    """Return what a bill's paper says of its lines; a line that rests on an estimate says so."""
    return [
        Item(
            name_zh=one.line.charge.name_zh,
            name_en=one.line.charge.name_en,
            detail=_span(one.line.key.service) + (" 估算 estimated" if one.line.estimated else ""),
            fen=one.line.fen,
        )
        for one in lines
    ]


async def _receipt(session: AsyncSession, subject_id: UUID, now: datetime) -> Content:
    payment = await booking.payment(session, PaymentId(subject_id))
    account = await billing.account(session, payment.account_id)
    entity = payment.book.legal_entity_id
    head = await _head(session, PaperKind.RECEIPT, account, entity, payment.number, now)
    items = []
    for posting in await reports.postings_of_document(session, payment.payment_id):
        if posting.bill_id is None or posting.line_n is None:
            continue
        view = await billing.bill(session, BillId(posting.bill_id))
        charge = next(one.line.charge for one in view.lines if one.n == posting.line_n)
        detail = f"{view.summary.number}/{posting.line_n}"
        items.append(Item(name_zh=charge.name_zh, name_en=charge.name_en, detail=detail, fen=posting.fen))
    if payment.ahead_fen:
        items.append(Item(name_zh="转入预存", name_en="Paid ahead", detail="", fen=payment.ahead_fen))
    facts = [
        await _payer(session, account, hidden=False),
        ("收款时间", "When", minute(payment.paid_at, head.zone)),
        ("方式", "By", " ".join(sub_methods.told(_CHANNELS[payment.channel], payment.sub_method))),
        ("订单号", "Order", payment.order_number or "—"),
    ]
    made = with_notes(sheet(head, facts, items, ("实收", "Received", payment.amount_fen)), NOT_AN_INVOICE)
    return Content(account=account, legal_entity_id=entity, number=payment.number, sheet=made)


async def _refund(session: AsyncSession, subject_id: UUID, now: datetime) -> Content:
    refund = await refunds.refund(session, subject_id)
    if refund.state is not RefundState.ARRIVED or refund.arrived_at is None:
        raise NotPrintableError("this refund has not arrived yet; its voucher can be printed once it has")
    account = await billing.account(session, refund.account_id)
    payment = await booking.payment(session, refund.payment_id)
    entity = refund.book.legal_entity_id
    head = await _head(session, PaperKind.REFUND_VOUCHER, account, entity, refund.refund_number, now)
    approved = "自动（按规则）by policy" if not refund.persons_needed else f"{refund.persons_needed} 人审批 by persons"
    facts = [
        await _payer(session, account, hidden=False),
        ("原收据", "Receipt", payment.number),
        ("退回方式", "Route", "现金 cash" if refund.route == "cash" else "原路退回 the way it came"),
        ("到账时间", "Arrived", minute(refund.arrived_at, head.zone)),
        ("审批", "Approved", approved),
        ("原因", "Reason", refund.reason),
    ]
    made = sheet(head, facts, [], ("退款", "Refunded", refund.amount_fen))
    return Content(account=account, legal_entity_id=entity, number=refund.refund_number, sheet=made)


async def _deposit(session: AsyncSession, subject_id: UUID, now: datetime) -> Content:
    deposit = await deposits.deposit(session, subject_id)
    if deposit.payment_id is None or deposit.held_at is None:
        raise NotPrintableError("nobody has brought this deposit yet; its voucher can be printed once it is held")
    account = await billing.account(session, deposit.account_id)
    payment = await booking.payment(session, deposit.payment_id)
    entity = deposit.book.legal_entity_id
    head = await _head(session, PaperKind.DEPOSIT_VOUCHER, account, entity, payment.number, now)
    facts = [
        await _payer(session, account, hidden=False),
        ("押金类别", "Kind", " ".join(_DEPOSITS[deposit.kind])),
        ("用途", "Purpose", deposit.purpose),
        ("收取时间", "Held since", minute(deposit.held_at, head.zone)),
        ("收据", "Receipt", payment.number),
    ]
    made = with_notes(
        sheet(head, facts, [], ("押金", "Deposit", deposit.amount_fen)),
        (
            f"押金归交款人所有，不作收入。如需扣款，先告知理由和凭据，{deposit.objection_days} 天内可提出异议。",
            f"A deposit stays the payer's. Deductions are told with evidence; {deposit.objection_days} days to object.",
        ),
    )
    return Content(account=account, legal_entity_id=entity, number=payment.number, sheet=made)


async def _move_out(session: AsyncSession, subject_id: UUID, now: datetime) -> Content:
    account, statement = await settlement.settlement(session, subject_id)
    entities = sorted(await estate.entity_names(session))
    lines = await billing.open_lines(session, account.account_id)
    entity = min((line.legal_entity_id for line in lines), default=entities[0])
    number = f"T{statement.gone_on:%Y%m%d}-{account.lookup_code}"
    head = await _head(session, PaperKind.MOVE_OUT, account, entity, number, now)
    items = [
        Item(name_zh=line.name_zh, name_en=line.name_en, detail=f"{line.number} {line.service}", fen=line.fen)
        for line in statement.owed
    ]
    facts = [
        await _payer(session, account, hidden=False),
        ("退租日", "Moved out", statement.gone_on.isoformat()),
        ("末期账单", "Last bill", statement.final_number or "—"),
    ]
    made = with_totals(
        sheet(head, facts, items, ("应退", "To be refunded", statement.refund_fen)),
        ("应缴", "Owed", statement.owed_fen),
        ("预存", "Paid ahead", statement.ahead_fen),
        ("押金", "Deposits", statement.deposit_fen),
        ("拟从押金抵扣", "Proposed from deposits", statement.from_deposit_fen),
        ("仍需补缴", "Still owed", statement.still_owed_fen),
    )
    return Content(account=account, legal_entity_id=entity, number=number, sheet=made)


async def _letter(session: AsyncSession, subject_id: UUID, now: datetime) -> Content:
    letter = await letters.letter(session, subject_id)
    account = await billing.account(session, letter.account_id)
    number = f"C{letter.made_on:%Y%m%d}-{account.lookup_code}"
    head = await _head(session, PaperKind.ARREARS_LETTER, account, letter.legal_entity_id, number, now)
    items = [
        Item(
            name_zh=line.name_zh,
            name_en=line.name_en,
            detail=f"{line.number}/{line.n} {_span(line.period)} · {line.due}",
            fen=line.fen,
        )
        for line in letter.lines
    ]
    facts = [
        await _payer(session, account, hidden=False),
        ("截至", "As of", letter.made_on.isoformat()),
        ("最早应缴日", "Due since", min(line.due for line in letter.lines).isoformat()),
    ]
    made = with_notes(
        sheet(head, facts, items, ("逾期未缴", "Overdue", letter.total_fen)),
        (
            "请扫码缴费；已缴请忽略。有异议请提出，异议处理完之前不再催缴；一次缴清有困难，可与管理处商量分期。",
            "Scan to pay; ignore this if you have paid. Raise a dispute and reminders stop; ask us for instalments.",
        ),
        ("欠费不会影响您家的水、电和回家的路。", "Your water, power and way home are never cut for debt."),
    )
    return Content(
        account=account,
        legal_entity_id=letter.legal_entity_id,
        number=number,
        sheet=made,
        pay_token=letter.pay_token,
    )


async def _letter_standing(session: AsyncSession, letter_id: UUID) -> Standing:
    """Return that a letter is void once all it names is settled, and overtaken once some of it is."""
    letter = await letters.letter(session, letter_id)
    left = {line.ref: line.open_fen for line in await billing.open_lines(session, letter.account_id)}
    still = [left.get(LineRef(bill_id=line.bill_id, n=line.n), 0) for line in letter.lines]
    if not any(still):
        return Standing(holds=Holds.VOID)
    whole = all(fen >= line.fen for fen, line in zip(still, letter.lines, strict=True))
    return Standing(holds=Holds.CURRENT if whole else Holds.CORRECTED)


async def _bill_standing(session: AsyncSession, bill_id: BillId) -> Standing:
    view = await billing.bill(session, bill_id)
    beside = sorted({ref.bill_id for one in view.lines for ref in one.corrected_by})
    if not beside:
        return Standing(holds=Holds.CURRENT)
    left, numbers = sum(one.line.fen for one in view.lines), []
    for other_id in beside:
        other = await billing.bill(session, other_id)
        numbers.append(other.summary.number)
        left += sum(
            one.line.fen
            for one in other.lines
            if one.line.corrects is not None and one.line.corrects.bill_id == bill_id
        )
    return Standing(holds=Holds.CORRECTED if left else Holds.VOID, by=tuple(sorted(numbers)))


async def _receipt_standing(session: AsyncSession, payment_id: PaymentId) -> Standing:
    payment = await booking.payment(session, payment_id)
    gone = [one for one in await refunds.refunds_of_payment(session, payment_id) if one.state is RefundState.ARRIVED]
    if not gone:
        return Standing(holds=Holds.CURRENT)
    whole = sum(one.amount_fen for one in gone) >= payment.amount_fen
    return Standing(holds=Holds.VOID if whole else Holds.CORRECTED, by=tuple(one.refund_number for one in gone))


async def _deposit_standing(session: AsyncSession, deposit_id: UUID) -> Standing:
    deposit = await deposits.deposit(session, deposit_id)
    if deposit.state is DepositState.CLOSED:
        return Standing(holds=Holds.VOID)
    return Standing(holds=Holds.CORRECTED if deposit.deducted_fen or deposit.returned_fen else Holds.CURRENT)


def _span(period: Period) -> str:
    last: date = period.end - _DAY
    return f"{period.start.isoformat()} – {last.isoformat()}"


_SOURCES: Mapping[PaperKind, Callable[[AsyncSession, UUID, datetime], Awaitable[Content]]] = {
    PaperKind.BILL: _bill,
    PaperKind.RECEIPT: _receipt,
    PaperKind.REFUND_VOUCHER: _refund,
    PaperKind.DEPOSIT_VOUCHER: _deposit,
    PaperKind.MOVE_OUT: _move_out,
    PaperKind.ARREARS_LETTER: _letter,
}
