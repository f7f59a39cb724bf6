"""Nothing stands alone: a module has its test, a device model its recording, a data file something that reads it."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Mapping
from pathlib import Path

import yaml

from tests.architecture.tracked import FILES, PRODUCT, ROOT

# Rows, shapes and words without decisions, and the queries behind a service: the domain's own tests go through them.
DECLARED = {"tables", "schemas", "errors", "events", "kinds", "values", "repository"}
STARTERS = {"__init__", "__main__"}
# Modules without a test file of their own name, as of the day the rule came. Lines may be taken away, never added.
RATCHET = Path(__file__).parent / "without_own_test.txt"
# Folders whose files are found by walking, and the test that walks each.
WALKED = {
    "firmware-config/profiles/*/*.yaml": "tests/edge/device/test_profiles.py",
    "firmware-config/tariffs/*/*.yaml": "tests/common/tariff/test_library.py",
    "firmware-config/schema/*.schema.json": "tests/common/tariff/test_library.py",
}
TEXT = {".py", ".md", ".yaml", ".toml", ".sh"}


def without_own_test(modules: Collection[Path], tests: Collection[Path]) -> set[str]:
    """Return the modules that need a test file at the mirrored place and have none."""
    known = set(tests)
    return {
        str(module)
        for module in modules
        if module.stem not in DECLARED | STARTERS
        and "versions" not in module.parts
        and Path("tests", *module.parts[:-1], f"test_{module.name}") not in known
    }


def unreferenced(files: Collection[Path], texts: Mapping[Path, str]) -> list[str]:
    """Return the files that no test walks and no other text names, by name without revision."""
    return [
        str(path)
        for path in files
        if not any(fnmatch.fnmatch(str(path), pattern) for pattern in WALKED)
        and not any(path.stem.partition("@")[0] in text for other, text in texts.items() if other != path)
    ]


def test_a_new_module_comes_with_a_test_of_its_own_name() -> None:
    tolerated = set(RATCHET.read_text(encoding="utf-8").split())
    assert without_own_test(PRODUCT, FILES) - tolerated == set()


def test_the_list_of_modules_without_own_test_only_shrinks() -> None:
    tolerated = RATCHET.read_text(encoding="utf-8").split()
    assert tolerated == sorted(set(tolerated))
    mended = set(tolerated) - without_own_test(PRODUCT, FILES)
    assert mended == set(), "these have a test now, or are gone: take their lines away"


def test_every_device_model_has_a_recording() -> None:
    profiles = [path for path in FILES if fnmatch.fnmatch(str(path), "firmware-config/profiles/*/*.yaml")]
    assert profiles
    documents = {str(path): yaml.safe_load((ROOT / path).read_text(encoding="utf-8")) for path in profiles}
    assert [name for name, document in documents.items() if not document.get("recordings")] == []


def test_every_data_file_is_walked_by_a_test_or_named_somewhere() -> None:
    assert [test for test in WALKED.values() if Path(test) not in FILES] == []
    data = [path for path in FILES if path.parts[0] == "firmware-config"]
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in FILES if path.suffix in TEXT}
    assert unreferenced(data, texts) == []


def test_these_rules_can_fail() -> None:
    lonely, tested = Path("edge/gate/lonely.py"), Path("edge/gate/tested.py")
    tests = [Path("tests/edge/gate/test_tested.py"), Path("tests/edge/test_lonely.py")]
    assert without_own_test([lonely, tested, Path("edge/gate/errors.py")], tests) == {"edge/gate/lonely.py"}
    files = [Path("firmware-config/sites/old/site-b.yaml"), Path("firmware-config/profiles/water/a.yaml")]
    assert unreferenced(files, {files[0]: "site-b"}) == ["firmware-config/sites/old/site-b.yaml"]
    assert unreferenced(files, {Path("README.md"): "see site-b"}) == []
