"""Names are sorted as people expect."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pypinyin import Style, lazy_pinyin

from cloud.kit.names import sort_key


def test_names_are_sorted_by_pinyin_and_numbers_by_value() -> None:
    names = ["10栋", "2栋", "王五", "李四", "张三", "Anna", "1-2-1001", "1-2-301", "1-10-101"]
    expected = ["1-2-301", "1-2-1001", "1-10-101", "2栋", "10栋", "Anna", "李四", "王五", "张三"]
    assert sorted(names, key=sort_key) == expected


def test_case_and_surrounding_space_do_not_matter() -> None:
    assert sort_key("  Anna ") == sort_key("anna")


@pytest.mark.parametrize(
    "name",
    [
        "东方物业",
        "阳光花园",
        "绿地中央",
        "女儿",
        "吕布",
        "欧阳修",
        "尉迟恭",
        "业主委员会",
        "车位A座",
        "地下室",
        "幼儿园会所",
        "重庆路",
        "厦门银行",
        "朝阳小区",
        "长宁路",
        "长兴支行",
        "成都",
        "都江堰",
        "音乐广场",
        "曲江",
        "西藏路",
        "乐清",
        "少年宫",
    ],
)
def test_readings_agree_with_those_of_the_phrase_tables(name: str) -> None:
    known = {"长宁路": "chang2 ning2 lu4", "长兴支行": "chang2 xing1 zhi1 hang2"}  # the tables say zhang3 and xing2
    told = " ".join(lazy_pinyin(name.casefold(), style=Style.TONE3, neutral_tone_with_five=True))
    assert sort_key(name) == known.get(name, told)


def test_a_name_without_chinese_characters_reads_no_table() -> None:
    program = "import sys; from cloud.kit import names; names.sort_key('1-2-301'); print(names._readings.cache_info())"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert "misses=0" in run.stdout


def test_sorting_names_does_not_load_the_phrase_tables() -> None:
    program = "import sys; from cloud.kit import names; names.sort_key('张三'); print('pypinyin' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert run.stdout.strip() == "False"
