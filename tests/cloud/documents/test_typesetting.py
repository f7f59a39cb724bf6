"""The same data gives the same bytes; data is never markup; what comes out is PDF/A with the font inside."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cloud.documents.typesetting import PAPER, SEAL, template_sha, typeset
from common.errors import InvariantError
from tests.cloud.documents import examples
from tests.cloud.documents.programs import run


def text_of(pdf: bytes, folder: Path) -> str:
    """Return the text of a PDF as another program reads it."""
    (folder / "paper.pdf").write_bytes(pdf)
    told = run(folder, "pdftotext", "-raw", "paper.pdf", "-")
    return " ".join(told.stdout.decode().split())


def test_the_same_data_gives_the_same_bytes_and_other_data_gives_others() -> None:
    first = typeset(PAPER, examples.sheet())
    assert typeset(PAPER, examples.sheet()) == first
    assert typeset(PAPER, examples.sheet(number="B-2026-000002")) != first


def test_the_time_in_the_file_is_the_one_in_the_data() -> None:
    assert b"D:20260201030405" in typeset(PAPER, examples.sheet())


def test_a_paper_says_that_it_is_pdf_a_2b() -> None:
    pdf = typeset(PAPER, examples.sheet())
    assert re.search(rb"<pdfaid:part>2</pdfaid:part>", pdf)
    assert re.search(rb"<pdfaid:conformance>B</pdfaid:conformance>", pdf)


def test_what_looks_like_markup_in_the_data_is_printed_as_it_stands(tmp_path: Path) -> None:
    trick = '#panic("x") *b* $x^2$ <y> @ref \\ "'
    text = text_of(typeset(PAPER, examples.sheet(facts=[["户名", "Name", trick]])), tmp_path)
    assert trick in text


def test_every_figure_of_the_data_is_on_the_paper(tmp_path: Path) -> None:
    text = text_of(typeset(PAPER, examples.sheet()), tmp_path)
    for part in ("B-2026-000001", "203.40", "人民币贰佰零叁元肆角", "花园 1-1-001", examples.ADDRESS):
        assert part in text


def test_a_paper_of_many_lines_goes_on_over_pages_that_are_counted(tmp_path: Path) -> None:
    rows = [[f"物业费 {n}", "2026-01", "1.00"] for n in range(120)]
    text = text_of(typeset(PAPER, examples.sheet(rows=rows)), tmp_path)
    assert "物业费 119" in text
    assert "4/4" in text.replace(" ", "")


def test_an_unsealed_paper_says_so_on_the_page(tmp_path: Path) -> None:
    assert "UNSEALED" in text_of(typeset(PAPER, examples.sheet(unsealed=True)), tmp_path).replace(" ", "")
    assert "UNSEALED" not in text_of(typeset(PAPER, examples.sheet()), tmp_path)


def test_a_paper_without_lines_has_no_table(tmp_path: Path) -> None:
    text = text_of(typeset(PAPER, examples.sheet(columns=[], rows=[])), tmp_path)
    assert "Charge" not in text


def test_data_that_the_template_does_not_know_is_a_broken_assumption() -> None:
    with pytest.raises(InvariantError, match="does not compile"):
        typeset(PAPER, {"title": []})
    with pytest.raises(InvariantError, match="there is a template nothing"):
        typeset("nothing", {})


@pytest.mark.parametrize("name", ["甲", "花园物业有限公司", "上海市浦东新区东方明珠物业管理服务有限责任公司"])
def test_the_mark_of_a_seal_is_drawn_for_short_and_long_names(name: str) -> None:
    assert typeset(SEAL, {"name": name}).startswith(b"%PDF-")


def test_the_digest_of_a_template_is_that_of_its_file() -> None:
    assert len(template_sha(PAPER)) == 32
    assert template_sha(PAPER) != template_sha(SEAL)
