"""The command that loads a whole site from a file."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cloud.app import running_services
from cloud.cli.site_load import load_site
from cloud.cli.site_report import Report
from cloud.house import open_house
from cloud.settings import read_settings


def site_load(options: argparse.Namespace) -> None:
    """Load a site file and write the report with its one-time codes."""
    with open_house(read_settings(options.home)) as house:

        async def run() -> Report:
            async with running_services(house, house.database.app) as services:
                return await load_site(services, options.file)

        report = asyncio.run(run())
    report.write(options.report)
    sys.stdout.write(
        f"{len(report.companies)} companies, {len(report.communities)} communities, {len(report.gateways)} gateways; "
        f"one-time codes are in {options.report}\n"
    )


COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], None], str, dict[str, dict[str, Any]]]] = {
    "site-load": (
        site_load,
        "load a site file, one company a transaction",
        {
            "file": {"type": Path, "help": "the site file, YAML"},
            "--report": {
                "type": Path,
                "required": True,
                "help": "where ids and one-time codes go, readable by you only",
            },
        },
    ),
}
