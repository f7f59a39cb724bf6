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
ALTER TABLE refund ADD COLUMN bank_account_id UUID;
ALTER TABLE refund ADD COLUMN payee_sealed BYTEA;
ALTER TABLE refund ADD COLUMN payout_reference TEXT;
ALTER TABLE refund ADD COLUMN sent_by UUID;
ALTER TABLE refund DROP CONSTRAINT ck_refund_refundroute;
ALTER TABLE refund DROP CONSTRAINT ck_refund_original_names_order;
ALTER TABLE refund ADD CONSTRAINT ck_refund_refundroute CHECK (route IN ('original', 'cash', 'bank'));
ALTER TABLE refund ADD CONSTRAINT ck_refund_original_names_order CHECK (route <> 'original' or (merchant_account_id is not null and order_number is not null));
ALTER TABLE refund ADD CONSTRAINT ck_refund_payout_names_payee CHECK ((route = 'bank') = (bank_account_id is not null and payee_sealed is not null));
ALTER TABLE refund ADD CONSTRAINT ck_refund_payout_is_proved CHECK (route <> 'bank' or state not in ('submitted', 'arrived') or payout_reference <> '');

CREATE TABLE bank_account (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    bank_account_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    fund_class VARCHAR(32) NOT NULL,
    bank TEXT NOT NULL,
    number_tail TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_bank_account PRIMARY KEY (tenant_id, community_id, bank_account_id),
    CONSTRAINT fk_bank_account_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT fk_bank_account_tenant_id_legal_entity_id_legal_entity FOREIGN KEY(tenant_id, legal_entity_id) REFERENCES legal_entity (tenant_id, legal_entity_id),
    CONSTRAINT ck_bank_account_no_more_than_the_tail CHECK (length(number_tail) = 4),
    CONSTRAINT ck_bank_account_fundclass CHECK (fund_class IN ('operating', 'deposit', 'maintenance', 'common_income'))
);

alter table "bank_account" enable row level security;
alter table "bank_account" force row level security;
create policy company on "bank_account" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert on "bank_account" to gatehouse_app, gatehouse_worker;
create trigger append_only before update or delete or truncate on "bank_account" for each statement execute function refuse_change();

CREATE TABLE bank_file (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    bank_file_id UUID NOT NULL,
    bank_account_id UUID NOT NULL,
    kind TEXT NOT NULL,
    digest BYTEA NOT NULL,
    raw_sealed BYTEA NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    received_by UUID NOT NULL,
    lines BIGINT NOT NULL,
    fresh BIGINT NOT NULL,
    closing_fen BIGINT,
    CONSTRAINT pk_bank_file PRIMARY KEY (tenant_id, community_id, bank_file_id),
    CONSTRAINT fk_bank_file_tenant_id_community_id_bank_account_id_ban_49fa FOREIGN KEY(tenant_id, community_id, bank_account_id) REFERENCES bank_account (tenant_id, community_id, bank_account_id),
    CONSTRAINT uq_bank_file_digest UNIQUE (tenant_id, community_id, bank_account_id, digest)
);

alter table "bank_file" enable row level security;
alter table "bank_file" force row level security;
create policy company on "bank_file" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert on "bank_file" to gatehouse_app, gatehouse_worker;
create trigger append_only before update or delete or truncate on "bank_file" for each statement execute function refuse_change();

CREATE TABLE fund_day (
    tenant_id UUID NOT NULL,
    merchant_account_id UUID NOT NULL,
    day DATE NOT NULL,
    version BIGINT NOT NULL,
    digest BYTEA NOT NULL,
    raw_sealed BYTEA NOT NULL,
    compared_at TIMESTAMP WITH TIME ZONE NOT NULL,
    traded_fen BIGINT NOT NULL,
    moved_fen BIGINT NOT NULL,
    fees_fen BIGINT NOT NULL,
    withdrawn_fen BIGINT NOT NULL,
    findings JSONB NOT NULL,
    faults JSONB NOT NULL,
    CONSTRAINT pk_fund_day PRIMARY KEY (tenant_id, merchant_account_id, day, version),
    CONSTRAINT fk_fund_day_tenant_id_merchant_account_id_merchant_account FOREIGN KEY(tenant_id, merchant_account_id) REFERENCES merchant_account (tenant_id, merchant_account_id),
    CONSTRAINT ck_fund_day_version_from_one CHECK (version > 0)
);

