"""The words in which the pages tell of money: funds, ways of paying, what moved an account, what disagrees and why.

Each is (Chinese, English). A new member of one of these kinds without words is a fault that `ensure` finds at import.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cloud.billing.settling import Settling, SettlingOrder
from cloud.ledger.routes import Route
from cloud.payments.channel import Channel, Method
from cloud.reconciliation.flows import FlowFinding
from cloud.reconciliation.matching import BreakClass, FirstAction
from cloud.tariffs.charge import FundClass
from common.errors import ensure
from common.reading.reading import Quantity

Words = tuple[str, str]

FUNDS: Mapping[FundClass, Words] = MappingProxyType(
    {
        FundClass.OPERATING: ("物业经营", "operating"),
        FundClass.DEPOSIT: ("押金", "deposits"),
        FundClass.MAINTENANCE: ("维修基金", "maintenance fund"),
        FundClass.COMMON_INCOME: ("公共收益", "common-area income"),
    }
)
CHANNELS: Mapping[Channel, Words] = MappingProxyType(
    {
        Channel.WECHAT: ("微信支付", "WeChat Pay"),
        Channel.ALIPAY: ("支付宝", "Alipay"),
        Channel.UNIONPAY: ("银联", "UnionPay"),
        Channel.POS: ("POS 刷卡", "card terminal"),
        Channel.BANK: ("银行转账", "bank transfer"),
        Channel.CASH: ("现金", "cash"),
    }
)
METHODS: Mapping[Method, Words] = MappingProxyType(
    {
        Method.NATIVE: ("微信扫码", "scan with WeChat"),
        Method.JSAPI: ("微信内支付", "inside WeChat"),
        Method.H5: ("打开微信支付", "open WeChat"),
        Method.PAGE: ("支付宝网页", "Alipay's page"),
        Method.WAP: ("打开支付宝", "open Alipay"),
        Method.PRECREATE: ("支付宝扫码", "scan with Alipay"),
        Method.GATEWAY: ("银联网页", "UnionPay's page"),
        Method.QR: ("云闪付扫码", "scan with a bank's app"),
        Method.CODE: ("扫付款码", "the payer's code scanned"),
        Method.DEDUCTION: ("自动扣款", "automatic deduction"),
        Method.COUNTER: ("柜台", "at the counter"),
        Method.TRANSFER: ("转账", "transfer"),
    }
)
ROUTES: Mapping[str, Words] = MappingProxyType(
    {
        "issue": ("出账", "billed"),
        "credit_note": ("红冲调减", "credited by an adjustment"),
        "receipt": ("收款核销", "paid"),
        "prepay": ("转入预存", "paid ahead"),
        "offset": ("预存抵扣", "settled from money paid ahead"),
        "overpaid": ("多收转预存", "overpaid, moved to money paid ahead"),
        "refund": ("退款", "refunded"),
        "suspend": ("挂账", "held until the payer is known"),
        "identify": ("挂账认领", "payer identified"),
        "return": ("挂账退回", "returned to the sender"),
        "settle": ("结算入账", "settled to the bank"),
        "channel_fee": ("渠道手续费", "channel fee"),
        "cash_over": ("长款", "cash above the book"),
        "cash_short": ("短款", "cash below the book"),
        "deposit_in": ("收取押金", "deposit taken"),
        "deposit_hold": ("预存转押金", "moved from money paid ahead to the deposit"),
        "deposit_out": ("退还押金", "deposit returned"),
        "deposit_deduction": ("押金抵扣", "settled from the deposit"),
        "write_off": ("核销坏账", "written off"),
        "opening": ("期初", "brought in"),
        "fund_income": ("业主资金收入", "into the owners' fund"),
        "fund_spent": ("业主资金支出", "spent from the owners' fund"),
        "opening_undone": ("期初撤回", "brought in, taken back"),
    }
)
QUANTITIES: Mapping[Quantity, Words] = MappingProxyType(
    {
        Quantity.ENERGY_FORWARD: ("电量", "energy"),
        Quantity.ENERGY_REVERSE: ("反向电量", "energy returned"),
        Quantity.ENERGY_T1: ("尖时电量", "energy, sharp hours"),
        Quantity.ENERGY_T2: ("峰时电量", "energy, peak hours"),
        Quantity.ENERGY_T3: ("平时电量", "energy, flat hours"),
        Quantity.ENERGY_T4: ("谷时电量", "energy, valley hours"),
        Quantity.VOLUME: ("水量", "volume"),
        Quantity.HEAT_ENERGY: ("热量", "heat"),
        Quantity.POWER: ("功率", "power"),
        Quantity.VOLTAGE: ("电压", "voltage"),
        Quantity.CURRENT: ("电流", "current"),
        Quantity.FLOW: ("流量", "flow"),
        Quantity.TEMPERATURE: ("温度", "temperature"),
    }
)
BREAKS: Mapping[BreakClass, Words] = MappingProxyType(
    {
        BreakClass.LOST_NOTIFICATION: (
            "掉单：渠道已收，本系统未入账",
            "the channel was paid, we had not heard of it",
        ),
        BreakClass.CHANNEL_ONLY: ("渠道有，本系统无此单", "the channel has a payment that is not ours"),
        BreakClass.BOOK_ONLY: ("本系统有，渠道无", "booked here, unknown to the channel"),
        BreakClass.AMOUNT_DIFFERS: ("金额不一致", "the amounts differ"),
        BreakClass.STATE_DIFFERS: ("退款状态不一致", "a refund is done on one side only"),
        BreakClass.DOUBLED_ROW: ("账单重复行", "the statement names one number twice"),
    }
)
FLOWS: Mapping[FlowFinding, Words] = MappingProxyType(
    {
        FlowFinding.FLOW_MISSING: ("有交易，余额未变动", "traded, but the balance did not move"),
        FlowFinding.FLOW_DIFFERS: ("余额变动金额不同", "the balance moved by another amount"),
        FlowFinding.FLOW_UNKNOWN: ("余额变动，无对应交易", "the balance moved and no trade explains it"),
        FlowFinding.FEE_DIFFERS: ("手续费不一致", "the fee differs"),
        FlowFinding.COMPLAINT: ("投诉扣款", "taken for a complaint"),
    }
)
ACTIONS: Mapping[FirstAction, Words] = MappingProxyType(
    {
        FirstAction.ASK_CHANNEL: ("向渠道查询该订单", "ask the channel about the order"),
        FirstAction.LOOK_FOR_OTHER_SYSTEM: (
            "查找是否有其他系统使用同一商户号",
            "look for another system on this merchant number",
        ),
        FirstAction.FREEZE: ("冻结该笔，人工核对", "freeze it and compare by hand"),
        FirstAction.FETCH_AGAIN: ("重新下载对账单", "fetch the statement again"),
    }
)
SETTLING: Mapping[SettlingOrder, Words] = MappingProxyType(
    {
        SettlingOrder.OLDEST_FIRST: ("先结清最早到期的费用", "what is due first is settled first"),
        SettlingOrder.LATE_CHARGES_FIRST: ("先结清违约金，再按到期先后", "late charges first, then what is due first"),
        SettlingOrder.PRINCIPAL_FIRST: ("先结清本金，违约金最后", "principal first, late charges last"),
        SettlingOrder.NEWEST_FIRST: ("先结清最晚到期的费用", "what is due last is settled first"),
        SettlingOrder.ITEMS_FIRST: ("先结清指定收费项，再按到期先后", "named charges first, then what is due first"),
    }
)
for words, kinds in (
    (SETTLING, SettlingOrder),
    (FUNDS, FundClass),
    (CHANNELS, Channel),
    (METHODS, Method),
    (QUANTITIES, Quantity),
    (BREAKS, BreakClass),
    (ACTIONS, FirstAction),
    (FLOWS, FlowFinding),
):
    ensure(set(words) == set(kinds), f"every member of {kinds.__name__} has words")
ensure({route.code for route in Route} <= set(ROUTES), "every fund route has words")


def settling_words(settling: Settling) -> Words:
    """Return in which order money settles, in words; charge items are named by their codes."""
    zh, en = SETTLING[settling.order]
    if not settling.items:
        return zh, en
    return f"{zh}（{'、'.join(settling.items)}）", f"{en} ({', '.join(settling.items)})"
