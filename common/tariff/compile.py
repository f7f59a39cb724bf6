"""Compiling a tariff: its constant prices become integer step tables, once, so that rating only evaluates.

A revision is compiled when it is loaded, on the gateway as in the cloud; the compiled form is never stored. The
document stays the truth and its hash the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from common.errors import InvariantError
from common.money.amount import Currency
from common.tariff.document import TariffDocument
from common.tariff.model import Charge, PriceTable
from common.tariff.plan import Plan
from common.tariff.steps import StepTable
from common.tariff.tables import is_constant, make_table


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledCharge:
    """A charge with the tables that need no request; entries that do are absent."""

    charge: Charge
    tables: Mapping[str, StepTable]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledPlan:
    """A plan with its compiled charges (none for a session or a late charge)."""

    plan: Plan
    charges: tuple[CompiledCharge, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledTariff:
    """A tariff ready to rate with."""

    document: TariffDocument
    plans: tuple[CompiledPlan, ...]

    @property
    def code(self) -> str:
        """Return the code of the tariff."""
        return self.document.header.code

    @property
    def currency(self) -> Currency:
        """Return the currency of every amount."""
        return self.document.header.currency

    @property
    def body_sha(self) -> str:
        """Return the hash that names the document."""
        return self.document.body_sha


def compile_tariff(document: TariffDocument) -> CompiledTariff:
    """Return the document with its constant step tables."""
    return CompiledTariff(document=document, plans=tuple(_compile_plan(plan) for plan in document.plans))


def _compile_plan(plan: Plan) -> CompiledPlan:
    return CompiledPlan(plan=plan, charges=tuple(_compile_charge(charge) for charge in plan.charges))


def _compile_charge(charge: Charge) -> CompiledCharge:
    entries = charge.pricing.entries if isinstance(charge.pricing, PriceTable) else {}
    tables = {
        name: make_table(charge.tiers, prices, _no_facts)
        for name, prices in entries.items()
        if is_constant(charge.tiers, prices)
    }
    return CompiledCharge(charge=charge, tables=tables)


def _no_facts(name: str) -> Fraction:
    raise InvariantError(f"a constant table asked for the fact {name}")
