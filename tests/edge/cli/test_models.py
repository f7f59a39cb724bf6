"""`gatehouse edge models`: every model, what it stands on, and an honest count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.cli.main import main
from edge.cli.models import models_table, strongest_mark
from edge.device.model import Mark, Profile
from tests.edge.driver.builders import catalogue


def with_marks(profile: Profile, *marks: Mark) -> Profile:
    shown = next(recording for recording in profile.recordings if recording.values)
    return replace(profile, recordings=tuple(replace(shown, mark=mark) for mark in marks))


def test_a_model_stands_on_the_best_of_its_recordings() -> None:
    profile = catalogue().profile("eastron-sdm120")

    assert strongest_mark(with_marks(profile, Mark.DERIVED, Mark.TEST_SUITE)) is Mark.TEST_SUITE
    assert strongest_mark(with_marks(profile, Mark.DOCUMENTED, Mark.CAPTURED)) is Mark.CAPTURED
    assert strongest_mark(with_marks(profile, Mark.DERIVED)) is Mark.DERIVED


def test_a_captured_refusal_proves_no_value() -> None:
    profile = catalogue().profile("eastron-sdm120")
    refusal = next(recording for recording in profile.recordings if recording.failure)

    assert strongest_mark(replace(profile, recordings=(replace(refusal, mark=Mark.CAPTURED),))) is Mark.DERIVED


def test_derived_models_are_listed_and_not_counted() -> None:
    one = catalogue().profile("eastron-sdm120")
    proven, derived = with_marks(one, Mark.CAPTURED), replace(with_marks(one, Mark.DERIVED), model="made-up")

    table = models_table([proven, derived])

    assert "made-up" in table
    assert "2 models, 2 of them meters: 1 stand on frames" in table
    assert ", 1 on frames made from their register list" in table


def test_the_command_lists_every_model_on_board(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--home", str(tmp_path)]) == 0

    listed = capsys.readouterr().out
    assert all(model in listed for model in catalogue().profiles)
