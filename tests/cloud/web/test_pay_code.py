"""A code to scan is drawn without script, style or any other address."""

from __future__ import annotations

import re

from cloud.web import pay_code

CONTENT = "weixin://wxpay/bizpayurl?pr=<b>&x"


def test_the_code_is_one_drawing_that_the_content_policy_lets_through() -> None:
    drawn = str(pay_code.svg(CONTENT))
    assert drawn.startswith("<svg")
    assert not re.search(r"style|script|href|on\w+=", drawn.replace("stroke", ""))


def test_the_text_itself_is_nowhere_in_the_drawing() -> None:
    drawn = str(pay_code.svg(CONTENT))
    assert "weixin" not in drawn
    assert "<b>" not in drawn


def test_other_texts_are_other_codes() -> None:
    assert pay_code.svg(CONTENT) != pay_code.svg(CONTENT + "1")
