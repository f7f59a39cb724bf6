"""`gatehouse verify FILE.pdf`: is this paper genuine, and does what it says still hold?

    gatehouse verify bill.pdf --seal seal.pem                     without any network: whole, and sealed by them
    gatehouse verify bill.pdf --server https://pay.example.com    asks the company too: still current, replaced, void

The certificate of a company's seal stands at the address that the code on each paper leads to. Exit code 0 means
genuine and, when asked, current; 1 means anything else, and the reason is said; 2 means not understood.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx

from cloud.documents.kinds import CHECKS, HOLDS, Check, Holds
from cloud.documents.signer import der_of
from cloud.documents.verifying import Examined, examine
from common.errors import RefusalError

_SERVER_S_MAX = 20.0
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(argv)
    try:
        found = examine(options.file.read_bytes(), _trusted(options.seal))
        good = _told(found, asked=options.seal is not None)
        if options.server is not None:
            good = _asked(options.server, options.file.read_bytes())
    except RefusalError as refusal:
        sys.stderr.write(f"gatehouse verify: {refusal}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"gatehouse verify: {error.filename}: {error.strerror}\n")
        return 1
    return 0 if good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gatehouse verify", description="is a paper genuine, does it still hold")
    parser.add_argument("file", type=Path, metavar="FILE.pdf")
    parser.add_argument("--seal", type=Path, metavar="SEAL.pem", help="certificates of the company's seal")
    parser.add_argument("--server", metavar="URL", help="the company's address, to ask whether it still holds")
    return parser


def _trusted(path: Path | None) -> tuple[bytes, ...]:
    if path is None:
        return ()
    found = tuple(der_of(pem) for pem in _PEM.findall(path.read_bytes()))
    if not found:
        raise RefusalError(f"{path} holds no certificate; take the one that the company publishes")
    return found


def _told(found: Examined, *, asked: bool) -> bool:
    """Say what the file alone tells, and return whether that is good."""
    whose = found.check is Check.FOREIGN_SEAL and not asked
    if whose:
        _say(
            "文件完整，印章归属未核对（请给出 --seal 或 --server）",
            "the file is whole; whose seal it is was not checked, give --seal or --server",
        )
    else:
        _say(*CHECKS[found.check])
    if found.sealed_by:
        _say("印章", f"seal: {found.sealed_by}")
        _say("证书指纹", f"fingerprint: {found.certificate_sha.hex()}")
    return found.check is Check.GENUINE


def _asked(server: str, pdf: bytes) -> bool:
    """Ask the company, say what it answers, and return whether the paper is genuine and current."""
    try:
        answer = httpx.post(f"{server.rstrip('/')}/verify", content=pdf, timeout=_SERVER_S_MAX, trust_env=False)
        answer.raise_for_status()
        told = answer.json()
        check, paper = Check(told["check"]), told["paper"]
        holds = None if paper is None else Holds(paper["holds"])
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
        raise RefusalError(f"{server} gave no answer that can be read; check the address and try again") from error
    _say(*CHECKS[check])
    if holds is None:
        _say("对方没有这份单据的记录", "they have no such paper in their book")
        return False
    _say(f"{paper['number']} {paper['total']}", " ".join([*HOLDS[holds], *paper["by"]]))
    return check is Check.GENUINE and holds is Holds.CURRENT


def _say(zh: str, en: str) -> None:
    sys.stdout.write(f"{zh} {en}\n")
