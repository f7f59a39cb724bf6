"""Common costs by invoice, month after month: a pool entered once is drafted again with the next invoice.

The next draft takes over item, names, sharing and coverage; amount and invoice are its own. Its id follows from the
pool and the days, so two people who enter the same month make one draft, and another amount for it is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID, uuid5

from cloud.charges import service
from cloud.charges.values import ChargeState, NewOneOff, OneOff
from cloud.kit.db import Unit
from cloud.kit.errors import ConflictError, NotFoundError
from common.civil import Period, nth_month
from common.errors import RefusalError

_GONE = frozenset({ChargeState.DROPPED, ChargeState.WITHDRAWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class NextInvoice:
    """The amount of the next invoice, in fen, and its number."""

    amount_fen: int
    reference: str

    def __post_init__(self) -> None:
        """Check that the invoice is named.

        Raises:
            RefusalError: it has no number.
        """
        if not self.reference.strip():
            raise RefusalError("a repeated pool names its invoice; write its number")


def next_days(days: Period) -> Period:
    """Return the days that follow, as many whole months as these are.

    Raises:
        RefusalError: these are not whole months.
    """
    months = (days.end.year - days.start.year) * 12 + days.end.month - days.start.month
    if days.start.day != 1 or days.end.day != 1:
        raise RefusalError("only a charge of whole months is repeated; draft a new one for these days")
    return Period(days.end, nth_month(days.end, months))


async def repeat(unit: Unit, charge_id: UUID, invoice: NextInvoice) -> OneOff:
    """Draft a pool for the months that follow, by its next invoice; the same again is the same draft.

    Raises:
        NotFoundError: there is no such charge.
        ConflictError: it was thrown away or taken back, or the months have a draft or bills by another invoice.
        RefusalError: it is not of whole months.
    """
    found = await service.one_off(unit.session, charge_id)
    if found.state in _GONE:
        raise ConflictError("this charge was thrown away or taken back; repeat one that stands")
    days = next_days(found.new.service)
    months = (days.start.year - found.new.service.start.year) * 12 + days.start.month - found.new.service.start.month
    wanted = replace(
        found.new,
        service=days,
        due_on=nth_month(found.new.due_on, months),
        amount_fen=invoice.amount_fen,
        reference=invoice.reference.strip(),
    )
    attempt = 0
    while True:
        new = replace(wanted, charge_id=_id_of(wanted, attempt))
        known = await _known(unit, new.charge_id)
        if known is None or known.state not in _GONE:
            return await service.draft(unit, new)
        attempt += 1


def _id_of(new: NewOneOff, attempt: int) -> UUID:
    """Return the id of a pool and its days; the names of a draft that is gone are not used again."""
    targets = sorted(f"{target.kind}:{target.key}" for target in new.coverage.targets)
    pool = [new.name_zh, new.sharing.value, *targets, *sorted(new.coverage.groups), str(new.service), str(attempt)]
    return uuid5(new.charge_item_id, "|".join(pool))


async def _known(unit: Unit, charge_id: UUID) -> OneOff | None:
    try:
        return await service.one_off(unit.session, charge_id)
    except NotFoundError:
        return None
