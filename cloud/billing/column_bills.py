"""From rated columns to the rows of bills, laid out for binary COPY without an object for each line. Pure.

Households whose bills have the same lines form a pattern: the same charge items at the same prices, the same of them
worth nothing. All that a pattern's bills differ in are ids and figures of one length, so a pattern is one image. The
rows are those that `issuing.py` writes for the same lines, except that the explanation of a line is not stored beside
it: the input that the line names gives it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from cloud.billing.lines import BillKind, LineComponent, book_of, canonical, charge_of, net_of
from cloud.billing.rules import NUMBER_DIGITS
from cloud.kit import images
from cloud.kit.images import Cells, Ids, Integers, image
from cloud.ledger.issued_columns import IssuedBatch, IssuedLine
from cloud.rating.column_lines import LineColumns, Rows
from cloud.rating.columns import NO_PRICE
from common.civil import Period
from common.errors import ensure
from common.ids import CommunityId, TenantId
from common.money.amount import CNY, INT64_MAX, MICRO

GROUPS_MAX = 26
SEQ = 1
BILL_COLUMNS = (
    "community_id",
    "bill_id",
    "account_id",
    "cycle",
    "period_start",
    "period_end",
    "kind",
    "seq",
    "number",
    "issued_at",
    "issued_on",
    "due_on",
    "currency",
    "total_fen",
    "line_count",
    "document_sha",
    "case_id",
)
LINE_COLUMNS = (
    "community_id",
    "bill_id",
    "n",
    "charge_item_id",
    "subject",
    "service_start",
    "service_end",
    "component",
    "charge_code",
    "name_zh",
    "name_en",
    "basis",
    "nature",
    "fund_class",
    "legal_entity_id",
    "tax_code",
    "tax_rate_micro",
    "bears_late_charge",
    "quantity_milli",
    "price_micro",
    "fen",
    "net_fen",
    "tax_fen",
    "tariff_id",
    "tariff_code",
    "effective_from",
    "rev",
    "tariff_sha",
    "input_sha",
    "estimated",
    "corrects_bill_id",
    "corrects_n",
    "trace",
)
_STATES = 5
# Where a template has a figure or a text: no amount is this one, and no subject is named so.
_HOLE = -(10**18) - 777
_HOLE_TEXT = "~~~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """What all documents of one go share."""

    tenant: TenantId
    community_id: CommunityId
    cycle: str
    period: Period
    issued_at: datetime
    issued_on: date
    due_on: date
    input_sha: str

    @property
    def head(self) -> list[Cells]:
        """Return company and community, with which every row begins."""
        return [images.uuid(self.tenant), images.uuid(self.community_id)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternLine:
    """The n-th line on every bill of a pattern, and where its figures are in its group."""

    n: int
    group: LineColumns
    at: Rows
    priced: bool
    moves: bool

    @property
    def fen(self) -> Integers:
        """Return the amounts."""
        return self.group.fen[self.at]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Households whose bills have the same lines; `bills` are the positions of the bills among all of the go."""

    homes: Rows
    bills: Rows
    lines: tuple[PatternLine, ...]

    @property
    def total_fen(self) -> Integers:
        """Return the sum of each bill."""
        total: Integers = np.sum([line.fen for line in self.lines], axis=0, dtype=np.int64)
        return total


def patterns(groups: Sequence[LineColumns], homes: int) -> tuple[Pattern, ...]:
    """Return the bills of some households by pattern; households without a line have no bill.

    Args:
        groups: the lines by charge code, one group for each price of a charge item.
        homes: how many households there are.
    """
    ensure(len(groups) <= GROUPS_MAX, f"a community has at most {GROUPS_MAX} charges that are rated by column")
    code = np.zeros(homes, dtype=np.int64)
    places: list[Rows] = []
    for number, group in enumerate(groups):
        state = 1 + 2 * (group.price_micro != NO_PRICE) + (group.fen > 0)
        code[group.rows] += state * _STATES**number
        place = np.full(homes, -1, dtype=np.intp)
        place[group.rows] = np.arange(len(group.rows))
        places.append(place)
    numbers = np.cumsum(code > 0) - 1
    found: list[Pattern] = []
    for one in np.unique(code[code > 0]).tolist():
        (rows,) = np.nonzero(code == one)
        lines = tuple(_lines(one, groups, places, rows))
        found.append(Pattern(homes=rows, bills=numbers[rows], lines=lines))
    return tuple(found)


