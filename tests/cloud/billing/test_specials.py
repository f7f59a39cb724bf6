"""Documents that no bill run makes: one for each account and act, in cycles of their own."""

from __future__ import annotations

from datetime import date

import pytest

from cloud.billing import service
from cloud.billing.intake import line_of
from cloud.billing.lines import BillDraft, BillKind
from cloud.billing.specials import CYCLE_LENGTH_MAX, Special, issue_special
from cloud.estate import service as estate
from common.errors import InvariantError
from tests.cloud.billing import builders as b
from tests.cloud.billing.conftest import Office

DUE = date(2026, 3, 1)


async def test_the_same_act_issues_an_account_one_document_however_often_it_is_tried(office: Office) -> None:
    await office.period(0)
    flat = office.site.flats[0]
    account = await office.account(flat)
    draft = BillDraft(account_id=account, lines=(line_of(b.rated(flat, b.SERVICE, b.MONTHS[0], 5_000)),))
    special = Special(cycle="charge:1", kind=BillKind.ONE_OFF, period=b.MONTHS[0], due_on=DUE)
    counts = []
    for _ in range(2):
        async with office.site.database.unit(office.site.tenant, office.site.actor) as unit:
            community = await estate.community(unit.session, office.site.community_id)
            counts.append(len(await issue_special(unit, community, special, [draft])))
    assert counts == [1, 0]
    async with office.site.database.view(office.site.tenant) as session:
        (bill,) = await service.bills_in_cycle(session, office.site.community_id, "charge:1")
        periods = await service.periods(session, office.site.community_id)
    assert (bill.number, bill.open_fen) == ("GARDEN-C2026-000001", 5_000)
    assert [period.scope.cycle for period in periods] == ["month"]


@pytest.mark.parametrize(
    ("cycle", "kind"),
    [
        ("month", BillKind.ONE_OFF),
        ("", BillKind.ONE_OFF),
        ("x" * (CYCLE_LENGTH_MAX + 1), BillKind.LATE),
        ("charge:1", BillKind.REGULAR),
        ("charge:1", BillKind.ADJUSTMENT),
    ],
)
def test_a_special_document_is_never_that_of_a_run_or_a_correction(cycle: str, kind: BillKind) -> None:
    with pytest.raises(InvariantError):
        Special(cycle=cycle, kind=kind, period=b.MONTHS[0], due_on=DUE)
