"""The import rules hold, and the gate that checks them can still fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"
PRIVATE = ("tables", "repository")
PURE = ("rules", "postings", "accounts", "matching", "policy", "columns")
IMPURE = ("sqlalchemy", "fastapi", "httpx", "cloud.kit")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("common", "edge", "cloud", include_external_packages=True, cache_dir=None)


def private_imports(graph: grimp.ImportGraph) -> list[str]:
    """Return every import of a domain's tables or repository from outside that domain.

    `cloud.kit.tables` is no domain's: it is what every domain builds its tables with. The migrations see all tables by
    their nature and import them by name at run time.
    """
    found = []
    for module in graph.modules:
        parts = module.split(".")
        if len(parts) != 3 or parts[0] != "cloud" or parts[1] == "kit" or parts[2] not in PRIVATE:
            continue
        home = f"{parts[0]}.{parts[1]}"
        found += [
            f"{importer} imports {module}"
            for importer in graph.find_modules_that_directly_import(module)
            if importer != home and not importer.startswith(f"{home}.")
        ]
    return sorted(found)


def impure_decisions(graph: grimp.ImportGraph) -> list[str]:
    """Return every pure decision module that reaches a database or a framework."""
    found = []
    for module in graph.modules:
        parts = module.split(".")
        if parts[0] != "cloud" or parts[-1] not in PURE:
            continue
        upstream = graph.find_upstream_modules(module)
        found += [
            f"{module} reaches {bad}"
            for bad in IMPURE
            if any(name == bad or name.startswith(f"{bad}.") for name in upstream)
        ]
    return sorted(found)


def test_a_domains_tables_and_repository_are_private_to_it(graph: grimp.ImportGraph) -> None:
    assert private_imports(graph) == []


def test_pure_decision_modules_see_no_database(graph: grimp.ImportGraph) -> None:
    assert impure_decisions(graph) == []


def test_a_planted_reach_into_anothers_repository_is_found() -> None:
    graph = grimp.ImportGraph()
    graph.add_import(importer="cloud.web.pages", imported="cloud.billing.repository")
    assert private_imports(graph) == ["cloud.web.pages imports cloud.billing.repository"]


def test_a_planted_database_in_a_rules_module_is_found() -> None:
    graph = grimp.ImportGraph()
    graph.add_import(importer="cloud.billing.rules", imported="cloud.billing.helper")
    graph.add_import(importer="cloud.billing.helper", imported="sqlalchemy")
    assert impure_decisions(graph) == ["cloud.billing.rules reaches sqlalchemy"]


@pytest.mark.timeout(120)
def test_the_import_contracts_hold() -> None:
    run = subprocess.run([LINT_IMPORTS, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own tool
    assert run.returncode == 0, run.stdout
