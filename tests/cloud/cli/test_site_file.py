"""A site file is refused with all its faults at once, and templates become the premises people know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cloud.cli.site_file import Community, expand, read_site
from cloud.estate.kinds import PremisesKind
from common.errors import FaultsError, RefusalError

DEMO = Path(__file__).resolve().parents[3] / "firmware-config" / "sites" / "demo" / "site.yaml"


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    del loaded["demo_wires"]
    return loaded


def written(folder: Path, site: dict[str, Any]) -> Path:
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    return path


def test_the_demo_site_reads_and_has_120_premises(tmp_path: Path) -> None:
    site = read_site(written(tmp_path, document()))
    premises = [place for company in site.companies for one in company.communities for place in expand(one)]
    assert len(premises) == 120
    assert len({(place.community, place.label) for place in premises}) == 120


def test_a_building_template_becomes_flats_by_unit_floor_and_door() -> None:
    community = Community.model_validate(
        {
            "code": "east",
            "name": {"zh": "东苑", "en": "East"},
            "zone": "Asia/Shanghai",
            "gateway": "g1",
            "buildings": [{"code": "1", "units": 2, "floors": 2, "doors": [{"door": "01", "area": "88.53"}]}],
            "spaces": {"building": "P", "count": 1},
        }
    )
    places = expand(community)
    assert [place.label for place in places] == ["1-1-101", "1-1-201", "1-2-101", "1-2-201", "P-01"]
    assert places[0].area_milli == 88_530
    assert places[-1].kind is PremisesKind.SPACE
    assert places[-1].area_milli is None


def test_every_fault_of_a_file_is_listed_at_once(tmp_path: Path) -> None:
    site = document()
    site["starts"] = "soon"
    site["companies"][0]["communities"][0]["buildings"][0]["floors"] = 0
    site["charges"]["water"]["nature"] = "gift"
    site["surprise"] = 1
    with pytest.raises(FaultsError) as refused:
        read_site(written(tmp_path, site))
    places = {fault.where for fault in refused.value.faults}
    assert {"starts", "companies.0.communities.0.buildings.0.floors", "charges.water.nature", "surprise"} <= places


def test_names_that_point_at_nothing_are_listed(tmp_path: Path) -> None:
    site = document()
    site["companies"][0]["communities"][0]["gateway"] = "g9"
    site["meters"] = [
        {
            "serial": "E1",
            "community": "cuihu-garden",
            "premises": "9-9-901",
            "resource": "electricity",
            "wire": "nowhere",
            "profile": "chint-ddsu666",
            "address": "1",
        }
    ]
    site["users"] = [
        {"login": "zhang", "company": "cuihu", "role": "resident", "community": "cuihu-garden", "premises": "1-1-101"}
    ]
    with pytest.raises(FaultsError) as refused:
        read_site(written(tmp_path, site))
    assert {fault.where for fault in refused.value.faults} == {
        "communities.cuihu-garden.gateway",
        "meters.E1.wire",
        "meters.E1.premises",
        "users.zhang",
    }


@pytest.mark.parametrize("text", ["{", "\x00", "- just\n- a list"])
def test_a_file_that_is_no_site_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RefusalError):
        read_site(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RefusalError, match=r"nothing\.yaml"):
        read_site(tmp_path / "nothing.yaml")