def _lines(code: int, groups: Sequence[LineColumns], places: Sequence[Rows], rows: Rows) -> Iterator[PatternLine]:
    n = 0
    for group, place in zip(groups, places, strict=True):
        code, state = divmod(code, _STATES)
        if state:
            n += 1
            yield PatternLine(n=n, group=group, at=place[rows], priced=(state - 1) & 2 > 0, moves=(state - 1) & 1 > 0)


def batch_of(issue: Issue, pattern: Pattern, ids: BillIds) -> IssuedBatch:
    """Return what the ledger books for the bills of a pattern."""
    accounts = ids.accounts[pattern.bills]
    key = f":{issue.cycle}:{issue.period.start.isoformat()}:{BillKind.REGULAR}:{SEQ}"
    parts = [images.text("bill:"), images.uuid_texts(accounts), images.text(key)]
    return IssuedBatch(
        accounts=accounts,
        bill_ids=ids.bills[pattern.bills],
        idem_keys=images.joined(parts, len(accounts)),
        lines=tuple(
            IssuedLine(
                n=line.n,
                book=book_of(issue.community_id, charge_of(line.group.item)),
                charge_item_id=line.group.item.charge_item_id,
                nature=line.group.item.nature,
                fen=line.fen,
            )
            for line in pattern.lines
            if line.moves
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BillIds:
    """The account of each bill of the go, and the id made for the bill, which is its journal's too."""

    accounts: Ids
    bills: Ids


def bill_images(issue: Issue, pattern: Pattern, ids: BillIds, prefix: str, first: int) -> list[Cells]:
    """Return the rows of a pattern's bills; `first` is the number of the first bill of the go."""
    numbers = first + pattern.bills.astype(np.int64)
    made: list[Cells] = []
    shas = images.blobs(b"".join(_document_shas(issue, pattern)), hashlib.sha256().digest_size)
    total = pattern.total_fen
    for digits in range(NUMBER_DIGITS, len(str(INT64_MAX))):
        low = 0 if digits == NUMBER_DIGITS else 10 ** (digits - 1)
        (own,) = np.nonzero((numbers >= low) & (numbers < 10**digits))
        if len(own):
            named = images.joined([images.text(prefix), images.digits(numbers[own], digits)], len(own))
            made.append(image(_bill(issue, pattern, ids, _Numbered(own, named, shas[own], total[own])), len(own)))
    return made


@dataclass(frozen=True, slots=True)
class _Numbered:
    """Some bills of a pattern whose numbers have one length."""

    own: Rows
    numbers: Cells
    shas: Cells
    total_fen: Integers


def _bill(issue: Issue, pattern: Pattern, ids: BillIds, some: _Numbered) -> list[Cells | None]:
    bills = pattern.bills[some.own]
    return [
        *issue.head,
        images.uuids(ids.bills[bills]),
        images.uuids(ids.accounts[bills]),
        images.text(issue.cycle),
        images.day(issue.period.start),
        images.day(issue.period.end),
        images.text(BillKind.REGULAR),
        images.int8(SEQ),
        some.numbers,
        images.instant(issue.issued_at),
        images.day(issue.issued_on),
        images.day(issue.due_on),
        images.text(CNY.code),
        images.int8(some.total_fen),
        images.int8(len(pattern.lines)),
        some.shas,
        None,
    ]


def line_image(issue: Issue, pattern: Pattern, ids: BillIds) -> Cells:
    """Return the rows of the lines of a pattern's bills, those of one bill behind each other."""
    bills = images.uuids(ids.bills[pattern.bills])
    return images.images_abreast([_line(issue, line, bills) for line in pattern.lines], len(pattern.bills))


def _line(issue: Issue, line: PatternLine, bills: Cells) -> list[Cells | None]:
    group, item, tariff = line.group, line.group.item, line.group.revision
    nets = nets_of(line.fen, item.tax_rate_micro)
    quantity = None if group.quantity_milli is None else images.int8(group.quantity_milli[line.at])
    return [
        *issue.head,
        bills,
        images.int8(line.n),
        images.uuid(item.charge_item_id),
        _subjects(line),
        images.day(group.period.start),
        images.day(group.period.end),
        images.text(LineComponent.CHARGE),
        images.text(item.code),
        images.text(item.name_zh),
        images.text(item.name_en),
        images.text(item.basis),
        images.text(item.nature),
        images.text(item.fund_class),
        images.uuid(item.legal_entity_id),
        images.text(item.tax_code),
        images.int8(item.tax_rate_micro),
        images.boolean(item.bears_late_charge),
        quantity,
        images.int8(group.price_micro[line.at]) if line.priced else None,
        images.int8(line.fen),
        images.int8(nets),
        images.int8(line.fen - nets),
        images.uuid(group.tariff_id),
        images.text(tariff.tariff_code),
        images.day(tariff.effective_from),
        images.int8(tariff.rev),
        images.text(tariff.body_sha),
        images.text(issue.input_sha),
        images.booleans(group.estimated[line.at]),
        None,
        None,
        images.json_nothing(),
    ]


def _subjects(line: PatternLine) -> Cells:
    group = line.group
    if group.pool is not None:
        return images.text(str(group.pool.meter_id))
    return images.text("") if group.meters is None else images.uuid_texts(group.meters[line.at])


def _document_shas(issue: Issue, pattern: Pattern) -> list[bytes]:
    """Return the hash over what each bill says; see `BillDraft.sha`."""
    templates: list[bytes] = []
    columns: list[Sequence[Any]] = []
    for line in pattern.lines:
        templates.append(_said_template(line.group, issue.input_sha))
        columns += [line.fen.tolist(), nets_of(line.fen, line.group.item.tax_rate_micro).tolist()]
        if line.group.quantity_milli is not None:
            columns.append(line.group.quantity_milli[line.at].tolist())
        subjects = _subjects(line)
        if len(subjects) == 1:
            subjects = np.broadcast_to(subjects, (len(pattern.bills), subjects.shape[1]))
        columns.append(images.bytes_list(subjects) if subjects.shape[1] else [b""] * len(pattern.bills))
    template = b"[" + b",".join(templates) + b"]"
    sha256 = hashlib.sha256
    return [sha256(template % row).digest() for row in zip(*columns, strict=True)]


def _said_template(group: LineColumns, input_sha: str) -> bytes:
    """Return what `BillDraft.sha` is taken over, with places for amount, net, quantity and subject in order."""
    said = {
        "charge_item": str(group.item.charge_item_id),
        "subject": _HOLE_TEXT,
        "service": str(group.period),
        "component": LineComponent.CHARGE,
        "fen": _HOLE,
        "net_fen": _HOLE,
        "quantity_milli": None if group.quantity_milli is None else _HOLE,
        "tariff": f"{group.revision.body_sha}/{group.revision.effective_from}/{group.revision.rev}",
        "input": input_sha,
        "corrects": None,
    }
    written = canonical(said).replace(b"%", b"%%")
    return written.replace(str(_HOLE).encode(), b"%d").replace(_HOLE_TEXT.encode(), b"%b")


def nets_of(fen: Integers, tax_rate_micro: int) -> Integers:
    """Return the parts of many charges that are not tax; see `net_of`."""
    whole = MICRO + tax_rate_micro
    if fen.size and int(fen.max()) > INT64_MAX // (4 * MICRO):
        return np.array([net_of(one, tax_rate_micro) for one in fen.tolist()], dtype=np.int64)
    nets: Integers = (2 * fen * MICRO + whole) // (2 * whole)
    return nets
