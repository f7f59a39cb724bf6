"""The canonical bytes that replay lines: one input for each premises and party, one for each pool. Pure.

An input names the engine's version, the tariff bodies by hash and every request in full, so that rating it again gives
the same lines to the byte, years later. It holds ids and figures, never a name or a plate.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from cloud.metering.usage import RegisterRef
from cloud.rating.drafts import Draft
from cloud.rating.lines import RatedItem, RatingInput
from common.ids import PartyId, PremisesId
from common.rating.engine import ENGINE_VERSION
from common.tariff.canonical import Json, plain_json

FORMAT = "gatehouse-rating-input/1"


def finish(drafts: Iterable[Draft]) -> tuple[tuple[RatedItem, ...], tuple[RatingInput, ...]]:
    """Return the rated items of some drafts, each tied to the input that replays it."""
    by_payer: dict[tuple[PremisesId, PartyId], list[Draft]] = defaultdict(list)
    for draft in drafts:
        by_payer[(draft.segment.premises_id, draft.segment.party_id)].append(draft)
    items: list[RatedItem] = []
    inputs: list[RatingInput] = []
    for (premises_id, party_id), theirs in by_payer.items():
        ordered = sorted(theirs, key=_order)
        found = make_input(
            {
                "premises": str(premises_id),
                "party": str(party_id),
                "lines": [_plain(draft) for draft in ordered],
            }
        )
        inputs.append(found)
        items.extend(_item(draft, found.sha) for draft in ordered)
    return tuple(items), tuple(inputs)


def make_input(content: Mapping[str, Json]) -> RatingInput:
    """Return the canonical input of some content."""
    body = plain_json({"format": FORMAT, "engine": ENGINE_VERSION, **content})
    return RatingInput(sha=hashlib.sha256(body).hexdigest(), body=body)


def _order(draft: Draft) -> tuple[str, str, UUID, UUID]:
    """Return the place of a line on its bill: by charge item, then day, then meter or session."""
    nobody = UUID(int=0)
    started = draft.request.period.start.isoformat()
    return draft.segment.item.code, started, draft.meter_id or nobody, draft.session_id or draft.pool_id or nobody


def _plain(draft: Draft) -> dict[str, Json]:
    plain: dict[str, Json] = {
        "charge": draft.segment.item.code,
        "tariff": draft.segment.revision.body_sha,
        "request": draft.request.to_plain(),
        "line": draft.line.input_sha,
        "meter": _text(draft.meter_id),
        "from": _register(draft.from_register),
        "to": _register(draft.to_register),
        "session": _text(draft.session_id),
        "pool": draft.pool_sha or None,
    }
    return {key: value for key, value in plain.items() if value is not None}


def _register(ref: RegisterRef | None) -> Json:
    if ref is None:
        return None
    plain: dict[str, Json] = {
        "at": ref.read_at.isoformat(),
        "milli": ref.value_milli,
        "quality": int(ref.quality),
        "block": None if ref.block_day is None else [ref.block_day.isoformat(), ref.block_rev],
        "revision": ref.revision,
    }
    return {key: value for key, value in plain.items() if value is not None}


def _text(value: UUID | None) -> Json:
    return None if value is None else str(value)


def _item(draft: Draft, input_sha: str) -> RatedItem:
    segment, item = draft.segment, draft.segment.item
    return RatedItem(
        premises_id=segment.premises_id,
        party_id=segment.party_id,
        charge_item_id=item.charge_item_id,
        charge_code=item.code,
        charge_name_zh=item.name_zh,
        charge_name_en=item.name_en,
        kind=item.basis,
        nature=item.nature,
        fund_class=item.fund_class,
        legal_entity_id=item.legal_entity_id,
        tax_code=item.tax_code,
        tax_rate_micro=item.tax_rate_micro,
        bears_late_charge=item.bears_late_charge,
        service=draft.request.period,
        line=draft.line,
        tariff_id=segment.tariff_id,
        revision=segment.revision,
        input_sha=input_sha,
        quantity_milli=draft.quantity_milli,
        meter_id=draft.meter_id,
        from_reading=draft.from_register,
        to_reading=draft.to_register,
        session_id=draft.session_id,
        pool_id=draft.pool_id,
        estimated=draft.estimated,
    )
