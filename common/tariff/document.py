"""Reading a tariff document into its model, all faults in one answer.

The document is plain data (YAML or JSON already loaded, decimals as text). Nothing is priced and nothing looked up
here; a document that reads without a fault compiles without one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from common.errors import Fault, FaultsError, RefusalError
from common.tariff.canonical import Json, canonical_sha, to_plain
from common.tariff.formula import Formula
from common.tariff.model import (
    Accumulation,
    Adjustment,
    Fact,
    Header,
    Proration,
    RoundingStep,
    Trait,
    WholeUnits,
    Window,
)
from common.tariff.parse.adjustments import read_adjustments, read_rounding
from common.tariff.parse.header import (
    read_accumulation,
    read_facts,
    read_header,
    read_traits,
    read_values,
    read_whole_units,
)
from common.tariff.parse.plans import read_plans, read_share
from common.tariff.parse.section import Section
from common.tariff.parse.vocabulary import Vocabulary
from common.tariff.parse.windows import read_windows
from common.tariff.plan import Plan, ShareRule


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffDocument:
    """A tariff as read: its model, and the plain body whose hash names this revision."""

    header: Header
    facts: Mapping[str, Fact]
    traits: Mapping[str, Trait]
    values: Mapping[str, Formula]
    windows: tuple[Window, ...]
    accumulation: Accumulation
    whole_units: WholeUnits | None
    free_allowance: Formula | None
    proration: Proration
    cheapest: bool
    plans: tuple[Plan, ...]
    share: ShareRule | None
    adjustments: tuple[Adjustment, ...]
    rounding: tuple[RoundingStep, ...]
    body: Json
    body_sha: str


def parse_tariff(source: str | Mapping[str, object]) -> TariffDocument:
    """Return the tariff that a document (JSON text or loaded data) says.

    Raises:
        FaultsError: the document has faults; all of them are listed.
    """
    faults: list[Fault] = []
    loaded = _load(source) if isinstance(source, str) else source
    root = Section(loaded, "", faults)
    document = _read(root, faults)
    if document is None:
        code = root.content.get("code")
        raise FaultsError(f"tariff {code}" if code else "tariff", faults)
    return document


def _load(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        fault = Fault(where="document", what=f"it is not JSON: {error}", remedy="mend the text, or load YAML before")
        raise FaultsError("tariff", [fault]) from error


def _read(root: Section, faults: list[Fault]) -> TariffDocument | None:
    header = read_header(root)
    facts, traits, windows = read_facts(root), read_traits(root), read_windows(root)
    vocabulary = Vocabulary(facts, traits, windows)
    values = read_values(root, vocabulary)
    plans = read_plans(root, vocabulary)
    adjustments = read_adjustments(root, vocabulary, frozenset().union(*(plan.charge_keys for plan in plans)))
    free_allowance = vocabulary.read_formula(root, "free_allowance") if "free_allowance" in root else None
    accumulation, whole_units, share = read_accumulation(root), read_whole_units(root), read_share(root, vocabulary)
    rounding = read_rounding(root, header.currency)
    proration = root.choice("proration", Proration, Proration.ACTUAL_DAYS)
    cheapest = root.flag("cheapest_plan", default=False)
    root.close()
    body = _plain_body(root, faults)
    if faults:
        return None
    return TariffDocument(
        header=header,
        facts=facts,
        traits=vocabulary.traits,
        values=values,
        windows=windows,
        accumulation=accumulation,
        whole_units=whole_units,
        free_allowance=free_allowance,
        proration=proration,
        cheapest=cheapest,
        plans=plans,
        share=share,
        adjustments=adjustments,
        rounding=rounding,
        body=body,
        body_sha=canonical_sha(body),
    )


def _plain_body(root: Section, faults: list[Fault]) -> Json:
    try:
        return to_plain(root.content)
    except RefusalError as error:
        if not faults:
            faults.append(Fault(where="document", what=str(error), remedy="write the value as text"))
        return None
