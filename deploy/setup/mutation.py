"""Change the pure core one place at a time; the tests must notice. Each package is judged by its score.

mutmut makes the changes (every function of a module beside all its mutants, one chosen by name while it runs); this
script judges them. It collects the tests once, learns in one pass which tests reach which function and how long each
takes, and then forks once a mutant: the tests that reach the changed function run until the first that fails, those
that noticed a neighbour before the others, short ones before long ones. Some of them at first; what survives those is
judged by all. A child whose test takes many times what it took before is stopped, which counts as noticed.

Verdicts are kept under `mutants/` in mutmut's own form; a later run judges what is new, what changed and what survived.
Packages, modules or functions as arguments (`money`, `rating.stay`, `money.words._four`) narrow the run.
Survivors are printed as `tests/common/mutation-survivors.md` lists them; one without a reason there fails the run.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from mutant_names import changes, is_asked, place_of
from mutmut.__main__ import create_mutants
from mutmut.configuration import config
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state
from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir, setup_source_paths, walk_mutatable_files
from mutmut.utils.format_utils import mangled_name_from_mutant_name

SCORE_MIN_PERCENT = 95
SURVIVED, KILLED, NO_TESTS = 0, 1, 33
NEW: frozenset[int | None] = frozenset({None})
LEFT: frozenset[int | None] = frozenset({SURVIVED, NO_TESTS})
CPU_SECONDS_MIN, CPU_TIMES_MAX = 2, 10
NEIGHBOURS_MAX = 12
TESTS_FIRST = 120
EVERYWHERE = ""
UNEXPLAINED = "no reason:"

Times = dict[str, float]
Reached = dict[str, list[str]]


def main(names: list[str]) -> int:
    """Make the mutants, judge them, print the score of each package; return 1 when one is below the least score."""
    set_mutant_under_test("mutant_generation")
    Path("mutants").mkdir(exist_ok=True)
    copy_src_dir()
    copy_also_copy_files()
    setup_source_paths()
    create_mutants(1)
    judge = Judge(names)
    set_mutant_under_test("")
    arguments = ["-q", "--rootdir=mutants", "--tb=no", "--assert=plain", "-p", "no:randomly", "-p", "no:cacheprovider"]
    selection = [f"mutants/{path}" for path in config().pytest_add_cli_args_test_selection]
    code = pytest.main([*arguments, *config().pytest_add_cli_args, *selection], plugins=[judge])
    return int(code) or report(judge.modules, names)


class Judge:
    """A pytest plugin that runs the collected tests once a mutant instead of once."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.modules: list[SourceFileMutationData] = []
        for path in walk_mutatable_files():
            module = SourceFileMutationData(path=path)
            module.load()
            self.modules.append(module)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Learn which test reaches which function, then judge every mutant that is asked for."""
        items = {item.nodeid: item for item in session.items}
        times, reached = learned(session.items)
        noticing: dict[str, list[str]] = defaultdict(list)
        gc.collect()
        gc.freeze()
        for judged, most in ((NEW, TESTS_FIRST), (LEFT, None)):
            for module, name in list(self._asked(judged)):
                function = mangled_name_from_mutant_name(name)
                reaching = set(reached.get(function, ()))
                near = (*noticing[function], *noticing[str(module.path)], *noticing[EVERYWHERE])
                first = dict.fromkeys(test for test in near if test in reaching)
                others = sorted(reaching - first.keys(), key=_by_distance(module, times))[:most]
                started = time.perf_counter()
                code, noticed_by = verdict(name, [items[test] for test in [*first, *others]], times)
                module.exit_code_by_key[name] = code
                module.durations_by_key[name] = time.perf_counter() - started
                module.save()
                for key in (function, str(module.path), EVERYWHERE) if noticed_by else ():
                    known = noticing[key]
                    known[:] = [str(noticed_by), *(test for test in known if test != noticed_by)][:NEIGHBOURS_MAX]
        return True

    def _asked(self, judged: frozenset[int | None]) -> Iterator[tuple[SourceFileMutationData, str]]:
        """Yield the mutants with one of some verdicts."""
        for module in self.modules:
            for name, code in module.exit_code_by_key.items():
                if code in judged and is_asked(name, self.names):
                    yield module, name


def _by_distance(module: SourceFileMutationData, times: Times) -> Callable[[str], tuple[bool, float]]:
    """Return an order of tests: those of the module's own package first, short ones before long ones."""
    package = f"tests/{Path(module.path).parts[0]}/{Path(module.path).parts[1]}/"
    return lambda test: (package not in test, times[test])


