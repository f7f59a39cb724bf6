"""What users read, word for word: every fault, refusal and explanation of the cases of other tests.

`python -m tests.common.told` writes it anew; the change is then read like any other change of text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from common.errors import FaultsError
from common.rating.engine import rate
from common.rating.explain import explain
from common.rating.line import RatedLine
from common.rating.plain import component_to_plain
from common.rating.refusal import RatingRefusedError
from common.rating.request import RatingRequest
from common.rating.usage_document import read_request
from common.tariff.daytype import parse_calendar
from common.tariff.document import parse_tariff
from tests.common.rating.test_refusals import REFUSED
from tests.common.rating.test_usage_document import BROKEN
from tests.common.rating.test_usage_document import faults_of as usage_faults
from tests.common.tariff.builders import JUNE, tariff
from tests.common.tariff.test_daytype import BROKEN as BROKEN_NOTICES
from tests.common.tariff.test_daytype import year_of
from tests.common.tariff.test_faults import DOCUMENTS, SESSIONS, WINDOWED
from tests.common.tariff.test_language import CASES, PLACE
from tests.common.tariff.test_language import JUNE as JUNE_DAYS

TOLD = Path(__file__).with_name("told.json")


def told(kind: str) -> list[Any]:
    """Return what is told now, of one kind."""
    return TELLERS[kind]()


def _faults(source: Any) -> list[str]:
    try:
        parse_tariff(source)
    except FaultsError as error:
        return [str(fault) for fault in error.faults]
    return []


def _calendar_faults(sources: list[dict[str, object]]) -> list[str]:
    try:
        parse_calendar("cn", sources)
    except FaultsError as error:
        return [str(error), *(str(fault) for fault in error.faults)]
    return []


def _refusal(fields: Mapping[str, Any], request: Mapping[str, Any]) -> list[str]:
    try:
        rate(tariff(**fields), RatingRequest(**{"period": JUNE, **request}))
    except RatingRefusedError as error:
        return [str(error), error.detail_zh, error.detail_en]
    return []


def _explained(fields: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
    compiled = tariff(**fields)
    period = {} if "visits" in source or "period" in source else {"period": JUNE_DAYS}
    line: RatedLine = rate(compiled, read_request({**period, **source}, compiled.document, PLACE))
    components = [component_to_plain(component) for component in line.components]
    trace = [{name: value for name, value in one.items() if value and name != "label"} for one in components]
    return {"zh": explain(line, "zh"), "en": explain(line, "en"), "trace": trace}


TELLERS: dict[str, Callable[[], list[Any]]] = {
    "faults": lambda: [_faults(source) for source, _ in (*DOCUMENTS, *WINDOWED, *SESSIONS)],
    "calendars": lambda: (
        [_calendar_faults([year_of(**fields)]) for fields, _ in BROKEN_NOTICES]
        + [_calendar_faults([year_of(), year_of()])]
    ),
    "requests": lambda: [usage_faults(source) for source in BROKEN],
    "refusals": lambda: [_refusal(fields, request) for fields, request, _, _ in REFUSED],
    "explanations": lambda: [_explained(case.tariff, source) for case in CASES for source, _ in case.priced],
}


if __name__ == "__main__":
    everything = {kind: told(kind) for kind in TELLERS}
    TOLD.write_text(json.dumps(everything, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
