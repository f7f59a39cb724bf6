"""All device models of a folder, read once at start; a broken file is refused with every fault it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from common.errors import Fault, FaultsError, RefusalError
from edge.device.check import check_profile
from edge.device.model import Profile

PROFILE_BYTES_MOST = 200_000
BLUEPRINT = "_blueprint.yaml"
# The loader in C is eight times faster; PyYAML builds without it where libyaml is missing.
_SAFE = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The device models known to this gateway, by model name."""

    profiles: Mapping[str, Profile]

    def profile(self, model: str) -> Profile:
        """Return the profile of a model.

        Raises:
            RefusalError: no profile has that name.
        """
        if model not in self.profiles:
            raise RefusalError(f"no device model is called {model!r}; known are {', '.join(sorted(self.profiles))}")
        return self.profiles[model]


def load_profile(path: Path) -> Profile:
    """Return the checked profile of one file.

    Raises:
        FaultsError: the file is no profile; all faults are listed.
    """
    try:
        if path.stat().st_size > PROFILE_BYTES_MOST:
            raise _unreadable(path, f"is larger than {PROFILE_BYTES_MOST} bytes", "a profile is a page of text")
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_SAFE)  # noqa: S506 - one of the two safe loaders
    except (OSError, UnicodeDecodeError) as problem:
        raise _unreadable(path, str(problem), "check the file and its permissions") from problem
    except yaml.YAMLError as problem:
        raise _unreadable(path, " ".join(str(problem).split()), "mend the YAML at that line") from problem
    return check_profile(document, str(path))


def load_catalogue(folder: Path) -> Catalogue:
    """Return every profile below the folder, the blueprint excepted.

    Raises:
        FaultsError: a file is no profile, or two files describe one model; the faults of all files are listed.
    """
    profiles: dict[str, Profile] = {}
    faults: list[Fault] = []
    for path in sorted(folder.rglob("*.yaml")):
        if path.name == BLUEPRINT:
            continue
        try:
            profile = load_profile(path)
        except FaultsError as problem:
            faults += [Fault(where=f"{path.name}: {f.where}", what=f.what, remedy=f.remedy) for f in problem.faults]
            continue
        if profile.model in profiles:
            faults.append(
                Fault(where=f"{path.name}: model", what=f"{profile.model!r} stands twice", remedy="rename one of them")
            )
        profiles[profile.model] = profile
    if faults:
        raise FaultsError(str(folder), faults)
    return Catalogue(profiles)


def _unreadable(path: Path, what: str, remedy: str) -> FaultsError:
    return FaultsError(str(path), [Fault(where=path.name, what=what, remedy=remedy)])
