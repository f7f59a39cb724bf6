"""The refusals of money, and of what is the whole company's, in Chinese: what was refused and what to do.

The English that the domains speak stands beside it.

A line is the English sentence with `{}` where figures stand, and the Chinese with `{}` in the same order; `{fen}` is an
amount that is shown in yuan. What has no line here is told by its headline in Chinese and its detail in English. Pure.
"""

from __future__ import annotations

import re
from functools import cache

from common.money.amount import format_minor

_HOLES = {"{}": "(.+?)", "{fen}": r"(-?\d+)"}
_HOLE = re.compile(r"\{(?:fen)?\}")
SENTENCES = (
    ("this is the whole company's; ask somebody who works in all of it", "此项属于整个公司，请联系管理全公司的人员"),
    ("there is no such payment", "没有这笔收款"),
    ("there is no payment {}", "没有编号为 {} 的收款，请核对收据编号"),
    ("there is no such refund", "没有这笔退款"),
    ("there is no such cash box", "没有这个钱箱"),
    ("there is no such bank account", "没有这个银行账户"),
    ("there is no such line of a statement", "没有这条银行流水"),
    ("there is no such break", "没有这条差异"),
    ("there is no such deposit", "没有这笔押金"),
    ("there is no such deduction", "没有这笔扣款"),
    ("{fen} fen of payment {} are left, less than {fen}", "可退余额 {} 元（收款 {}），少于所填的 {} 元；请改小金额"),
    ("a payment goes back in at most {} parts", "一笔收款最多分 {} 次退回"),
    (
        "what was paid ahead has been used since; ask for less, or correct the bills first",
        "预缴款已被使用；请改小金额，或先更正账单",
    ),
    (
        "the channel no longer takes refunds of this payment; pay it out by bank, or in cash with a signature",
        "该渠道已不再受理这笔收款的退款；请用银行转账，或签字后付现",
    ),
    (
        "this refund was asked for with other content; nothing was changed, begin a new one",
        "此退款已按其他内容申请过；没有改动，请重新开始",
    ),
    ("you asked for this refund yourself; somebody else approves it", "这笔退款是您自己申请的，须由他人审批"),
    ("you gave your verdict on this refund already; another person is needed", "您已审批过这笔退款，还需要另一个人"),
    ("a rejection has a reason; write it", "驳回须写明原因"),
    ("a withdrawal has a reason; write it", "撤回须写明原因"),
    ("cash is handed out against a signature; write who signed for it", "付现须签字，请填写签字人"),
    ("a refund is at least 1 fen, not {fen}; correct the amount", "退款至少 0.01 元，不能是 {} 元；请改金额"),
    (
        "this payment did not come online; name a cash box or a bank account that it is paid from",
        "这笔收款不是线上来的，请选择钱箱或银行账户",
    ),
    (
        "this box does not hold money of the payment's company and fund; take another",
        "此钱箱不属于该收款的公司和资金，请换一个",
    ),
    (
        "this bank account does not hold money of the payment's company and fund; choose one that does",
        "此银行账户不属于该收款的公司和资金，请换一个",
    ),
    (
        "this code is of another company's bill; the payer pays it by scanning it himself",
        "这是其他公司账单的二维码，请付款人自行扫码支付",
    ),
    ("choose by which way the money goes back", "请选择退回方式"),
    (
        "a payout needs the payee's name and an account number of 8 to 32 digits; write both",
        "银行付款须填收款户名和 8 至 32 位账号",
    ),
    (
        "this is no name that a bank has; write it as it stands on the payee's card",
        "这不是银行账户的户名，请按银行卡填写",
    ),
    ("a transfer has the bank's reference; write it down as the bank shows it", "请填写银行回单号"),
    (
        "you sent this payout yourself; somebody else confirms it from the bank's statement",
        "这笔付款是您登记的，须由他人按银行流水确认",
    ),
    ("a payout that came back has a reason; write the bank's", "退回须写明银行给的原因"),
    (
        "the condition is noted, but a deduction of this deposit is pending; decide it first, nothing goes back",
        "条件已记下，但此押金还有待定的扣款，请先处理扣款；没有退款",
    ),
    ("you proposed this deduction yourself; somebody else decides it", "这笔扣款是您提出的，须由他人决定"),
    ("this slip was entered before; look at the receipt it made", "这张签购单已录入过，请看它的收据"),
    ("{fen} fen were handed over for {fen}; take the rest first", "收到 {} 元，应收 {} 元；请先收足"),
    ("the count is {fen} fen and the book says {fen}; give the reason", "实点 {} 元，账面 {} 元；请写明差异原因"),
    ("you or this box have an open shift; close it with a count first", "您或此钱箱还有未交的班，请先点钞交班"),
    ("this shift is closed; open a new one", "此班已交，请开新班"),
    ("this is another cashier's shift; open your own", "这是其他收款员的班，请开自己的班"),
    ("you have no open shift; open one with a count of the box", "您没有开班，请先点钞开班"),
    ("this file was imported before; nothing was changed", "此文件已导入过，没有改动"),
    ("money that went is explained with a reason; say what it was", "出账须写明用途"),
    ("a break is closed with a reason; say what was found", "关闭差异须写明原因"),
    ("this break is closed already", "此差异已关闭"),
    (
        "no seal token and no seal service is set up; name one of them in settings.yaml and restart",
        "未设置印章介质或签章服务；请在 settings.yaml 中设置后重启",
    ),
    (
        "the key that is kept there is not the key of this certificate; bring the certificate of that key",
        "介质或服务中的密钥与此证书不符，请提供该密钥的证书",
    ),
)


def chinese_of(detail: str) -> str:
    """Return a refusal in Chinese, empty when there are no words for it."""
    for pattern, holes, chinese in _compiled():
        found = pattern.fullmatch(detail)
        if found is not None:
            parts = (
                format_minor(int(text)) if hole == "{fen}" else text
                for hole, text in zip(holes, found.groups(), strict=True)
            )
            return chinese.format(*parts)
    return ""


@cache
def _compiled() -> tuple[tuple[re.Pattern[str], tuple[str, ...], str], ...]:
    found = []
    for english, chinese in SENTENCES:
        holes = tuple(_HOLE.findall(english))
        pieces = _HOLE.split(english)
        text = re.escape(pieces[0])
        for hole, piece in zip(holes, pieces[1:], strict=True):
            text += _HOLES[hole] + re.escape(piece)
        found.append((re.compile(text), holes, chinese))
    return tuple(found)
