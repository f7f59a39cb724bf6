"""The words of the page of background work: what each kind of job does. Chinese first, English beside it.

Every kind that the flow of the house handles has its words here (a test compares); one of a later release is shown as
it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from cloud.web.manager_words import Words

JOB_KINDS: Mapping[str, Words] = {
    "access.cards": ("下发门禁卡", "Tell gateways the cards"),
    "access.uses": ("收取通行记录", "Take in passages"),
    "arrears.late_charges": ("计收违约金", "Charge for late payment"),
    "arrears.look": ("检查欠费与分期", "Look at arrears and instalments"),
    "billing.dues": ("下发应缴金额", "Tell kiosks the dues"),
    "billing.nightly": ("安排夜间出账", "Ask for the night's bill runs"),
    "billing.price_correction": ("追溯调价记账", "Book a change of past prices"),
    "billing.run": ("出账", "Bill run"),
    "billing.use_ahead": ("以预缴款抵扣", "Settle with what was paid ahead"),
    "cases.open": ("建立待办", "Open a case"),
    "deposits.hold": ("押金到账", "Take in a deposit"),
    "deposits.look": ("检查押金", "Look at deposits"),
    "deposits.note_refund": ("登记押金退还", "Note a deposit's return"),
    "documents.seal": ("文件盖章", "Seal a paper"),
    "documents.warn": ("检查印章有效期", "Look at the seals' ends"),
    "ingest.expire_personal": ("清除到期个人数据", "Delete personal data in time"),
    "ingest.note_reports": ("登记网关报告", "Note a gateway's reports"),
    "invoices.ask": ("查询开票结果", "Ask for an invoice's result"),
    "invoices.follow": ("随退款红冲", "Follow a refund with a red letter"),
    "invoices.look": ("检查发票", "Look at invoices"),
    "invoices.send": ("申请开票", "Ask for an invoice"),
    "ledger.seal": ("账簿日封存", "Seal the ledger's days"),
    "mandates.check": ("查询代扣协议", "Ask about an agreement to deduct"),
    "mandates.look": ("检查代扣", "Look at deductions"),
    "mandates.note": ("登记代扣结果", "Note a deduction"),
    "mandates.take": ("发起代扣", "Take a deduction"),
    "metering.look_back": ("每日用量分析", "Look back over the day's use"),
    "metering.unpack": ("读数入库", "Store readings"),
    "notices.debit": ("代扣预告", "Announce a deduction"),
    "notices.deduction": ("押金扣款通知", "Tell of a deposit's deduction"),
    "notices.look": ("查询短信与邮件结果", "Ask what became of messages"),
    "notices.remind": ("缴费提醒", "Remind of bills"),
    "notices.retry": ("重发短信与邮件", "Send messages again"),
    "notices.tell": ("发送通知", "Send a notice"),
    "outbox.deliver": ("对外递送", "Deliver outside"),
    "parking.acts": ("收取停车记录", "Take in parking records"),
    "parking.night": ("夜间停车对账", "State the night's parking"),
    "parking.permits": ("下发停车许可", "Tell gateways the permits"),
    "payments.ask": ("查询付款结果", "Ask for a payment's result"),
    "rating.estimates": ("核对网关估算", "Compare a gateway's estimates"),
    "reconciliation.begin": ("安排对账", "Begin reconciliation"),
    "reconciliation.compare": ("与渠道账单比对", "Compare with a channel's statement"),
    "reconciliation.fetch": ("下载渠道账单", "Fetch a channel's statement"),
    "reconciliation.read_upload": ("读取上传的账单", "Read an uploaded statement"),
    "reconciliation.recheck": ("复核收款", "Look at a payment again"),
    "reconciliation.recheck_refund": ("复核退款", "Look at a refund again"),
    "refunds.ask": ("查询退款结果", "Ask for a refund's result"),
    "refunds.noticed": ("登记渠道的退款通知", "Note a channel's word on a refund"),
    "refunds.reserve": ("预留退款资金", "Set money aside for a refund"),
    "refunds.submit": ("提交退款", "Send a refund"),
    "refunds.take_return": ("办理押金退还", "Return a deposit"),
    "tariffs.publish": ("下发价格", "Tell gateways the prices"),
}
