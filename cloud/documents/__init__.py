"""Papers: bills, receipts and vouchers as sealed PDF/A files that anybody can check."""
