"""The banks' profiles, read once from data and checked: a profile names columns, it holds no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import yaml

from common.errors import ensure

_FIELDS = frozenset({"day", "time", "in", "out", "amount", "sign", "balance", "serial", "name", "account", "memo"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How one bank writes its export."""

    name: str
    title: str
    encodings: tuple[str, ...]
    columns: Mapping[str, str] = field(hash=False)
    dates: tuple[str, ...]
    signs: Mapping[str, int] = field(default_factory=dict, hash=False)
    skip: tuple[str, ...] = ()
    totals: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Check that the profile says how to tell money in from money out."""
        columns = self.columns.keys()
        ensure(columns <= _FIELDS, f"profile {self.name} names known fields")
        ensure({"day", "balance", "memo"} <= columns, f"profile {self.name} has day, balance and memo")
        two, one = {"in", "out"} <= columns, "amount" in columns
        ensure(two != one, f"profile {self.name} has two columns of money, or one with a sign")


@cache
def profiles() -> Mapping[str, Profile]:
    """Return the profiles by name."""
    text = resources.files("cloud.payments.channels.bank").joinpath("profiles.yaml").read_text("utf-8")
    found = [_profile(entry) for entry in yaml.safe_load(text)]
    return {profile.name: profile for profile in found}


def _profile(entry: Mapping[str, Any]) -> Profile:
    return Profile(
        name=entry["name"],
        title=entry["title"],
        encodings=tuple(entry["encodings"]),
        columns=entry["columns"],
        dates=tuple(entry["dates"]),
        signs=entry.get("signs", {}),
        skip=tuple(entry.get("skip", ())),
        totals=entry.get("totals", {}),
    )
