"""What could not be rated, as cases: opened with an owner, seen again while it lasts, closed once it is gone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cloud.billing.service import RunScope
from cloud.cases import service as cases
from cloud.cases.case import CaseKind, CaseReport, OwnerRole
from cloud.kit.db import Unit
from cloud.kit.images import Ids, id_at
from cloud.rating.lines import ExceptionKind, RatingException, RatingOutcome
from common.errors import ensure
from common.ids import PremisesId

ORIGIN = "rating"
_OWNERS: Mapping[ExceptionKind, OwnerRole] = MappingProxyType(
    {
        ExceptionKind.NO_READING: OwnerRole.TECHNICIAN,
        ExceptionKind.HELD_READING: OwnerRole.TECHNICIAN,
        ExceptionKind.BACKWARDS: OwnerRole.TECHNICIAN,
        ExceptionKind.NO_METER: OwnerRole.TECHNICIAN,
        ExceptionKind.NO_PRICE: OwnerRole.MANAGER,
        ExceptionKind.NO_AREA: OwnerRole.MANAGER,
        ExceptionKind.NO_SHARE: OwnerRole.MANAGER,
        ExceptionKind.NO_PAYER: OwnerRole.MANAGER,
        ExceptionKind.REFUSED: OwnerRole.MANAGER,
    }
)
ensure(set(_OWNERS) == set(ExceptionKind), "every exception of rating has an owner")


def case_of(exception: RatingException, scope: RunScope) -> CaseReport:
    """Return the case of an exception: about the premises, or about the charge item when a whole pool is meant."""
    about_premises = exception.premises_id is not None
    return CaseReport(
        kind=CaseKind.EXCEPTION,
        reason=exception.kind.value,
        origin=ORIGIN,
        object_kind="premises" if about_premises else "charge_item",
        object_id=exception.premises_id or exception.charge_item_id,
        subject=_subject(exception, scope),
        community_id=scope.community_id,
        owner_role=_OWNERS[exception.kind],
        detail_zh=exception.detail_zh,
        detail_en=exception.detail_en,
    )


async def report(unit: Unit, scope: RunScope, premises: Ids, outcome: RatingOutcome) -> None:
    """Open a case for everything that could not be rated, and close those of the premises that could be since."""
    open_now = set()
    for exception in outcome.exceptions:
        case = case_of(exception, scope)
        open_now.add((case.object_id, case.reason, case.subject))
        await cases.raise_case(unit, case)
    if not await cases.count_open(unit.session, scope.community_id):
        return
    suffix = _period_mark(scope)
    about = [PremisesId(id_at(premises, row)) for row in range(len(premises))]
    for standing in await cases.open_about(unit.session, about):
        known = (standing.object_id, standing.reason, standing.subject)
        if standing.origin == ORIGIN and standing.subject.endswith(suffix) and known not in open_now:
            await cases.close_case(unit, standing.case_id, reason="rated since")


def _subject(exception: RatingException, scope: RunScope) -> str:
    thing = exception.object_id or exception.charge_item_id
    return f"{thing}{_period_mark(scope)}"


def _period_mark(scope: RunScope) -> str:
    return f"@{scope.cycle}:{scope.period_start.isoformat()}"
