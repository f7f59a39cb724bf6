"""`gatehouse tariff`: check lists all faults with their lines, price explains, compare shows who pays more."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from cloud.cli.tariff import main
from cloud.cli.tariff_comparison import histogram, table
from cloud.tariffs.comparison import summarise
from cloud.tariffs.trial import Change
from common.money.amount import CNY
from tests.common.tariff.library import LIBRARY

BEIJING = LIBRARY / "electricity" / "beijing-annual.yaml"
JINAN = LIBRARY / "electricity" / "jinan-tou.yaml"
TAIPEI = LIBRARY / "electricity" / "taipower-bimonthly.yaml"
REQUEST = 'period: [2026-06-01, 2026-07-01]\nquantity: "150"\nprior: "2800"\n'


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    told = capsys.readouterr()
    return code, told.out, told.err


def test_a_sound_library_file_has_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "check", BEIJING, JINAN)
    assert code == 0
    assert out.count("no fault") == 2


BROKEN = """\
format: gatehouse-tariff/1
code: test/broken
name: broken
unit: kwh
tiers: {bounds: ["20", "10"]}
charges:
  - key: energy
    prices: ["1", "2", 0.5]
  - key: other
    pirce: "1"
"""


def test_every_fault_is_told_with_its_line_and_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "broken.yaml", BROKEN)
    code, out, _ = run(capsys, "check", path, BEIJING)
    assert code == 1
    assert f"{path}:4: unit: 'kwh' is unknown; use one of kWh" in out
    assert f"{path}:5: tiers.bounds[1]: 10 is not above 20: tiers overlap; let the bounds rise" in out
    assert f"{path}:8: charges[0].prices[2]: the binary fraction 0.5 stands where" in out
    assert f"{path}:10: charges[1].pirce: the field is unknown; did you mean price?" in out
    assert f"{path}:9: charges[1].price: a charge has one of" in out
    assert "beijing-annual" in out


def test_a_price_is_told_in_both_languages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    usage = write(tmp_path, "usage.yaml", REQUEST)
    code, out, _ = run(capsys, "price", BEIJING, "--usage", usage)
    assert code == 0
    assert out.splitlines()[-1] == "合计 76.75 元"
    assert "80 度 \N{MULTIPLICATION SIGN} 0.4883 + 70 度 \N{MULTIPLICATION SIGN} 0.5383 = 76.75 元" in out
    _, out, _ = run(capsys, "price", BEIJING, "--usage", usage, "--language", "en")
    assert out.splitlines()[-1] == "Total 76.75 CNY"
    _, out, _ = run(capsys, "price", BEIJING, "--usage", usage, "--json")
    assert json.loads(out)["amount_fen"] == 7675


def test_a_line_that_cannot_be_priced_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    usage = write(tmp_path, "usage.yaml", "period: [2026-06-01, 2026-07-01]\n")
    code, out, err = run(capsys, "price", BEIJING, "--usage", usage)
    assert (code, out) == (1, "")
    assert "缺少用量" in err
    _, _, err = run(capsys, "price", BEIJING, "--usage", usage, "--language", "en")
    assert "no usage: there is no usage for 2026-06-01..2026-07-01" in err


def test_a_comparison_counts_who_pays_more_and_less(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f'  - {{name: "{n}", period: [2026-06-01, 2026-07-01], quantity: "{n * 100}"}}' for n in range(1, 4)]
    rows.append('  - {name: "4", period: [2026-06-01, 2026-07-01]}')
    usage = write(tmp_path, "usage.yaml", "\n".join(["requests:", *rows]))
    code, out, _ = run(capsys, "compare", BEIJING, JINAN, "--usage", usage)
    assert code == 0
    assert "多付 more 3  不变 same 0  少付 less 0" in out
    assert "拒绝 refused 1  合计 total +35.16" in out
    _, out, _ = run(capsys, "compare", JINAN, BEIJING, "--usage", usage)
    assert "多付 more 0  不变 same 0  少付 less 3" in out
    assert "-35.16" in out


def test_a_table_orders_by_change_and_a_histogram_counts_everyone() -> None:
    changes = [Change(name=str(n), old=1_000, new=1_000 + n * 7) for n in range(-20, 21)]
    changes += [Change(name="zero", old=0, new=5), Change(name="none", old=None, new=5, reason="no reading")]
    rows = table(summarise(changes), CNY)
    assert rows[1].startswith("20 ")
    assert rows[1].endswith("+14.0%")
    assert rows[41].endswith("-14.0%") or rows[42].endswith("-14.0%")
    assert next(row for row in rows if row.startswith("zero")).endswith("+0.05")
    assert "no reading" in rows[-3]
    bars = histogram(summarise(changes), CNY)
    assert len(bars) <= 10
    assert sum(int(bar.split()[-1]) for bar in bars) == 42
    assert histogram(summarise([changes[-1]]), CNY) == []
    (single,) = histogram(summarise([Change(name="a", old=1, new=1)]), CNY)
    assert single.endswith("#" * 40 + " 1")


def test_a_file_that_is_no_yaml_is_told_with_its_line_and_the_next_file_is_checked_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torn = write(tmp_path, "torn.yaml", "a: 1\nb: [1")
    twice = write(tmp_path, "twice.yaml", "a: 1\nb: 2\na: 3\n")
    code, out, _ = run(capsys, "check", torn, twice, BEIJING)
    assert code == 1
    assert f"{torn}:2: text: it is not YAML" in out
    assert f"{twice}:3: a: the field stands twice, on lines 1 and 3; keep one of them" in out
    assert "beijing-annual" in out


def test_a_fault_of_a_request_is_told_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    usage = write(tmp_path, "usage.yaml", 'period: ["2026-06-01", "2026-07-01"]\nquantity: much\npeople: "3"\n')
    code, out, err = run(capsys, "price", BEIJING, "--usage", usage)
    assert (code, out) == (1, "")
    assert f"{usage}:2: quantity: " in err
    assert f"{usage}:3: people: the field is unknown" in err


def test_missing_files_other_currencies_and_no_requests_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "check", tmp_path / "nowhere.yaml")
    assert code == 1
    assert "nowhere.yaml" in err
    usage = write(tmp_path, "usage.yaml", REQUEST)
    listed = write(tmp_path, "list.yaml", 'requests: [{name: a, period: [2026-06-01, 2026-07-01], quantity: "1"}]\n')
    code, _, err = run(capsys, "compare", BEIJING, TAIPEI, "--usage", listed)
    assert (code, "CNY and TWD cannot be compared" in err) == (1, True)
    code, _, err = run(capsys, "compare", BEIJING, JINAN, "--usage", usage)
    assert (code, "there are no requests" in err) == (1, True)
    code, _, err = run(capsys, "price", write(tmp_path, "broken.yaml", BROKEN), "--usage", usage)
    assert (code, "broken.yaml:4: unit" in err) == (1, True)
    with pytest.raises(SystemExit):
        main(["price", str(BEIJING), "--usage", str(usage), "--zone", "Mars/Base"])
    assert "Mars/Base is no time zone" in capsys.readouterr().err


def test_a_tariff_that_asks_for_working_days_is_priced_with_the_official_notice(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    windows = """
windows:
  - {name: peak, days: [workday], times: ["08:00-22:00"]}
  - {name: valley, times: ["00:00-24:00"]}
