"""Every word of `gatehouse cloud` is found in its module, and no word loads what it does not use."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from cloud.cli.main import MODULES, main


def loaded_by(module: str) -> set[str]:
    program = f"import sys, {module}; print(' '.join(name.split('.')[0] for name in sys.modules))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return set(run.stdout.split())


def test_each_word_stands_in_its_module_and_each_command_has_a_word() -> None:
    told = {module: import_module(f"cloud.cli.{module}").COMMANDS for module in set(MODULES.values())}
    assert {word: module for module, commands in told.items() for word in commands} == MODULES


@pytest.mark.parametrize(
    ("module", "unused"),
    [
        ("cloud.cli.main", {"sqlalchemy", "fastapi", "pydantic", "alembic", "numpy"}),
        ("cloud.cli.homes", {"fastapi", "pydantic", "alembic", "numpy", "uvicorn"}),
        ("cloud.cli.people", {"fastapi", "alembic", "uvicorn", "jinja2"}),
        ("cloud.cli.working", {"fastapi", "alembic", "uvicorn", "jinja2"}),
        ("cloud.cli.serving", {"alembic"}),
    ],
)
def test_a_word_loads_no_package_it_does_not_use(module: str, unused: set[str]) -> None:
    assert loaded_by(module) & unused == set()


def test_help_lists_every_word(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    told = capsys.readouterr().out
    assert [word for word in MODULES if word not in told] == []


def test_an_unknown_word_is_not_understood(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["fly"])
    assert left.value.code == 2
    assert "site-load" in capsys.readouterr().err
