"""Typesetting in a process of its own: it takes much memory, and a page must not keep the service from answering.

The process starts at the first paper, is replaced after some papers so that what it holds is given back, and a paper
that takes too long is given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

from cloud.documents.typesetting import typeset
from cloud.kit.errors import BusyError

PAPERS_PER_PROCESS = 200
PAPER_S_MAX = 20.0


class Printer:
    """Makes the bytes of papers, one after another."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def print(self, template: str, data: Mapping[str, Any]) -> bytes:
        """Return the PDF/A-2b of a template and its data.

        Raises:
            BusyError: the process died or took too long; nothing was changed.
            InvariantError: the template does not compile with this data.
        """
        if self._pool is None:
            self._pool = _pool()
        try:
            async with asyncio.timeout(PAPER_S_MAX):
                return await asyncio.get_running_loop().run_in_executor(self._pool, typeset, template, dict(data))
        except (BrokenProcessPool, TimeoutError) as error:
            self.close()
            raise BusyError("the paper could not be printed just now; nothing was changed, try again") from error

    def close(self) -> None:
        """End the process; the next paper starts another."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"), max_tasks_per_child=PAPERS_PER_PROCESS)
