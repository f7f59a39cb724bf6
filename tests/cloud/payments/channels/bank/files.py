"""Bank statements written for tests, as the banks' exports look."""

from __future__ import annotations

_WIDE = str.maketrans("0123456789", "".join(chr(0xFF10 + n) for n in range(10)))
ICBC = f"""查询账户:6222000011112222,户名:花园物业有限公司
起始日期:2026-03-01,截止日期:2026-03-02
交易日期,交易流水号,借方发生额,贷方发生额,余额,对方单位名称,对方账号,摘要
2026-03-01\t,0001\t,,"1,234.50","11,234.50",张三,6217000012345678,WCODE01 物业费
2026-03-02,0002,12.34,,"11,222.16",,,手续费
2026-03-02,0003,,{"100.00".translate(_WIDE)},"11,322.16",李四,6217000099998888,1-1-002 三月

贷方合计,"1,334.50",,,,,,
借方合计,12.34,,,,,,
"""
MYBANK = """网商银行对账单
交易时间,流水号,借方金额,贷方金额,账户余额,对方户名,对方账号,备注
2026-03-02 10:00:00,M2,,20.00,180.00,供应商,1,采购
2026-03-01 09:00:00,M1,100.00,,200.00,张三,2,物业费
"""
MT940 = """:20:GATEHOUSE
:25:BANKCNBJ/6222000011112222
:28C:00123/001
:60F:C260301CNY10000,00
:61:2603020302C243,80NTRFNONREF//2026030200001
:86:1-1-001
:61:2603020302RC43,80NTRFNONREF//2026030200002
:86:退汇
:62F:C260302CNY10200,00
-
"""
CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="CNY">145.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>
<Ntry><Amt Ccy="CNY">50.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><BookgDt><Dt>2026-03-02</Dt></BookgDt>
<AcctSvcrRef>S1</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>E1</EndToEndId></Refs><RltdPties><Dbtr><Nm>Zhang</Nm>
</Dbtr></RltdPties><RmtInf><Ustrd>1-1-001</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="CNY">5.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd><BookgDt><Dt>2026-03-02</Dt></BookgDt>
<AcctSvcrRef>S2</AcctSvcrRef></Ntry>
</Stmt></BkToCstmrStmt></Document>
"""
