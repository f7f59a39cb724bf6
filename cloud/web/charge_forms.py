"""The forms of the pages of charges, and what they say as values. A form that cannot be read is refused in words."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from cloud.charges.making import NewCharge, Price, Switch, Words
from cloud.charges.rules import ChargeKind
from cloud.charges.schemas import Code, Name, Text, Yuan, days_of
from cloud.charges.values import Coverage, NewOneOff, Sharing
from cloud.kit.errors import MalformedError
from cloud.tariffs.assignment import Target, TargetKind
from cloud.tariffs.charge import ChargeBasis
from common.errors import RefusalError
from common.ids import ChargeItemId, CommunityId, LegalEntityId
from common.money.amount import parse_money

Word = Annotated[str, Field(max_length=100)]


class ItemForm(BaseModel):
    """A charge item with an amount a month, or none when it is one-off."""

    code: Code
    name_zh: Name
    name_en: Name
    kind: ChargeKind
    basis: ChargeBasis
    entity: UUID
    starts: date
    amount: Yuan = ""
    ends: Word = ""
    building: Word = ""
    text_zh: Text = ""
    text_en: Text = ""

    def value(self, charge_item_id: ChargeItemId, community_id: CommunityId) -> NewCharge:
        """Return the charge as a value."""
        return NewCharge(
            charge_item_id=charge_item_id,
            community_id=community_id,
            code=self.code,
            name_zh=self.name_zh,
            name_en=self.name_en,
            kind=self.kind,
            basis=self.basis,
            legal_entity_id=LegalEntityId(self.entity),
            price=Price(amount_yuan=self.amount),
            starts=self.starts,
            ends=day_of(self.ends),
            coverage=coverage_of(self.building),
            words=Words(text_zh=self.text_zh, text_en=self.text_en),
        )


class SwitchForm(BaseModel):
    """Another price on some days, such as a holiday's: an amount a month, or the code of a tariff that stands."""

    item: UUID
    name_zh: Name
    name_en: Name
    start: date
    end: date
    amount: Yuan = ""
    tariff_code: Word = ""
    building: Word = ""
    text_zh: Text = ""
    text_en: Text = ""

    def value(self, community_id: CommunityId) -> Switch:
        """Return the switch as a value.

        Raises:
            MalformedError: neither amount nor tariff is given.
        """
        if not (self.amount or self.tariff_code):
            raise MalformedError("a switch needs a price: an amount a month, or a tariff that stands")
        return Switch(
            community_id=community_id,
            charge_item_id=ChargeItemId(self.item),
            price=Price(amount_yuan=self.amount, tariff_code=self.tariff_code),
            days=days_of(self.start, self.end),
            coverage=coverage_of(self.building),
            name_zh=self.name_zh,
            name_en=self.name_en,
            words=Words(text_zh=self.text_zh, text_en=self.text_en),
        )


class OneOffForm(BaseModel):
    """A one-off charge; its id stands in the form, so that a form sent twice drafts once."""

    charge_id: UUID
    item: UUID
    name_zh: Name
    name_en: Name
    sharing: Sharing
    amount: Word
    start: date
    end: date
    due_on: date
    building: Word = ""
    reference: Word = ""

    def value(self, community_id: CommunityId) -> NewOneOff:
        """Return the charge as a value."""
        return NewOneOff(
            charge_id=self.charge_id,
            community_id=community_id,
            charge_item_id=ChargeItemId(self.item),
            name_zh=self.name_zh,
            name_en=self.name_en,
            sharing=self.sharing,
            amount_fen=fen_of(self.amount),
            coverage=coverage_of(self.building),
            service=days_of(self.start, self.end),
            due_on=self.due_on,
            reference=self.reference,
        )


def day_of(text: str) -> date | None:
    """Return the day that a field says, None when it is left empty.

    Raises:
        MalformedError: it says no day.
    """
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError as error:
        raise MalformedError(f"{text!r} is no day; write one such as 2026-05-01") from error


def fen_of(text: str) -> int:
    """Return the fen of an amount written in yuan.

    Raises:
        MalformedError: it is no amount.
    """
    try:
        return parse_money(text.strip()).minor
    except RefusalError as error:
        raise MalformedError(f"{text!r} is no amount; write yuan such as 1234.50") from error


def coverage_of(building: str) -> Coverage:
    """Return everybody, or those of one building."""
    if not building:
        return Coverage()
    return Coverage(targets=(Target(kind=TargetKind.BUILDING, key=building),))
