"""What a contract term says: an amount that falls due every so many months. Pure values and decisions.

Terms escalate by standing behind each other: year one at one amount, year two at the next. Instalments are counted from
the start of the term and never stepped, so that a term from the 31st does not drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from common.civil import Period, nth_period
from common.errors import RefusalError
from common.ids import ChargeItemId, PartyId, PremisesId


class ContractKind(StrEnum):
    """What a contract is about."""

    LEASE = "lease"
    SERVICE = "service"


class Every(StrEnum):
    """How often a term falls due."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


MONTHS = {Every.MONTH: 1, Every.QUARTER: 3, Every.YEAR: 12}


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term of a contract; the amount is in fen for each whole instalment."""

    charge_item_id: ChargeItemId
    period: Period
    every: Every
    amount_fen: int

    def __post_init__(self) -> None:
        """Check the amount."""
        if self.amount_fen < 0:
            raise RefusalError("a contract term has a negative amount; give what the party pays as zero or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract with its terms in force."""

    contract_id: UUID
    number: str
    kind: ContractKind
    premises_id: PremisesId
    party_id: PartyId
    period: Period
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalment:
    """One amount that falls due on the first day of its service period."""

    charge_item_id: ChargeItemId
    service: Period
    amount_fen: int


def check_terms(contract: Period, terms: tuple[Term, ...]) -> None:
    """Check that terms lie inside their contract and that those of one charge item do not overlap.

    Raises:
        RefusalError: a term sticks out, or two of one charge item share a day.
    """
    for n, term in enumerate(terms):
        if term.period.start < contract.start or term.period.end > contract.end:
            raise RefusalError(f"term {n + 1} ({term.period}) lies outside the contract ({contract}); shorten the term")
        for other in terms[n + 1 :]:
            if other.charge_item_id == term.charge_item_id and other.period.overlap(term.period):
                raise RefusalError(f"terms {term.period} and {other.period} of one charge item overlap; end the first")


def instalments(terms: tuple[Term, ...], due_in: Period) -> tuple[Instalment, ...]:
    """Return the instalments that fall due inside a period, in order of their start."""
    found: list[Instalment] = []
    for term in terms:
        count = 0
        while (service := nth_period(term.period.start, count, MONTHS[term.every])).start < term.period.end:
            if service.start in due_in:
                found.append(
                    Instalment(charge_item_id=term.charge_item_id, service=service, amount_fen=term.amount_fen)
                )
            count += 1
    return tuple(sorted(found, key=lambda one: (one.service.start, one.charge_item_id)))
