"""The commands that make a home folder, its schema, and an end of both."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from cloud import migrations
from cloud.house import embedded, open_house
from cloud.kit.secretbox import make_key_file
from cloud.settings import SECRET_KEY_FILE, SETTINGS_FILE, read_settings

_SETTINGS_TEXT = """\
# Settings of this cloud; every line is optional. See cloud/settings.py for what each means.
# host: 127.0.0.1
# port: 8080
# public_url: http://127.0.0.1:8080
"""


def init(options: argparse.Namespace) -> None:
    """Make a home folder; what is there already stays."""
    options.home.mkdir(parents=True, exist_ok=True)
    make_key_file(options.home / SECRET_KEY_FILE)
    settings = options.home / SETTINGS_FILE
    if not settings.exists():
        settings.write_text(_SETTINGS_TEXT, encoding="utf-8")


def migrate(options: argparse.Namespace) -> None:
    """Bring the database to the newest schema; the embedded one also on every start."""
    settings = read_settings(options.home)
    if settings.database is not None:
        migrations.upgrade(settings.database.owner)
        return
    with open_house(settings):
        pass


def forget(options: argparse.Namespace) -> None:
    """Delete the embedded database of a home, for good."""
    embedded(options.home).forget()


COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], None], str, dict[str, dict[str, Any]]]] = {
    "init": (init, "make a home folder: secret key and settings file", {}),
    "migrate": (migrate, "bring the database to the newest schema", {}),
    "forget": (forget, "delete the embedded database of the home, for good", {}),
}
