"""The decisions of billing, pure: what a correction must add or take back, and numbers.

*Should* is what rating says now, *is* the sum of the issued lines of a key. Where they differ, a charge is added or
credits are given. A credit names the line it takes back, the newest first, and never takes back more than what stands
of that line; so an issued line with its credits is never below nothing. What could not be rated is left as it is:
unknown is never zero.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from cloud.billing.lines import BillKind, IssuedLine, LineDraft, LineKey, net_of
from cloud.ledger.journals import LineRef
from common.civil import Period
from common.errors import ensure
from common.ids import ChargeItemId

NUMBER_DIGITS = 6
_KIND_LETTERS = {
    BillKind.REGULAR: "B",
    BillKind.ADJUSTMENT: "A",
    BillKind.ONE_OFF: "C",
    BillKind.LATE: "L",
    BillKind.FINAL: "F",
    BillKind.OPENING: "O",
}
ensure(set(_KIND_LETTERS) == set(BillKind), "every kind of bill has a letter in its number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A charge item whose amount for some days is not known now, so that its lines are left as they are."""

    charge_item_id: ChargeItemId
    service: Period

    def holds(self, key: LineKey) -> bool:
        """Return whether a line of the key is among those left as they are."""
        return key.charge_item_id == self.charge_item_id and self.service.overlap(key.service) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAmount:
    """What is open on a line, in fen, as far as the order of settling needs it."""

    line: LineRef
    due_on: date
    number: str
    open_fen: int


def number_prefix(community_code: str, kind: BillKind, year: int) -> str:
    """Return what all numbers of a series begin with."""
    return f"{community_code}-{_KIND_LETTERS[kind]}{year}-"


def bill_number(prefix: str, n: int) -> str:
    """Return the n-th number of a series, such as `GARDEN-B2026-000012`."""
    ensure(n > 0, "numbers begin at one")
    return f"{prefix}{n:0{NUMBER_DIGITS}d}"


def differences(
    should: Sequence[LineDraft], issued: Sequence[IssuedLine], blocked: Collection[Blocked]
) -> tuple[LineDraft, ...]:
    """Return the lines that turn what is issued to one account into what should be, or none when it is so already."""
    should_by_key = {line.key: line for line in should}
    ensure(len(should_by_key) == len(should), "rating gives one line for each key of an account")
    issued_by_key: dict[LineKey, list[IssuedLine]] = {}
    for entry in issued:
        issued_by_key.setdefault(entry.line.key, []).append(entry)
    lines: list[LineDraft] = []
    for key in sorted(should_by_key.keys() | issued_by_key.keys()):
        if not any(item.holds(key) for item in blocked):
            lines += _key_differences(should_by_key.get(key), issued_by_key.get(key, []))
    return tuple(lines)


def _key_differences(should: LineDraft | None, issued: Sequence[IssuedLine]) -> list[LineDraft]:
    if not issued:
        return [should] if should is not None and should.fen else []
    was_fen = sum(entry.line.fen for entry in issued)
    now_fen = should.fen if should is not None else 0
    if now_fen == was_fen:
        return []
    model = _adjusting(should, issued, was_fen=was_fen, now_fen=now_fen)
    if now_fen > was_fen:
        return [_charged(model, issued[0].ref, now_fen - was_fen)]
    return _credited(model, issued, was_fen - now_fen)


def _adjusting(should: LineDraft | None, issued: Sequence[IssuedLine], *, was_fen: int, now_fen: int) -> LineDraft:
    """Return what all adjustments of the key are made of: today's ground, the difference of quantities, no price."""
    newest = issued[-1].line
    ground = should if should is not None else newest
    was_milli = sum(entry.line.quantity_milli or 0 for entry in issued)
    now_milli = (should.quantity_milli or 0) if should is not None else 0
    trace = {**ground.trace, "adjusts": {"was_fen": was_fen, "now_fen": now_fen, "withdrawn": should is None}}
    measured = ground.quantity_milli is not None
    return replace(ground, quantity_milli=now_milli - was_milli if measured else None, price_micro=None, trace=trace)


def _charged(model: LineDraft, original: LineRef, fen: int) -> LineDraft:
    return replace(model, fen=fen, net_fen=net_of(fen, model.charge.tax_rate_micro), corrects=original)


def _credited(model: LineDraft, issued: Sequence[IssuedLine], fen: int) -> list[LineDraft]:
    """Spread a credit over what stands of the charges, the newest first; the first line carries the quantity."""
    credits_: list[LineDraft] = []
    for target, standing_fen in reversed(standing(issued)):
        part = min(fen, standing_fen)
        if part <= 0:
            continue
        charge = target.line.charge
        credits_.append(
            replace(
                model,
                charge=charge,
                fen=-part,
                net_fen=net_of(-part, charge.tax_rate_micro),
                quantity_milli=model.quantity_milli if not credits_ else _nothing_of(model.quantity_milli),
                corrects=target.ref,
            )
        )
        fen -= part
    ensure(fen == 0, "what is taken back was charged before")
    return credits_


def _nothing_of(quantity_milli: int | None) -> int | None:
    return None if quantity_milli is None else 0


def standing(issued: Sequence[IssuedLine]) -> list[tuple[IssuedLine, int]]:
    """Return every charge of a key, in the order of issue, with what the credits that name it have left of it."""
    credited: dict[LineRef, int] = {}
    for entry in issued:
        if entry.line.fen < 0:
            ensure(entry.line.corrects is not None, "a credit names the line that it takes back")
            credited[_named(entry)] = credited.get(_named(entry), 0) - entry.line.fen
    return [(entry, entry.line.fen - credited.get(entry.ref, 0)) for entry in issued if entry.line.fen > 0]


def _named(entry: IssuedLine) -> LineRef:
    return entry.line.corrects or entry.ref


def overpaid(open_fen: Mapping[LineRef, int], credits_: Sequence[LineDraft]) -> dict[LineRef, int]:
    """Return for each line credited by how much it is paid above what stands of it once the credits are booked."""
    after = dict(open_fen)
    for line in credits_:
        if line.fen < 0 and line.corrects is not None:
            after[line.corrects] = after.get(line.corrects, 0) + line.fen
    named = {line.corrects for line in credits_ if line.fen < 0 and line.corrects is not None}
    return {ref: -after[ref] for ref in sorted(named, key=lambda r: (r.bill_id, r.n)) if after[ref] < 0}
