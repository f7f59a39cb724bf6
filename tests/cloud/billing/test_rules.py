"""What a correction adds or takes back, in which order money settles lines, and how numbers look."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.billing.intake import line_of
from cloud.billing.lines import BillKind, IssuedLine, LineDraft, net_of
from cloud.billing.rules import (
    Blocked,
    bill_number,
    differences,
    number_prefix,
    overpaid,
    standing,
)
from cloud.ledger.journals import LineRef
from common.errors import InvariantError
from common.ids import BillId, PartyId, PremisesId
from tests.cloud.billing import builders as b

FLAT = (PremisesId(UUID(int=1)), PartyId(UUID(int=2)))
JANUARY, FEBRUARY = b.MONTHS[:2]


def line(fen: int, item: b.Item = b.ELECTRICITY, month: int = 0) -> LineDraft:
    return line_of(b.rated(FLAT, item, b.MONTHS[month], fen))


def issued(lines: tuple[LineDraft, ...] | list[LineDraft], bill: int = 1) -> list[IssuedLine]:
    return [
        IssuedLine(ref=LineRef(bill_id=BillId(UUID(int=bill)), n=n), line=each) for n, each in enumerate(lines, start=1)
    ]


def test_nothing_differs_when_rating_says_what_is_issued() -> None:
    assert differences([line(500)], issued([line(500)]), []) == ()


def test_a_higher_amount_adds_one_charge_that_names_what_it_corrects() -> None:
    (added,) = differences([line(700)], issued([line(500)]), [])
    assert (added.fen, added.corrects) == (200, LineRef(bill_id=BillId(UUID(int=1)), n=1))
    assert added.key == line(500).key
    assert added.quantity_milli == 200_000
    assert added.trace["adjusts"] == {"was_fen": 500, "now_fen": 700, "withdrawn": False}


def test_a_lower_amount_takes_back_the_newest_charges_first_and_none_below_nothing() -> None:
    history = issued([line(500)], bill=1) + issued(list(differences([line(700)], issued([line(500)]), [])), bill=2)
    credits_ = differences([line(450)], history, [])
    assert [(c.fen, c.corrects) for c in credits_] == [
        (-200, LineRef(bill_id=BillId(UUID(int=2)), n=1)),
        (-50, LineRef(bill_id=BillId(UUID(int=1)), n=1)),
    ]
    assert sum(c.quantity_milli or 0 for c in credits_) == -250_000


def test_what_is_no_longer_charged_is_taken_back_whole() -> None:
    (credit,) = differences([], issued([line(500)]), [])
    assert credit.fen == -500
    assert credit.trace["adjusts"]["withdrawn"] is True


def test_what_was_never_charged_is_charged_and_a_zero_is_not() -> None:
    assert differences([line(300)], [], []) == (line(300),)
    assert differences([line(0)], [], []) == ()


def test_what_could_not_be_rated_is_left_as_it_is() -> None:
    blocked = [Blocked(charge_item_id=b.ELECTRICITY.id, service=JANUARY)]
    assert differences([], issued([line(500)]), blocked) == ()
    (credit,) = differences([], issued([line(500), line(500, month=1)]), blocked)
    assert credit.key.service == FEBRUARY
    (credit,) = differences([], issued([line(500), line(80, b.WATER)]), blocked)
    assert credit.charge.charge_code == "water"


AMOUNTS = st.lists(st.integers(min_value=0, max_value=10**7), min_size=1, max_size=8)


@given(amounts=AMOUNTS)
def test_corrections_converge_repeat_nothing_and_leave_no_charge_below_nothing(amounts: list[int]) -> None:
    history: list[IssuedLine] = []
    for step, amount in enumerate(amounts, start=1):
        history += issued(list(differences([line(amount)], history, [])), bill=step)
        assert sum(entry.line.fen for entry in history) == amount
        assert sum(entry.line.quantity_milli or 0 for entry in history) == amount * 1000
        assert differences([line(amount)], history, []) == ()
        assert all(left >= 0 for _, left in standing(history))
        assert all(entry.line.net_fen + entry.line.tax_fen == entry.line.fen for entry in history)


@given(
    amounts=st.dictionaries(
        st.tuples(st.sampled_from([b.ELECTRICITY, b.WATER, b.SERVICE]), st.integers(min_value=0, max_value=3)),
        st.tuples(st.integers(min_value=0, max_value=9999), st.integers(min_value=0, max_value=9999)),
        min_size=1,
    ),
    seed=st.randoms(use_true_random=False),
)
def test_the_outcome_of_a_correction_does_not_depend_on_the_order_of_its_input(
    amounts: dict[tuple[b.Item, int], tuple[int, int]], seed: object
) -> None:
    was = issued([line(fen, item, month) for (item, month), (fen, _) in amounts.items()])
    now = [line(fen, item, month) for (item, month), (_, fen) in amounts.items()]
    first = differences(now, was, [])
    seed.shuffle(now)  # type: ignore[attr-defined]
    assert differences(now, was, []) == first


def test_a_credit_frees_only_what_is_paid_above_what_stands() -> None:
    ref = LineRef(bill_id=BillId(UUID(int=1)), n=1)
    credits_ = differences([line(400)], issued([line(500)]), [])
    assert overpaid({ref: 500}, credits_) == {}
    assert overpaid({ref: 60}, credits_) == {ref: 40}
    assert overpaid({}, credits_) == {ref: 100}


@given(fen=st.integers(min_value=-(10**12), max_value=10**12), rate=st.integers(min_value=0, max_value=999_999))
def test_net_and_tax_share_the_sign_of_the_whole_and_a_credit_mirrors_its_charge(fen: int, rate: int) -> None:
    net = net_of(fen, rate)
    assert net_of(-fen, rate) == -net
    assert net * fen >= 0
    assert abs(net) <= abs(fen)


@pytest.mark.parametrize(("gross", "rate", "net"), [(10600, 60_000, 10000), (1130, 130_000, 1000), (100, 0, 100)])
def test_tax_is_taken_out_of_the_amount(gross: int, rate: int, net: int) -> None:
    assert net_of(gross, rate) == net


def test_numbers_name_community_kind_and_year_and_count_from_one() -> None:
    assert bill_number(number_prefix("GARDEN", BillKind.REGULAR, 2026), 12) == "GARDEN-B2026-000012"
    assert bill_number(number_prefix("GARDEN", BillKind.ADJUSTMENT, 2027), 1) == "GARDEN-A2027-000001"
    with pytest.raises(InvariantError, match="begin at one"):
        bill_number("X", 0)
