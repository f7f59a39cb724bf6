"""The words of the manager's pages for what the domains say in codes: Chinese first, English beside it.

A code that is not here is shown as it is: a gateway or a later part of the house may report what this page does not
know yet, and it must not be hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cloud.web.money_words import FUNDS
from common.errors import ensure
from common.measure.quantity import Unit
from common.reading.reading import Resource

Words = tuple[str, str]

CASE_KINDS: Mapping[str, Words] = {
    "exception": ("例外", "Exception"),
    "anomaly": ("异常", "Anomaly"),
    "alarm": ("告警", "Alarm"),
    "repair": ("报修", "Repair"),
    "dispute": ("争议", "Dispute"),
}
CASE_REASONS: Mapping[str, Words] = {
    "no_reading": ("缺少读数", "No reading"),
    "held_reading": ("读数待确认", "Reading held"),
    "backwards": ("读数倒走", "Register ran backwards"),
    "jump": ("读数跳变", "Register jumped"),
    "gap": ("读数中断", "Readings interrupted"),
    "stuck": ("读数长期不动", "Register does not move"),
    "reverse_flow": ("反向流动", "Flow runs backwards"),
    "abnormal_days": ("连续三日异常", "Three abnormal days in a row"),
    "swapped_meters": ("表具疑似接反", "Meters seem exchanged"),
    "comms_quality": ("通讯质量差", "Poor communications"),
    "spike": ("用量突增", "Usage far above usual"),
    "night_flow": ("夜间持续用水", "Flow at night"),
    "continuous_flow": ("用水不间断", "Flow never stops"),
    "small_leak": ("细小漏水", "Small leak"),
    "running_toilet": ("马桶漏水", "Running toilet"),
    "daytime_leak": ("白天长流水", "Water runs all day"),
    "abnormal_months": ("连续三月异常", "Three abnormal months in a row"),
    "building_loss": ("总表大于分表", "Total above its sub-meters"),
    "building_gain": ("分表大于总表", "Sub-meters above their total"),
    "clock_skew": ("网关时钟偏差", "Gateway clock is off"),
    "meter_proposed": ("现场加装表计待接受", "Meter found on site, to accept"),
    "no_meter": ("没有表具", "No meter"),
    "no_price": ("没有价格", "No price"),
    "no_area": ("缺少面积", "No area"),
    "no_share": ("缺少分摊依据", "No share"),
    "no_payer": ("没有付费人", "No payer"),
    "refused": ("无法计费", "Rating refused"),
    "no_household": ("停车未登记住户", "Stay without household"),
    "no_entry": ("停车无入场记录", "Stay without entry"),
    "unpaid_stay": ("停车未付费", "Unpaid stay"),
    "unknown_lot": ("未登记停车场", "Unknown lot"),
    "unknown_meter": ("未登记表具", "Unknown meter"),
    "unknown_quantity": ("未知读数类别", "Unknown quantity"),
    "estimate_trued": ("估读后真实读数已到", "True reading after an estimate"),
    "estimate_differs": ("网关估算与账单不符", "Estimate differs from bill"),
    "answer_differs": ("渠道金额不符", "Channel told other amounts"),
    "duplicate_payment": ("重复付款", "Paid twice"),
    "return_refused": ("押金退还被拒", "Deposit return refused"),
    "order_not_ours": ("非本系统订单", "Order not ours"),
    "instalment_broken": ("分期违约", "Instalment missed"),
    "invoice_refused": ("开票被拒", "Invoice refused"),
    "invoice_unknown": ("开票结果不明", "Invoice unknown"),
    "invoice_differs": ("发票与申请不符", "Invoice differs"),
    "statement_missing": ("对账单缺失", "Statement missing"),
    "statement_unusable": ("对账单无法读取", "Statement unusable"),
    "new_store_epoch": ("网关更换存储", "Gateway has a new store"),
    "history_forked": ("网关历史分叉", "Gateway history forked"),
    "seal_key_expiring": ("印章证书即将到期", "seal certificate ends soon"),
    "letters_missing": ("单据缺字", "letters missing on a paper"),
}
OWNER_ROLES: Mapping[str, Words] = {
    "manager": ("经理", "Manager"),
    "cashier": ("出纳", "Cashier"),
    "technician": ("技术员", "Technician"),
}
CASE_DEEDS: Mapping[str, Words] = {
    "opened": ("发现", "Opened"),
    "seen_again": ("再次发现", "Seen again"),
    "assigned": ("转交", "Assigned"),
    "noted": ("备注", "Noted"),
    "closed": ("关闭", "Closed"),
}
CORRECTION_STATES: Mapping[str, Words] = {
    "open": ("待批准", "Open"),
    "applied": ("已出具", "Applied"),
    "dropped": ("已放弃", "Dropped"),
}
PRICE_CHANGE_STATES: Mapping[str, Words] = {
    "open": ("待批准", "Open"),
    "approved": ("正在记账", "Being booked"),
    "booked": ("已记账", "Booked"),
    "dropped": ("已放弃", "Dropped"),
}
CORRECTION_CAUSES: Mapping[str, Words] = {
    "reading": ("读数", "Reading"),
    "tariff": ("价格", "Tariff"),
    "assignment": ("收费关系", "Assignment"),
    "share": ("分摊", "Share"),
    "dispute": ("争议", "Dispute"),
    "area": ("面积", "Area"),
    "occupancy": ("入住状态", "Occupancy"),
    "estimate": ("估读转实读", "Estimate became a reading"),
    "withdrawal": ("撤销收费", "Charge withdrawn"),
    "waiver": ("减免", "Waiver"),
    "late": ("违约金随付款更正", "Late charge follows the payments"),
}
GATEWAY_STATES: Mapping[str, Words] = {
    "planned": ("待安装", "Planned"),
    "enrolled": ("运行中", "Enrolled"),
    "retired": ("已停用", "Retired"),
}
RESOURCES: Mapping[str, Words] = {
    "electricity": ("电", "Electricity"),
    "water": ("水", "Water"),
    "hot_water": ("热水", "Hot water"),
    "gas": ("燃气", "Gas"),
    "heat": ("供暖", "Heat"),
}
UNITS: Mapping[Resource, Unit] = {
    Resource.ELECTRICITY: Unit.KILOWATT_HOUR,
    Resource.WATER: Unit.CUBIC_METRE,
    Resource.HOT_WATER: Unit.CUBIC_METRE,
    Resource.GAS: Unit.CUBIC_METRE,
    Resource.HEAT: Unit.KILOWATT_HOUR,
}
ensure(set(UNITS) == set(Resource), "every resource has a unit in which its register is entered")
BASES: Mapping[str, Words] = {
    "area": ("按面积", "By area"),
    "metered": ("按表计量", "Metered"),
    "share": ("公摊", "Shared"),
    "parking": ("停车", "Parking"),
    "flat": ("固定", "Flat"),
    "one_off": ("一次性", "One-off"),
    "late": ("违约金", "Late charge"),
}
NATURES: Mapping[str, Words] = {
    "revenue": ("收入", "Revenue"),
    "agency": ("代收代缴", "Collected for another"),
    "liability": ("负债", "Liability"),
}


def worded(words: Mapping[Any, Words]) -> Callable[[str], Words]:
    """Return a filter that puts a code into words, or shows it as it is."""
    return lambda code: words.get(str(code), (str(code), ""))


FILTERS: Mapping[str, Callable[[str], Words]] = {
    "case_kind": worded(CASE_KINDS),
    "case_reason": worded(CASE_REASONS),
    "owner_role": worded(OWNER_ROLES),
    "case_deed": worded(CASE_DEEDS),
    "correction_state": worded(CORRECTION_STATES),
    "price_change_state": worded(PRICE_CHANGE_STATES),
    "correction_cause": worded(CORRECTION_CAUSES),
    "gateway_state": worded(GATEWAY_STATES),
    "resource": worded(RESOURCES),
    "basis": worded(BASES),
    "nature": worded(NATURES),
    "fund": worded(FUNDS),
}