def learned(items: Sequence[pytest.Item]) -> tuple[Times, Reached]:
    """Run every test once, unchanged, and return how long each took and which tests reach each function.

    It happens in a child, so that nothing a test remembers (a compiled tariff) is there when mutants are judged.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "learned.json"
        child = os.fork()
        if not child:
            set_mutant_under_test("stats")
            code = 1
            try:
                told.write_text(json.dumps(_measured(items)), encoding="utf-8")
                code = 0
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        if status:
            raise pytest.UsageError("the tests fail on unchanged code")
        times, reached = json.loads(told.read_text(encoding="utf-8"))
    return times, reached


def _measured(items: Sequence[pytest.Item]) -> tuple[Times, Reached]:
    from tests.common.tariff import library  # noqa: PLC0415 - the copy beside the mutants, importable from here on

    times: Times = {}
    reached: dict[str, set[str]] = defaultdict(set)
    for item, following in pairwise([*items, None]):
        if item is None:
            break
        for remembered in (library.compiled, library.calendar):
            remembered.cache_clear()
        state()._stats.clear()  # noqa: SLF001 - where mutmut's code notes the functions that run
        started = time.process_time()
        failed = [entry for entry in runtestprotocol(item, nextitem=following, log=False) if entry.failed]
        if failed:
            sys.stderr.write(f"{item.nodeid}\n{failed[0].longreprtext}\n")
            raise SystemExit(1)
        times[item.nodeid] = time.process_time() - started
        for function in state()._stats:  # noqa: SLF001 - as above
            reached[function].add(item.nodeid)
    return times, {function: sorted(tests) for function, tests in reached.items()}


def verdict(name: str, items: Sequence[pytest.Item], times: Times) -> tuple[int, str | None]:
    """Judge one mutant in a child of its own; return mutmut's exit code and the test that noticed it."""
    if not items:
        return NO_TESTS, None
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        gc.disable()
        set_mutant_under_test(name)
        code = KILLED
        try:
            noticed_by = _first_failure(items, times)
            code = KILLED if noticed_by else SURVIVED
            os.write(writing, noticed_by.encode())
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as told:
        noticed_by = told.read()
    _, status = os.waitpid(child, 0)
    return (KILLED if status else SURVIVED), noticed_by or None


def _first_failure(items: Sequence[pytest.Item], times: Times) -> str:
    for item, following in pairwise([*items, None]):
        if item is not None:
            _limit(times[item.nodeid])
            if any(entry.failed for entry in runtestprotocol(item, nextitem=following, log=False)):
                return item.nodeid
    return ""


def _limit(expected: float) -> None:
    """Let the operating system stop this process when the next test takes many times what it took before."""
    seconds = time.process_time() + CPU_SECONDS_MIN + CPU_TIMES_MAX * expected
    resource.setrlimit(resource.RLIMIT_CPU, (1 + int(seconds), resource.RLIM_INFINITY))


def report(modules: Sequence[SourceFileMutationData], names: Sequence[str]) -> int:
    """Print the scores of what was asked for and its survivors; return 1 when one is low, unjudged or unexplained."""
    scores: dict[str, list[bool]] = defaultdict(list)
    unjudged = 0
    survivors: list[str] = []
    for module in modules:
        codes = {name: code for name, code in module.exit_code_by_key.items() if is_asked(name, names)}
        left = [name for name, code in codes.items() if code in LEFT]
        unjudged += list(codes.values()).count(None)
        noticed = [code not in LEFT for code in codes.values() if code is not None]
        scores[Path(module.path).parts[1]] += noticed
        survivors += told(module, left)
        if noticed:
            _line(str(module.path), noticed)
    sys.stdout.write("\n" + "".join(f"{line}\n" for line in survivors) + "\n")
    scores = {package: noticed for package, noticed in scores.items() if noticed}
    for package, noticed in sorted(scores.items()):
        _line(package, noticed)
    unexplained = sum(line.startswith(UNEXPLAINED) for line in survivors)
    sys.stdout.write(f"{len(survivors)} survived, {unexplained} without a reason; {unjudged} not judged\n")
    low = [package for package, noticed in scores.items() if 100 * sum(noticed) < SCORE_MIN_PERCENT * len(noticed)]
    return 1 if low or unjudged or unexplained else 0


def told(module: SourceFileMutationData, left: Sequence[str]) -> list[str]:
    """Return a line for each survivor of a module: its place, its change, and its reason from the list."""
    from tests.common.survivors import LIST, Change, listed  # noqa: PLC0415 - as above

    reasons = listed(LIST.read_text(encoding="utf-8"))
    lines = []
    for name, old, new in changes(module, left):
        place = place_of(name)
        change = Change(module=place.module, function=place.function, old=old, new=new)
        where, why = f"{place.module} {place.function}", reasons.get(change)
        lines.append(f"{where} {change}: {why}" if why else f"{UNEXPLAINED} {where} {change}")
    return lines


def _line(what: str, noticed: Sequence[bool]) -> None:
    share = 100 * sum(noticed) / max(1, len(noticed))
    sys.stdout.write(f"{what:40} {sum(noticed):6} of {len(noticed):6} noticed {share:6.1f} %\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
