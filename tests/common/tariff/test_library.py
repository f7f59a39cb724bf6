"""The library of ready tariffs: every file reads, matches the published schema, and says its source and date."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from common.errors import FaultsError
from common.tariff.document import parse_tariff
from common.tariff.parse.header import FORMAT
from tests.common.tariff import library
from tests.common.tariff.builders import body

SCHEMA_FOLDER = library.ROOT / "firmware-config" / "schema"
FILES = library.tariff_files()


def faults_by_schema(name: str, files: Sequence[Path]) -> str:
    """Return what the published schema has against some files, nothing when they match."""
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(SCHEMA_FOLDER / f"{name}.schema.json")]
    run = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False)  # noqa: S603 - our own files
    return "" if run.returncode == 0 else run.stdout + run.stderr


def test_every_tariff_and_calendar_matches_its_schema() -> None:
    assert faults_by_schema("tariff", FILES) == ""
    assert faults_by_schema("calendar", sorted((library.LIBRARY / "calendar").glob("*.yaml"))) == ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_of_the_library_reads_and_is_named_by_its_code(path: Path) -> None:
    document = parse_tariff(library.load(path))
    assert document.header.code == f"{path.parent.name}/{path.stem.partition('@')[0]}"
    assert document.header.name.zh != document.header.name.en


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_of_the_library_says_its_source_and_its_date_or_why_none_is_known(path: Path) -> None:
    source = parse_tariff(library.load(path)).header.source
    assert source is not None
    assert source.title
    assert (source.day is not None) != bool(source.undated)


def test_a_source_with_a_date_gives_no_reason_for_having_none(tmp_path: Path) -> None:
    broken = body(
        charges=[{"key": "e", "price": "1"}], source={"title": "a notice", "date": "2024-01-01", "undated": "lost"}
    )
    with pytest.raises(FaultsError, match=r"source.undated: the source has a date too; leave one of the two out"):
        parse_tariff(broken)
    path = tmp_path / "both.json"
    path.write_text(json.dumps(broken), encoding="utf-8")
    assert "both.json" in faults_by_schema("tariff", [path])


def test_revisions_of_one_tariff_differ_by_the_day_they_begin() -> None:
    for code in library.files_by_code():
        days = Counter(revision.document.header.effective_from for revision in library.revisions(code))
        assert max(days.values()) == 1, code


BROKEN = (
    body(charges=[{"key": "e", "price": 0.5}]),
    body(charges=[{"key": "e", "price": "1", "pirce": "2"}]),
    body(charges=[{"key": "e", "price": "1"}], unit="kwh"),
    body(session={"blocks": [{"every": 0, "price": "1"}]}),
    body(charges=[{"key": "e", "price": "1"}], rounding=[{"stage": "total", "to": "1"}]),
)


def test_schema_and_reader_refuse_the_same_broken_structures(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.json" for number in range(len(BROKEN))]
    for path, broken in zip(files, BROKEN, strict=True):
        path.write_text(json.dumps(broken), encoding="utf-8")
        with pytest.raises(FaultsError):
            parse_tariff(broken)
    faults = faults_by_schema("tariff", files)
    assert all(path.name in faults for path in files)


def test_json_text_and_loaded_data_are_the_same_document() -> None:
    path = FILES[0]
    loaded = library.load(path)
    assert parse_tariff(json.dumps(loaded)) == parse_tariff(loaded)
    assert loaded["format"] == FORMAT