alter table "fund_day" enable row level security;
alter table "fund_day" force row level security;
create policy company on "fund_day" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert on "fund_day" to gatehouse_app, gatehouse_worker;
create trigger append_only before update or delete or truncate on "fund_day" for each statement execute function refuse_change();

CREATE TABLE bank_line (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    bank_line_id UUID NOT NULL,
    bank_account_id UUID NOT NULL,
    bank_file_id UUID NOT NULL,
    key TEXT NOT NULL,
    day DATE NOT NULL,
    fen BIGINT NOT NULL,
    payer_sha TEXT NOT NULL,
    text_sealed BYTEA NOT NULL,
    state VARCHAR(32) NOT NULL,
    account_id UUID,
    decided_by UUID,
    decided_at TIMESTAMP WITH TIME ZONE,
    reason TEXT NOT NULL,
    CONSTRAINT pk_bank_line PRIMARY KEY (tenant_id, community_id, bank_line_id),
    CONSTRAINT fk_bank_line_tenant_id_community_id_bank_account_id_ban_fc68 FOREIGN KEY(tenant_id, community_id, bank_account_id) REFERENCES bank_account (tenant_id, community_id, bank_account_id),
    CONSTRAINT fk_bank_line_tenant_id_community_id_bank_file_id_bank_file FOREIGN KEY(tenant_id, community_id, bank_file_id) REFERENCES bank_file (tenant_id, community_id, bank_file_id),
    CONSTRAINT uq_bank_line_key UNIQUE (tenant_id, community_id, bank_account_id, key),
    CONSTRAINT ck_bank_line_moves_something CHECK (fen <> 0),
    CONSTRAINT ck_bank_line_decided_says_when CHECK ((state = 'suspense') = (decided_at is null)),
    CONSTRAINT ck_bank_line_identified_names_account CHECK (state <> 'identified' or account_id is not null),
    CONSTRAINT ck_bank_line_banklinestate CHECK (state IN ('suspense', 'identified', 'settlement', 'explained'))
);

CREATE INDEX ix_bank_line_suspense ON bank_line (tenant_id, community_id, day) WHERE state = 'suspense';

alter table "bank_line" enable row level security;
alter table "bank_line" force row level security;
create policy company on "bank_line" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on "bank_line" to gatehouse_app, gatehouse_worker;

CREATE TABLE payer_link (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    payer_sha TEXT NOT NULL,
    account_id UUID NOT NULL,
    confirmed_by UUID NOT NULL,
    confirmed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_payer_link PRIMARY KEY (tenant_id, community_id, payer_sha, account_id),
    CONSTRAINT fk_payer_link_tenant_id_community_id_account_id_account FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id)
);

alter table "payer_link" enable row level security;
alter table "payer_link" force row level security;
create policy company on "payer_link" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on "payer_link" to gatehouse_app, gatehouse_worker;

CREATE TABLE remittance_code (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    account_id UUID NOT NULL,
    code TEXT NOT NULL,
    CONSTRAINT pk_remittance_code PRIMARY KEY (tenant_id, community_id, account_id),
    CONSTRAINT fk_remittance_code_tenant_id_community_id_account_id_account FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id),
    CONSTRAINT uq_remittance_code_tenant_id_code UNIQUE (tenant_id, code)
);

alter table "remittance_code" enable row level security;
alter table "remittance_code" force row level security;
create policy company on "remittance_code" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert on "remittance_code" to gatehouse_app, gatehouse_worker;
create trigger append_only before update or delete or truncate on "remittance_code" for each statement execute function refuse_change();

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
