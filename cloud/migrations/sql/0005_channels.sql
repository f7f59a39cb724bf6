-- Payment channels, fund flow and bank statements.

-- Channels: more of them, and the way in which a payer is asked.
ALTER TABLE merchant_account DROP CONSTRAINT ck_merchant_account_channel;
ALTER TABLE merchant_account ADD CONSTRAINT ck_merchant_account_channel CHECK (channel IN ('wechat', 'alipay', 'unionpay', 'pos', 'bank', 'cash'));

ALTER TABLE payment_intent ADD COLUMN collection_id UUID;

ALTER TABLE payment_attempt ADD COLUMN method VARCHAR(32) NOT NULL DEFAULT 'native';
ALTER TABLE payment_attempt ALTER COLUMN method DROP DEFAULT;
ALTER TABLE payment_attempt ADD COLUMN prompt VARCHAR(32);
ALTER TABLE payment_attempt ADD COLUMN prompt_fields JSONB NOT NULL DEFAULT '{}';
ALTER TABLE payment_attempt ALTER COLUMN prompt_fields DROP DEFAULT;
ALTER TABLE payment_attempt ADD CONSTRAINT ck_payment_attempt_method CHECK (method IN ('native', 'jsapi', 'h5', 'page', 'wap', 'precreate', 'gateway', 'qr', 'code', 'deduction', 'counter', 'transfer'));
ALTER TABLE payment_attempt ADD CONSTRAINT ck_payment_attempt_promptkind CHECK (prompt IN ('scan', 'open', 'submit', 'invoke', 'wait'));

ALTER TABLE payment ADD COLUMN method VARCHAR(32);
ALTER TABLE payment ALTER COLUMN method TYPE VARCHAR(32) USING (CASE channel WHEN 'cash' THEN 'counter' ELSE 'native' END);
ALTER TABLE payment ALTER COLUMN method SET NOT NULL;
ALTER TABLE payment ADD COLUMN sub_method TEXT NOT NULL DEFAULT '';
ALTER TABLE payment ALTER COLUMN sub_method DROP DEFAULT;
ALTER TABLE payment ADD COLUMN bank_line_id UUID;
ALTER TABLE payment ADD COLUMN collection_id UUID;
ALTER TABLE payment DROP CONSTRAINT ck_payment_channel;
ALTER TABLE payment DROP CONSTRAINT ck_payment_cash_names_shift;
ALTER TABLE payment DROP CONSTRAINT ck_payment_online_names_order;
ALTER TABLE payment ADD CONSTRAINT ck_payment_channel CHECK (channel IN ('wechat', 'alipay', 'unionpay', 'pos', 'bank', 'cash'));
ALTER TABLE payment ADD CONSTRAINT ck_payment_method CHECK (method IN ('native', 'jsapi', 'h5', 'page', 'wap', 'precreate', 'gateway', 'qr', 'code', 'deduction', 'counter', 'transfer'));
ALTER TABLE payment ADD CONSTRAINT ck_payment_cash_names_shift CHECK (channel <> 'cash' or cash_shift_id is not null);
ALTER TABLE payment ADD CONSTRAINT ck_payment_online_names_attempt CHECK ((channel in ('wechat', 'alipay', 'unionpay')) = (attempt_id is not null));
ALTER TABLE payment ADD CONSTRAINT ck_payment_channel_names_order CHECK (channel in ('cash', 'bank') or (transaction_id is not null and merchant_account_id is not null and order_number is not null));
ALTER TABLE payment ADD CONSTRAINT ck_payment_transfer_names_line CHECK ((channel = 'bank') = (bank_line_id is not null));
ALTER TABLE payment ADD CONSTRAINT uq_payment_tenant_id_bank_line_id UNIQUE (tenant_id, bank_line_id);
CREATE INDEX ix_payment_collection ON payment (tenant_id, collection_id);

ALTER TABLE refund ADD COLUMN transaction_id TEXT;

CREATE TABLE card_slip (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    payment_id UUID NOT NULL,
    terminal TEXT NOT NULL,
    batch TEXT NOT NULL,
    voucher TEXT NOT NULL,
    reference TEXT NOT NULL,
    card_tail TEXT NOT NULL,
    CONSTRAINT pk_card_slip PRIMARY KEY (tenant_id, community_id, payment_id),
    CONSTRAINT fk_card_slip_tenant_id_community_id_payment_id_payment FOREIGN KEY(tenant_id, community_id, payment_id) REFERENCES payment (tenant_id, community_id, payment_id),
    CONSTRAINT ck_card_slip_no_more_than_the_tail CHECK (length(card_tail) = 4)
);

alter table "card_slip" enable row level security;
alter table "card_slip" force row level security;
create policy company on "card_slip" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert on "card_slip" to gatehouse_app, gatehouse_worker;
create trigger append_only before update or delete or truncate on "card_slip" for each statement execute function refuse_change();
