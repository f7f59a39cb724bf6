"""`gatehouse verify` says genuine or not without any network, and asks the company whether a paper still holds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from typing_extensions import override

from cloud.cli.verify import main
from cloud.documents.signer import SealKey, pem_of
from tests.cloud.documents import examples


@pytest.fixture(scope="module")
def key() -> SealKey:
    return examples.key()


@pytest.fixture
def paper(key: SealKey, tmp_path: Path) -> Path:
    path = tmp_path / "paper.pdf"
    path.write_bytes(asyncio.run(examples.sealed(key)))
    (tmp_path / "seal.pem").write_text(pem_of(examples.key(serial=3).certificate) + pem_of(key.certificate))
    return path


@pytest.fixture
def company() -> Iterator[tuple[str, dict[str, object]]]:
    """A company's server that answers as told, and its address."""
    answer: dict[str, object] = {
        "check": "genuine",
        "paper": {"holds": "current", "number": "B-1", "total": "¥1", "by": []},
    }

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", answer
        server.shutdown()
        thread.join()


def test_a_genuine_paper_is_confirmed_without_a_network(paper: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(paper), "--seal", str(paper.with_name("seal.pem"))]) == 0
    told = capsys.readouterr().out
    assert "the seal is true and the file is as it was sealed" in told
    assert examples.NAME in told


def test_a_changed_byte_is_told_and_the_exit_code_says_no(paper: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pdf = bytearray(paper.read_bytes())
    pdf[pdf.index(b"stream") + 40] ^= 1
    paper.write_bytes(pdf)
    assert main([str(paper), "--seal", str(paper.with_name("seal.pem"))]) == 1
    assert "tampered" in capsys.readouterr().out


def test_a_seal_of_somebody_else_is_foreign(paper: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = paper.with_name("other.pem")
    other.write_text(pem_of(examples.key(serial=4).certificate))
    assert main([str(paper), "--seal", str(other)]) == 1
    assert "not one of ours" in capsys.readouterr().out


def test_without_a_certificate_it_says_what_was_not_checked(paper: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(paper)]) == 1
    assert "whose seal it is was not checked, give --seal or --server" in capsys.readouterr().out


@pytest.mark.parametrize(("holds", "code"), [("current", 0), ("corrected", 1), ("void", 1)])
def test_the_company_is_asked_whether_it_still_holds(
    paper: Path, company: tuple[str, dict[str, object]], holds: str, code: int
) -> None:
    address, answer = company
    answer["paper"] = {"holds": holds, "number": "B-1", "total": "¥1", "by": ["A-2"]}
    assert main([str(paper), "--server", address]) == code


def test_a_company_that_does_not_know_it_or_talks_nonsense_is_no_confirmation(
    paper: Path, company: tuple[str, dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    address, answer = company
    answer["paper"] = None
    assert main([str(paper), "--server", address]) == 1
    answer["check"] = "fine"
    assert main([str(paper), "--server", address]) == 1
    assert "gave no answer that can be read" in capsys.readouterr().err


def test_a_file_that_is_not_there_and_a_seal_that_is_none_are_said(
    paper: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(paper.with_name("none.pdf"))]) == 1
    assert "none.pdf" in capsys.readouterr().err
    assert main([str(paper), "--seal", str(paper)]) == 1
    assert "holds no certificate" in capsys.readouterr().err
    assert main([str(paper), "--server", "http://127.0.0.1:9"]) == 1
