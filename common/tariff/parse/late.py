"""Reading of late charges."""

from __future__ import annotations

from common.tariff.formula import Formula
from common.tariff.late_model import DayCount, GraceKind, LateRule
from common.tariff.parse.section import Section
from common.tariff.parse.vocabulary import Vocabulary

GRACE_DAYS_MAX = 366


def read_late(section: Section, vocabulary: Vocabulary) -> LateRule:
    """Return the rule of a late charge; `counts` names the ends of the span that count as late days."""
    counts = section.word_set("counts", {"due_day": "due_day", "paid_day": "paid_day"})
    rule = LateRule(
        rate=vocabulary.read_formula(section, "rate_per_day"),
        rate_later=_optional(section, "rate_per_day_later_years", vocabulary),
        grace_days=section.integer("grace_days", 0, GRACE_DAYS_MAX, 0),
        grace=section.choice("grace", GraceKind, GraceKind.FORGIVING),
        day_count=section.choice("day_count", DayCount, DayCount.ACTUAL),
        count_due_day="due_day" in counts,
        count_paid_day="paid_day" in counts or "counts" not in section,
        cap_share=_optional(section, "cap_share", vocabulary),
        excluded=frozenset(str(item) for item in section.items("excluded")),
    )
    section.close()
    return rule


def _optional(section: Section, key: str, vocabulary: Vocabulary) -> Formula | None:
    return vocabulary.read_formula(section, key) if key in section else None
