"""From differences found by column to the lines and documents that the by-value road makes for them.

The rules are those of `rules.differences` and `rules.overpaid`, asked for the keys that differ and no others. A line
made here names the input of its period in columns, which gives its explanation again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from cloud.billing import repository
from cloud.billing.adjusting import Adjustment, releases_of
from cloud.billing.documents import account_of
from cloud.billing.lines import (
    BillDraft,
    Charge,
    IssuedLine,
    LineDraft,
    LineKey,
    TariffSource,
    charge_of,
    in_print_order,
    net_of,
)
from cloud.billing.repriced_columns import NOTHING, Compared, Difference, Past, subjects_of
from cloud.billing.rules import differences, overpaid
from cloud.kit.images import Columns, Ids, id_at
from cloud.ledger.journals import LineRef
from cloud.ledger.moves import open_on
from cloud.rating.column_lines import LineColumns
from cloud.rating.column_run import ColumnRating
from cloud.rating.columns import NO_PRICE
from cloud.rating.lines import RatingOutcome
from common.civil import Period
from common.errors import ensure
from common.ids import AccountId, BillId, CommunityId


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """The documents of plain premises and the inputs behind them."""

    adjustments: tuple[Adjustment, ...]
    grounds: tuple[RatingOutcome, ...]


async def adjustments_of(
    session: AsyncSession,
    community_id: CommunityId,
    past: Past,
    columns: Sequence[ColumnRating],
    compared: Compared,
) -> Repriced:
    """Return one document for each account with differences, in the order of premises."""
    if not compared.differences:
        return Repriced(adjustments=(), grounds=())
    grounds = _grounds(columns, compared)
    maker = _Maker(past, compared.issued, {period: sha for period, (sha, _) in grounds.items()})
    by_account: dict[bytes, list[Difference]] = {}
    for one in compared.differences:
        by_account.setdefault(one.account, []).append(one)
    ids = {raw: AccountId(_id(raw)) for raw in by_account}
    rows = {row.account_id: account_of(row) for row in await repository.accounts_at(session, list(ids.values()))}
    made = [(rows[ids[raw]], found[0].period, maker.lines(found)) for raw, found in by_account.items()]
    credited = {line.corrects for _, _, (lines, _) in made for line in lines if line.fen < 0 and line.corrects}
    open_fen = await open_on(session, credited)
    adjustments = [
        Adjustment(
            account=account,
            period=past.periods[first],
            draft=BillDraft(account_id=account.account_id, lines=in_print_order(lines)),
            releases=releases_of(community_id, account, issued, overpaid(open_fen, lines)),
        )
        for account, first, (lines, issued) in made
    ]
    return Repriced(adjustments=tuple(adjustments), grounds=tuple(ground for _, ground in grounds.values()))


def _grounds(columns: Sequence[ColumnRating], compared: Compared) -> dict[int, tuple[str, RatingOutcome]]:
    """Return for each period that differs the hash of its input and what is kept, of every line rated for it."""
    touched: dict[int, dict[int, LineColumns]] = {}
    for one in compared.differences:
        touched.setdefault(one.period, {})[id(one.group)] = one.group
    return {
        period: columns[period].outcome(compared.premises, list(groups.values()))
        for period, groups in sorted(touched.items())
    }


class _Maker:
    """Makes the lines of accounts; what all lines of a group share is made once."""

    def __init__(self, past: Past, issued: Columns, shas: Mapping[int, str]) -> None:
        self._past = past
        self._issued = {name: issued[name].tolist() for name in ("n", "fen", "quantity_milli", "corrects_n")}
        self._bills: Ids = issued["bill_id"]
        self._corrected: Ids = issued["corrects_bill_id"]
        self._shas = shas
        self._shared: dict[int, tuple[Charge, TariffSource, Ids]] = {}

    def lines(self, found: Sequence[Difference]) -> tuple[tuple[LineDraft, ...], list[IssuedLine]]:
        """Return the lines that one account is to get, and the issued lines that they are about."""
        should: list[LineDraft] = []
        issued: list[IssuedLine] = []
        for one in found:
            line = self._should(one)
            should.append(line)
            issued += [self._line(line, at) for at in one.issued]
        made = differences(should, issued, ())
        ensure(len(made) > 0, "what differs gives a line")
        return made, issued

    def _should(self, one: Difference) -> LineDraft:
        group, at = one.group, one.at
        charge, tariff, subjects = self._shared_by(group)
        fen, price = one.now_fen, int(group.price_micro[at])
        subject = bytes(subjects[at])
        service: Period = group.period
        return LineDraft(
            key=LineKey(
                charge_item_id=group.item.charge_item_id,
                subject="" if subject == b"" else str(_id(subject)),
                service_start=service.start,
                service_end=service.end,
            ),
            charge=charge,
            fen=fen,
            net_fen=net_of(fen, charge.tax_rate_micro),
            quantity_milli=None if group.quantity_milli is None else int(group.quantity_milli[at]),
            price_micro=None if price == NO_PRICE else price,
            tariff=tariff,
            input_sha=self._shas[one.period],
            estimated=bool(group.estimated[at]),
            trace={},
        )

    def _shared_by(self, group: LineColumns) -> tuple[Charge, TariffSource, Ids]:
        if id(group) not in self._shared:
            revision = group.revision
            tariff = TariffSource(
                tariff_id=group.tariff_id,
                tariff_code=revision.tariff_code,
                effective_from=revision.effective_from,
                rev=revision.rev,
                body_sha=revision.body_sha,
            )
            self._shared[id(group)] = charge_of(group.item), tariff, subjects_of(group)
        return self._shared[id(group)]

    def _line(self, should: LineDraft, at: int) -> IssuedLine:
        """Return an issued line as far as differences look at it: its charge is the same, its ground is not asked."""
        fen = self._issued["fen"][at]
        corrected = bytes(self._corrected[at])
        quantity = None if should.quantity_milli is None else self._issued["quantity_milli"][at]
        line = replace(
            should,
            fen=fen,
            net_fen=net_of(fen, should.charge.tax_rate_micro),
            quantity_milli=quantity,
            corrects=None
            if corrected in {b"", NOTHING}
            else LineRef(bill_id=BillId(_id(corrected)), n=self._issued["corrects_n"][at]),
        )
        return IssuedLine(ref=LineRef(bill_id=BillId(id_at(self._bills, at)), n=self._issued["n"][at]), line=line)


def _id(raw: bytes) -> UUID:
    return UUID(bytes=raw.ljust(16, b"\0"))
