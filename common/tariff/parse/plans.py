"""Reading of plans: one at the top of the document, or several cases of which the first that holds is used."""

from __future__ import annotations

from common.tariff.model import Condition, Words
from common.tariff.parse.charges import read_charge, read_tiers
from common.tariff.parse.late import read_late
from common.tariff.parse.section import Section
from common.tariff.parse.session import read_session
from common.tariff.parse.vocabulary import Vocabulary
from common.tariff.parse.words import read_words
from common.tariff.plan import Plan, Rule, ShareRule

CHARGES_MAX = 40
_RULE_FIELDS = ("charges", "session", "late_charge")


def read_plans(root: Section, vocabulary: Vocabulary) -> tuple[Plan, ...]:
    """Return the plans of the document, at least one."""
    if "cases" not in root:
        plan = Plan(key="", label=Words(zh="", en=""), condition=Condition(), rule=_read_rule(root, vocabulary))
        return (plan,)
    sections = root.sections("cases")
    plans = tuple(_read_case(section, vocabulary) for section in sections)
    if not plans:
        root.fault("cases", "there is no case", "write at least one")
    for index, plan in enumerate(plans[:-1]):
        if plan.condition.always and not root.raw("cheapest_plan"):
            sections[index].fault("when", "it always holds, so later cases are never used", "move the case to the end")
    for field in _RULE_FIELDS:
        if field in root:
            root.fault(field, "cases and a rule of their own stand side by side", "move it into a case")
    return plans


def _read_case(section: Section, vocabulary: Vocabulary) -> Plan:
    key = section.text("key")
    plan = Plan(
        key=key,
        label=read_words(section, "label", key),
        condition=vocabulary.read_condition(section),
        rule=_read_rule(section, vocabulary),
    )
    section.close()
    return plan


def _read_rule(section: Section, vocabulary: Vocabulary) -> Rule:
    written = [field for field in _RULE_FIELDS if field in section]
    if len(written) != 1:
        section.fault("charges", "a plan has charges, a session or a late_charge", "write exactly one of them")
    if "session" in section:
        return read_session(section.section("session"))
    if "late_charge" in section:
        return read_late(section.section("late_charge"), vocabulary)
    tiers = read_tiers(section, vocabulary)
    entries = section.sections("charges")
    if len(entries) > CHARGES_MAX:
        section.fault("charges", f"{len(entries)} charges are too many", f"use at most {CHARGES_MAX}")
        entries = entries[:CHARGES_MAX]
    charges = tuple(read_charge(entry, vocabulary, tiers) for entry in entries)
    keys = [charge.key for charge in charges]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            entries[index].fault("key", f"{key!r} stands twice", "give each charge a key of its own")
    return charges


def read_share(root: Section, vocabulary: Vocabulary) -> ShareRule | None:
    """Return how the priced pool is split, None when the tariff is not shared."""
    if "share" not in root:
        return None
    section = root.section("share")
    rule = ShareRule(
        weight=vocabulary.read_formula(section, "weight"),
        condition=vocabulary.read_condition(section),
        label=read_words(section, "label", "share"),
    )
    section.close()
    return rule
