"""`python -m tests.bench.documents`: what a hundred sealed bills cost of one core, printing and sealing apart.

The gate is the whole: a hundred bills of twelve lines, printed and sealed, in less than eight seconds of processor
time. `hundred` gives the figures to other benches.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from time import process_time

from cloud.documents.kinds import Check
from cloud.documents.signer import SoftwareSigner
from cloud.documents.typesetting import PAPER, SEAL, typeset
from cloud.documents.verifying import examine
from tests.cloud.documents import examples

PAPERS = 100
LINES = 12
CPU_S_MAX = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds of processor time, and the size of one sealed file."""

    printing_s: float
    sealing_s: float
    checking_s: float
    file_bytes: int

    @property
    def passes(self) -> bool:
        """Return whether printing and sealing stay below the gate."""
        return self.printing_s + self.sealing_s < CPU_S_MAX


def hundred(papers: int = PAPERS) -> Cost:
    """Print, seal and check some bills, each with its own number, and return what it took."""
    key = examples.key()
    signer, mark = SoftwareSigner(key), typeset(SEAL, {"name": examples.NAME})
    rows = [[f"物业费 Service {n}", "2026-01-01 – 2026-01-31", "203.40"] for n in range(LINES)]
    typeset(PAPER, examples.sheet(rows=rows))  # fonts and templates are loaded once in the life of a process
    started = process_time()
    printed = [typeset(PAPER, examples.sheet(rows=rows, number=f"B-{n}")) for n in range(papers)]
    printing_s = process_time() - started
    started = process_time()
    sealed = asyncio.run(_seal(signer, mark, printed))
    sealing_s = process_time() - started
    started = process_time()
    genuine = [examine(file, [key.certificate]).check is Check.GENUINE for file in sealed]
    checking_s = process_time() - started
    if not all(genuine):
        raise AssertionError("a file that was just sealed is not genuine")
    return Cost(printing_s=printing_s, sealing_s=sealing_s, checking_s=checking_s, file_bytes=len(sealed[0]))


async def _seal(signer: SoftwareSigner, mark: bytes, printed: list[bytes]) -> list[bytes]:
    return [await signer.seal(pdf, mark, examples.WHEN) for pdf in printed]


def main() -> int:
    """Measure, say it as a table, and return whether the gate holds."""
    cost = hundred()
    sys.stdout.write(
        f"{PAPERS} bills of {LINES} lines, seconds of one core\n"
        f"  printing   {cost.printing_s:6.2f}\n"
        f"  sealing    {cost.sealing_s:6.2f}\n"
        f"  checking   {cost.checking_s:6.2f}   (no part of the gate)\n"
        f"  gate       {cost.printing_s + cost.sealing_s:6.2f} < {CPU_S_MAX}   {'pass' if cost.passes else 'FAIL'}\n"
        f"  one file   {cost.file_bytes} bytes\n"
    )
    return 0 if cost.passes else 1


if __name__ == "__main__":
    raise SystemExit(main())