charges: [{key: e, by_window: {peak: "1", valley: "0.5"}}]
"""
    head = "format: gatehouse-tariff/1\ncode: test/days\nname: days\nunit: kWh\n"
    file = write(tmp_path, "tariff.yaml", head + windows)
    usage = write(tmp_path, "usage.yaml", 'period: [2026-02-14, 2026-02-15]\nhourly: {"07": "1", "12": "10"}\n')
    code, _, err = run(capsys, "price", file, "--usage", usage)
    assert code == 1
    assert "2026" in err
    notice = LIBRARY / "calendar" / "cn-2026.yaml"
    code, out, _ = run(capsys, "price", file, "--usage", usage, "--calendar", notice)
    assert code == 0
    assert "10.50" in out


@pytest.mark.parametrize("word", ["price", "compare"])
def test_the_help_shows_a_request_that_can_be_priced(
    word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([word, "--help"])
    told = capsys.readouterr().out
    example = "\n".join(line for line in told.splitlines() if line.startswith(("  period:", "  quantity:", "  prior:")))
    usage = write(tmp_path, "usage.yaml", textwrap.dedent(example))
    assert main(["price", str(LIBRARY / "electricity" / "beijing-annual.yaml"), "--usage", str(usage)]) == 0
    assert ("requests:" in told) == (word == "compare")
