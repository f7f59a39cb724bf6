"""UnionPay 5.1.0: a thin client of its front, back and file interfaces, its signatures and its files."""
