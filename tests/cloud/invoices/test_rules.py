"""Decisions of tax invoices: check symbols, what is left of each line, what goes back, and sums that stay true."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.billing.lines import Charge, LineDraft, LineKey, TariffSource, net_of
from cloud.invoices import rules
from cloud.invoices.rules import PaidLine
from cloud.invoices.values import (
    Colour,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    InvoiceWish,
    RedReason,
    Title,
    TitleKind,
)
from cloud.ledger.accounts import AccountType
from cloud.ledger.journals import LineMove, LineRef
from cloud.tariffs.charge import FundClass, Nature
from common.errors import RefusalError
from common.ids import AccountId, BillId, ChargeItemId, CommunityId, LegalEntityId, TariffId

BILL = BillId(UUID(int=1))
SELLER = LegalEntityId(UUID(int=2))
AT = datetime(2026, 3, 5, tzinfo=UTC)


def draft(n: int, fen: int, **changes: object) -> PaidLine:
    charge = Charge(
        charge_code="fee",
        name_zh="物业服务费",
        name_en="service",
        basis="area",
        nature=Nature.REVENUE,
        fund_class=FundClass.OPERATING,
        legal_entity_id=SELLER,
        tax_code="3040801",
        tax_rate_micro=60_000,
        bears_late_charge=True,
    )
    line = LineDraft(
        key=LineKey(
            charge_item_id=ChargeItemId(UUID(int=n)),
            subject="",
            service_start=date(2026, 1, 1),
            service_end=date(2026, 2, 1),
        ),
        charge=replace(charge, **changes),  # type: ignore[arg-type]
        fen=1_000_000,
        net_fen=1_000_000,
        quantity_milli=None,
        price_micro=None,
        tariff=TariffSource(
            tariff_id=TariffId(UUID(int=3)), tariff_code="t", effective_from=date(2026, 1, 1), rev=1, body_sha="0"
        ),
        input_sha="0",
        estimated=False,
        trace={},
    )
    return PaidLine(ref=LineRef(bill_id=BILL, n=n), line=line, paid_fen=fen)


def invoice(n: int, fen: int, state: InvoiceState = InvoiceState.ISSUED, blue: Invoice | None = None) -> Invoice:
    line = InvoiceLine(
        n=1,
        line=LineRef(bill_id=BILL, n=1),
        name="物业服务费",
        goods_code="3040801000000000000",
        rate_micro=60_000,
        fen=fen,
        net_fen=net_of(fen, 60_000),
    )
    return Invoice(
        invoice_id=UUID(int=100 + n),
        community_id=CommunityId(UUID(int=4)),
        account_id=AccountId(UUID(int=5)),
        bill_id=BILL,
        legal_entity_id=SELLER,
        invoice_account_id=UUID(int=6),
        colour=Colour.BLUE if blue is None else Colour.RED,
        kind=InvoiceKind.ORDINARY,
        blue_id=None if blue is None else blue.invoice_id,
        reason=None if blue is None else RedReason.RETURNED,
        order_number=str(n),
        shown="李**",
        lines=(line,),
        state=state,
        attempts=1,
        asked=0,
        number=None,
        issued_at=None,
        file_url="",
        detail="",
        requested_at=AT + timedelta(minutes=n),
    )


@pytest.mark.parametrize(
    ("code", "right"),
    [
        ("91350100M000100Y43", True),
        ("91350100M000100Y44", False),
        ("91350100M000100I43", False),
        ("350100M000100Y43", False),
        ("", False),
        ("\uff191350100M000100Y43", False),
    ],
)
def test_a_tax_number_is_told_from_a_slip_of_the_pen_by_its_check_symbol(code: str, *, right: bool) -> None:
    """The right one is the example of GB 32100-2015."""
    assert rules.is_credit_code(code) is right


@pytest.mark.parametrize(
    ("title", "words"),
    [
        (Title(kind=TitleKind.PERSON, name=" "), "抬头"),
        (Title(kind=TitleKind.PERSON, name="x" * 101), "抬头"),
        (Title(kind=TitleKind.PERSON, name="李\n明"), "抬头"),
        (Title(kind=TitleKind.PERSON, name="李", tax_number="91350100M000100Y43"), "税号"),
        (Title(kind=TitleKind.COMPANY, name="湖畔", tax_number="91350100M000100Y44"), "税号"),
        (Title(kind=TitleKind.COMPANY, name="湖畔"), "税号"),
        (Title(kind=TitleKind.PERSON, name="李", email="li@"), "邮箱"),
        (Title(kind=TitleKind.PERSON, name="李", email="li@example.com\nbcc: a@b.cn"), "邮箱"),
    ],
)
def test_a_title_that_cannot_be_is_refused_with_what_is_wrong(title: Title, words: str) -> None:
    with pytest.raises(RefusalError, match=words):
        rules.checked(title)


def test_a_title_is_kept_in_its_normal_form_and_shown_masked() -> None:
    title = rules.checked(Title(kind=TitleKind.COMPANY, name=" 湖畔餐饮有限公司 ", tax_number=" 91350100m000100y43"))
    assert (title.name, title.tax_number) == ("湖畔餐饮有限公司", "91350100M000100Y43")
    assert rules.shown_as(title) == "湖畔餐饮****"
    assert rules.shown_as(Title(kind=TitleKind.PERSON, name="李小明")) == "李**"


def test_a_person_takes_no_special_invoice() -> None:
    with pytest.raises(RefusalError, match="专用"):
        InvoiceWish(
            invoice_id=UUID(int=1),
            bill_id=BILL,
            legal_entity_id=SELLER,
            title=Title(kind=TitleKind.PERSON, name="李"),
            kind=InvoiceKind.SPECIAL,
        )


def test_a_classification_code_is_filled_with_zeros_and_a_word_is_refused() -> None:
    assert rules.goods_code("3040801") == "3040801000000000000"
    for text in ("", "service", "1" * 20, "\uff13\uff10"):
        with pytest.raises(RefusalError, match="税收分类编码"):
            rules.goods_code(text)


def test_our_number_follows_from_the_id_and_has_twenty_symbols() -> None:
    first = rules.order_number(UUID(int=12345), Colour.BLUE, date(2026, 3, 5))
    assert len(first) == 20
    assert first == rules.order_number(UUID(int=12345), Colour.BLUE, date(2026, 3, 5))
    assert first != rules.order_number(UUID(int=12346), Colour.BLUE, date(2026, 3, 5))


def test_paid_is_what_money_settled_less_what_went_back() -> None:
    line = LineRef(bill_id=BILL, n=1)
    told = [
        (AccountType.INCOME, 1_000),
        (AccountType.CLEARING, -600),
        (AccountType.CASH, -300),
        (AccountType.WRITE_OFF, -100),
        (AccountType.CLEARING, 200),
    ]
    moves = [LineMove(line=line, business_date=date(2026, 1, 1), other=other, fen=fen) for other, fen in told]
    assert rules.paid_fen(moves) == 700


def test_only_what_was_paid_of_what_we_sold_is_invoiced() -> None:
    paid = [
        draft(1, 10_600),
        draft(2, 500, nature=Nature.AGENCY),
        draft(3, 500, fund_class=FundClass.MAINTENANCE, nature=Nature.LIABILITY),
        draft(4, 0),
        draft(5, 500, fund_class=FundClass.COMMON_INCOME),
    ]
    lines = rules.lines_to_invoice(paid, (), with_agency=False)
    assert [(line.n, line.line.n, line.fen, line.tax_fen) for line in lines] == [(1, 1, 10_600, 600)]
    assert [line.line.n for line in rules.lines_to_invoice(paid, (), with_agency=True)] == [1, 2]


def test_a_bill_with_a_deposit_is_never_invoiced() -> None:
    paid = [draft(1, 10_600), draft(2, 500, fund_class=FundClass.DEPOSIT, nature=Nature.LIABILITY)]
    with pytest.raises(RefusalError, match="押金"):
        rules.lines_to_invoice(paid, (), with_agency=True)


def test_what_is_on_its_way_or_issued_is_taken_and_only_an_issued_red_letter_gives_it_back() -> None:
    blue = invoice(1, 10_000, InvoiceState.UNKNOWN)
    paid = [draft(1, 10_600)]
    assert rules.lines_to_invoice(paid, [blue], with_agency=False)[0].fen == 600
    issued = invoice(1, 10_600)
    red = invoice(2, 10_600, InvoiceState.CONFIRMING, issued)
    with pytest.raises(RefusalError, match="没有可开票金额"):
        rules.lines_to_invoice(paid, [issued, red], with_agency=False)
    gone = replace(red, state=InvoiceState.ISSUED)
    assert rules.lines_to_invoice(paid, [issued, gone], with_agency=False)[0].fen == 10_600
    refused = invoice(1, 10_600, InvoiceState.REFUSED)
    assert rules.lines_to_invoice(paid, [refused], with_agency=False)[0].fen == 10_600


def test_what_went_back_is_taken_from_the_newest_invoice_first() -> None:
    old, new = invoice(1, 600), invoice(2, 400)
    ref = LineRef(bill_id=BILL, n=1)
    taken = rules.too_much({ref: 300}, [old, new])
    assert [(blue.invoice_id, [line.fen for line in lines]) for blue, lines in taken] == [
        (new.invoice_id, [400]),
        (old.invoice_id, [300]),
    ]
    assert rules.too_much({ref: 1_000}, [old, new]) == ()


def test_after_a_refused_red_letter_a_person_says_whether_it_is_tried_again() -> None:
    blue = invoice(1, 600)
    refused = invoice(2, 600, InvoiceState.REFUSED, blue)
    assert rules.too_much({}, [blue, refused]) == ()
    ((again, lines),) = rules.too_much({}, [blue, refused], by_hand=True)
    assert (again.invoice_id, lines[0].fen) == (blue.invoice_id, 600)


@given(fen=st.integers(1, 10**9), cuts=st.lists(st.integers(0, 10**9), max_size=6))
def test_red_parts_of_an_invoice_sum_to_it_fen_by_fen_and_never_above(fen: int, cuts: list[int]) -> None:
    blue = invoice(0, fen)
    book = [blue]
    for n, paid in enumerate([*sorted((cut % fen for cut in cuts), reverse=True), 0], start=1):
        for taken, lines in rules.too_much({LineRef(bill_id=BILL, n=1): paid}, book):
            book.append(replace(invoice(n, 1, InvoiceState.ISSUED, taken), lines=lines))
            assert all(line.fen > 0 and 0 <= line.net_fen <= line.fen for line in lines)
    assert sum(red.total_fen for red in book[1:]) == blue.total_fen
    assert sum(red.net_fen for red in book[1:]) == blue.net_fen
    assert +rules.invoiced_fen(book) == Counter()
    assert rules.left_of(blue, book) == ()


def test_questions_go_on_beyond_the_three_days_a_buyer_has_and_end() -> None:
    pauses = [rules.pause_before_asking(asked) for asked in range(rules.ASKS_MAX)]
    assert None not in pauses
    assert sum((pause for pause in pauses if pause), timedelta()) > timedelta(hours=72)
    assert rules.pause_before_asking(rules.ASKS_MAX) is None
    assert rules.pause_before_sending(1) == timedelta(minutes=1)
    assert rules.pause_before_sending(len(rules.RETRIES) + 1) is None
