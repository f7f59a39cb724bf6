"""Text to data with lines: what is wrong is told as faults with lines, and nothing grows without end."""

from __future__ import annotations

import pytest

from cloud.tariffs.text import CHARACTERS_MAX, VALUES_MAX, TextFaultsError, load_text
from common.errors import Fault, FaultsError


def test_a_fault_is_told_at_its_line_or_at_the_nearest_line_above() -> None:
    loaded = load_text("a: 1\nb:\n  c:\n    - {d: 2}\n    - {d: 3}\n", "usage")
    assert loaded.data == {"a": 1, "b": {"c": [{"d": 2}, {"d": 3}]}}
    assert [loaded.line_of(where) for where in ("a", "b.c[1].d", "b.c[1].e", "b.x", "elsewhere")] == [1, 5, 5, 2, 1]
    faults = [Fault(where=where, what="wrong", remedy="mend it") for where in ("b.c[0]", "a")]
    placed = loaded.placed(FaultsError("anything", faults))
    assert placed.told() == ["usage:1: a: wrong; mend it", "usage:4: b.c[0]: wrong; mend it"]
    assert str(placed.line_faults[0]) == "line 1: a: wrong; mend it"


def test_json_is_read_like_yaml() -> None:
    assert load_text('{"a": [1, {"b": "2"}]}', "tariff").data == {"a": [1, {"b": "2"}]}


BOMB = "\n".join(
    [
        "a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]",
        *(f"a{n}: &a{n} [{', '.join(['*a' + str(n - 1)] * 10)}]" for n in range(1, 9)),
    ]
)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("- 1\n", 1, "holds no fields"),
        ("", 1, "holds no fields"),
        ("a: 1\nb: [1", 2, "it is not YAML"),
        ("a: 1\nb: 2\na: 3\n", 3, "the field stands twice, on lines 1 and 3"),
        ("[" * 60 + "]" * 60, 1, "nests deeper than 40"),
        ("[" * 100_000, 1, "nests deeper than 40"),
        ("a: " + "x" * CHARACTERS_MAX, 1, "larger than"),
        ("a: 1\nb: !!python/object/apply:os.system ['true']\n", 2, "it is not YAML"),
        ("a: \x00", 1, "it is not YAML"),
        ("a: 1\n? [a]\n: 2\n", 2, "it is not YAML"),
        ("a: 1\nperiod: [2026-06-31, 2026-07-01]\n", 2, "it cannot be read: day is out of range"),
        ("a: " + "1" * 5_000, 1, "it cannot be read"),
        ("a: 1\n---\nb: 2\n", 2, "it is not YAML"),
        ("a: &a [*a]\n", 1, "nests deeper than 40"),
        (BOMB, 1, f"unfolds to more than {VALUES_MAX} values"),
    ],
)
def test_a_text_that_is_no_document_is_refused_with_the_line(text: str, line: int, message: str) -> None:
    with pytest.raises(TextFaultsError) as refused:
        load_text(text, "tariff")
    (fault,) = refused.value.line_faults
    assert message in fault.what
    assert fault.remedy
    assert fault.line == line
