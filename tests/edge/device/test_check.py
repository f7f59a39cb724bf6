"""A broken profile is refused with every fault it has, each naming key and remedy; the blueprint is sound."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from common.errors import FaultsError, RefusalError
from edge.device.catalogue import load_catalogue, load_profile
from edge.device.check import check_profile
from edge.device.model import RegisterPlace
from tests.edge.driver.builders import PROFILES, catalogue

BLUEPRINT = PROFILES / "_blueprint.yaml"
Document = dict[str, Any]


def document() -> Document:
    loaded: Document = yaml.safe_load(BLUEPRINT.read_text(encoding="utf-8"))
    return copy.deepcopy(loaded)


def faults_of(broken: object) -> list[str]:
    with pytest.raises(FaultsError) as refusal:
        check_profile(broken, "broken.yaml")
    return [str(fault) for fault in refusal.value.faults]


def test_the_blueprint_is_a_sound_profile() -> None:
    profile = load_profile(BLUEPRINT)

    assert profile.point("energy_forward").place == RegisterPlace(function=3, register=0x000A)
    assert profile.parameters["ct"].default == "1"


BREAKS: dict[str, tuple[Callable[[Document], object], str, str]] = {
    "a key left out": (lambda d: d.pop("timing"), "timing", "is missing"),
    "a misspelt key": (lambda d: d.update(timings={}), "timings", "is not a key"),
    "an unknown protocol": (lambda d: d.update(protocol="profibus"), "protocol", "is not known"),
    "a model name in capitals": (lambda d: d.update(model="SDM120"), "model", "is not a text of the form"),
    "a bare number for a scale": (lambda d: d["points"][0].update(scale=0.01), "points[0].scale", "is not a text"),
    "a scale of nothing": (lambda d: d["points"][0].update(scale="0"), "points[0].scale", "is not above zero"),
    "an unknown type": (lambda d: d["points"][0].update(type="u24"), "points[0].type", "is not known"),
    "an unknown word order": (lambda d: d["points"][0].update(order="swap"), "points[0].order", "is not known"),
    "a unit of another quantity": (lambda d: d["points"][0].update(unit="m3"), "points[0].unit", "is not known"),
    "a register beyond the map": (
        lambda d: d["points"][0].update(register=0x4000),
        "points[0].register",
        "lies in no readable range",
    ),
    "a register half inside the range": (
        lambda d: d["points"][0].update(register=0x0017),
        "points[0].register",
        "lies in no readable range",
    ),
    "a register that is no address": (
        lambda d: d["points"][0].update(register=70000),
        "points[0].register",
        "is not a whole number",
    ),
    "true for a number": (lambda d: d.update(revision=True), "revision", "is not a whole number"),
    "a range that ends before it starts": (
        lambda d: d["ranges"][0].update(first=9, last=3),
        "ranges[0].last",
        "lies before first",
    ),
    "an instant value that is billed": (
        lambda d: d["points"][1].update(billing=True),
        "points[1].billing",
        "cannot be billed",
    ),
    "two points of one name": (lambda d: d["points"][1].update(id="energy_forward"), "points[1].id", "stands twice"),
    "a factor nobody declared": (
        lambda d: d["points"][0].update(multiply_by=["pt"]),
        "points[0].multiply_by",
        "is no parameter",
    ),
    "a longest time below the time-out": (
        lambda d: d["timing"].update(longest_ms=10),
        "timing.longest_ms",
        "is shorter",
    ),
    "a recording of nothing": (
        lambda d: d["recordings"][0].pop("values"),
        "recordings[0].values",
        "either values or a failure",
    ),
    "a recording of an unknown point": (
        lambda d: d["recordings"][0].update(values={"heat": "1"}),
        "recordings[0].values.heat",
        "names no point",
    ),
    "a recording that is not hexadecimal": (
        lambda d: d["recordings"][0].update(response="01 03"),
        "recordings[0].response",
        "is not a text of the form",
    ),
    "a quality word of one's own": (
        lambda d: d["quality"].update(error_answers="maybe"),
        "quality.error_answers",
        "is not a text of the form",
    ),
    "points that are no list": (lambda d: d.update(points={}), "points", "is not a list"),
    "a meter without points": (lambda d: d.update(points=[]), "points", "is empty"),
    "a camera without topics": (lambda d: d.update(resource="parking"), "gate", "is missing"),
    "products that are numbers": (lambda d: d.update(products=[1]), "products", "is not a list of texts"),
    "a flag in words": (lambda d: d["points"][0].update(billing="yes"), "points[0].billing", "neither true nor false"),
    "an identifier the items lack": (
        lambda d: d.update(protocol="cjt188", items=[], points=[_volume()], recordings=[]),
        "points[0].identifier",
        "does not hold the point",
    ),
}


def _volume() -> Document:
    return {
        "id": "volume",
        "quantity": "volume",
        "identifier": "901f",
        "type": "bcd_low_first",
        "bytes": 4,
        "unit": "m3",
        "kind": "cumulative",
    }


@pytest.mark.parametrize("name", BREAKS)
def test_a_fault_names_its_key_and_its_remedy(name: str) -> None:
    break_it, where, what = BREAKS[name]
    broken = document()
    break_it(broken)

    matching = [fault for fault in faults_of(broken) if fault.startswith(f"{where}: ") and what in fault]

    assert matching, faults_of(broken)
    assert all("; " in fault for fault in matching)


def test_all_faults_are_told_at_once() -> None:
    broken = document()
    broken.update(revision=0, vendor=7)
    broken["points"][0].update(scale="x", type="u24")

    assert len(faults_of(broken)) >= 4


@pytest.mark.parametrize("broken", [None, [], "text", 7, {1: 2}])
def test_a_document_that_is_no_map_is_refused(broken: object) -> None:
    assert any("is not a map" in fault for fault in faults_of(broken))


@pytest.mark.parametrize(
    ("what", "content", "expected"),
    [
        ("broken YAML", b"model: [", "mend the YAML"),
        ("a YAML bomb of a Python object", b"!!python/object:os.system {}", "mend the YAML"),
        ("no UTF-8", b"\xff\xfe", "check the file"),
        ("far too large", b"#" * 300_000, "larger than"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(
    tmp_path: Path, what: str, content: bytes, expected: str
) -> None:
    path = tmp_path / "odd.yaml"
    path.write_bytes(content)

    with pytest.raises(FaultsError, match=r"odd\.yaml") as refusal:
        load_profile(path)
    assert expected in str(refusal.value), what


def test_a_folder_tells_the_faults_of_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text("model: [", encoding="utf-8")
    (tmp_path / "second.yaml").write_text("vendor: 7", encoding="utf-8")
    for name in ("third.yaml", "fourth.yaml"):
        (tmp_path / name).write_text(BLUEPRINT.read_text(encoding="utf-8"), encoding="utf-8")

    with pytest.raises(FaultsError) as refusal:
        load_catalogue(tmp_path)

    assert {"first.yaml", "second.yaml", "third.yaml"} <= {fault.where.split(":")[0] for fault in refusal.value.faults}
    assert "stands twice" in str(refusal.value)


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RefusalError, match="eastron-sdm120"):
        catalogue().profile("eastron-sdm999")
