"""What a technician found at a meter, as the text of a signed note: a meter to add, a dial held against its register.

Both sides read the same form here. A technician's finding is a proposal: it changes no configuration by itself, the
office does, and what comes down again is signed. Values are milli-units of the point's unit, before the multiplier.
Names of technicians stand here as they gave them; no resident is ever named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from common.errors import RefusalError
from common.ids import MeterId
from common.money.amount import INT64_MAX
from common.wire.limits import DETAIL_BYTES_MAX, QUANTITIES_MAX

METER_PROPOSED = "meter_proposed"
DIAL_COMPARED = "dial_compared"
_TEXTS = ("serial", "wire", "profile", "address", "resource", "label", "by")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterProposal:
    """A meter that answered on trial; `values` are what it said, by quantity."""

    serial: str
    wire: str
    profile: str
    address: str
    resource: str
    points: tuple[str, ...]
    label: str
    by: str
    multiplier_milli: int = 1000
    values: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DialComparison:
    """What the dial of a meter showed and what its register said at that moment."""

    meter_id: MeterId
    quantity: str
    dial_milli: int
    read_milli: int
    by: str

    @property
    def difference_milli(self) -> int:
        """Return by how much the register stands above the dial."""
        return self.read_milli - self.dial_milli


def pack_proposal(proposal: MeterProposal) -> str:
    """Return the text of a note.

    Raises:
        RefusalError: the texts are longer than a note carries.
    """
    return _packed(
        {name: getattr(proposal, name) for name in _TEXTS}
        | {
            "points": list(proposal.points),
            "multiplier_milli": proposal.multiplier_milli,
            "values": dict(proposal.values),
        }
    )


def unpack_proposal(text: str) -> MeterProposal:
    """Return the proposal of a note.

    Raises:
        RefusalError: the text is no proposal.
    """
    told = _unpacked(text)
    points, values = told.get("points"), told.get("values")
    if not isinstance(points, list) or not isinstance(values, dict) or not 0 < len(points) <= QUANTITIES_MAX:
        raise _unreadable("points")
    return MeterProposal(
        **{name: _text(told, name) for name in _TEXTS},
        points=tuple(_text({"points": point}, "points") for point in points),
        multiplier_milli=_whole(told, "multiplier_milli", 1),
        values={name: _whole(values, name) for name in values},
    )


def pack_comparison(comparison: DialComparison) -> str:
    """Return the text of a note.

    Raises:
        RefusalError: the texts are longer than a note carries.
    """
    return _packed(
        {
            "meter_id": str(comparison.meter_id),
            "quantity": comparison.quantity,
            "dial_milli": comparison.dial_milli,
            "read_milli": comparison.read_milli,
            "by": comparison.by,
        }
    )


def unpack_comparison(text: str) -> DialComparison:
    """Return the comparison of a note.

    Raises:
        RefusalError: the text is no comparison.
    """
    told = _unpacked(text)
    try:
        meter_id = MeterId(UUID(_text(told, "meter_id")))
    except ValueError as error:
        raise _unreadable("meter_id") from error
    return DialComparison(
        meter_id=meter_id,
        quantity=_text(told, "quantity"),
        dial_milli=_whole(told, "dial_milli"),
        read_milli=_whole(told, "read_milli"),
        by=_text(told, "by"),
    )


def _packed(told: Mapping[str, Any]) -> str:
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > DETAIL_BYTES_MAX:
        raise RefusalError(f"the finding is longer than {DETAIL_BYTES_MAX} bytes; shorten label and name")
    return text


def _unpacked(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except ValueError as error:
        raise _unreadable("text") from error
    if not isinstance(told, dict):
        raise _unreadable("text")
    return told


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str):
        raise _unreadable(name)
    return value


def _whole(told: Mapping[str, Any], name: str, low: int = -INT64_MAX) -> int:
    value = told.get(name)
    if type(value) is not int or not low <= value <= INT64_MAX:
        raise _unreadable(name)
    return value


def _unreadable(what: str) -> RefusalError:
    return RefusalError(f"a technician's finding cannot be read: {what}; update the gateway or the cloud")
