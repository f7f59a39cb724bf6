"""`gatehouse cloud WORD`: set up a home, run its processes, add the first company and its people.

    init       make a home folder: secret key, a commented settings file
    migrate    bring the database to the newest schema
    serve      the API and the pages, until SIGTERM or Ctrl-C
    worker     jobs and schedules, until SIGTERM or Ctrl-C
    add-company, add-user, code    the first people; a one-time code is printed once
    site-load  load a whole site from a file: companies, premises, people, meters, charges
    forget     delete the embedded database of a home, for good

Every command takes `--home DIR`. Exit code 0 is done, 1 refused with the reason, 2 not understood. Only the module of
the word that was given is imported, because the whole cloud takes seconds to load on a small machine.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from common.errors import RefusalError

Command = Callable[[argparse.Namespace], None]
# word -> the module of this package whose COMMANDS hold it
MODULES = {
    "init": "homes",
    "migrate": "homes",
    "serve": "serving",
    "worker": "working",
    "add-company": "people",
    "add-user": "people",
    "code": "people",
    "site-load": "sites",
    "forget": "homes",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = sys.argv[1:] if argv is None else argv
    options = _parser(given[0] if given else "").parse_args(given)
    command: Command = options.command
    try:
        command(options)
    except RefusalError as refusal:
        sys.stderr.write(f"gatehouse cloud: {refusal}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"gatehouse cloud: {error.filename or options.home}: {error.strerror}\n")
        return 1
    return 0


def _parser(given: str) -> argparse.ArgumentParser:
    """Return the parser of the word that was given, or of every word when that is none of them."""
    parser = argparse.ArgumentParser(prog="gatehouse cloud", description="the cloud of Gatehouse")
    words = parser.add_subparsers(required=True, metavar="WORD")
    for word in [given] if given in MODULES else MODULES:
        command, summary, arguments = import_module(f"cloud.cli.{MODULES[word]}").COMMANDS[word]
        sub = words.add_parser(word, help=summary, description=summary)
        sub.add_argument("--home", type=Path, required=True, help="folder of settings, keys and embedded data")
        for name, about in arguments.items():
            sub.add_argument(name, **about)
        sub.set_defaults(command=command)
    return parser
