-- Providers of messages.

alter table "notice" add column facts JSONB DEFAULT '{}'::jsonb NOT NULL;

CREATE TABLE notice_address (
    tenant_id UUID NOT NULL,
    party_id UUID NOT NULL,
    way VARCHAR(32) NOT NULL,
    address_sealed BYTEA NOT NULL,
    shown TEXT NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_notice_address PRIMARY KEY (tenant_id, party_id),
    CONSTRAINT fk_notice_address_tenant_id_party_id_party FOREIGN KEY(tenant_id, party_id) REFERENCES party (tenant_id, party_id),
    CONSTRAINT ck_notice_address_way CHECK (way IN ('sms', 'wechat', 'mail'))
);

alter table "notice_address" enable row level security;
alter table "notice_address" force row level security;
create policy company on "notice_address" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on "notice_address" to gatehouse_app, gatehouse_worker;

CREATE TABLE message_account (
    tenant_id UUID NOT NULL,
    message_account_id UUID NOT NULL,
    way VARCHAR(32) NOT NULL,
    login TEXT NOT NULL,
    sender TEXT NOT NULL,
    host TEXT NOT NULL,
    port BIGINT NOT NULL,
    templates JSONB NOT NULL,
    secret_sealed BYTEA NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_message_account PRIMARY KEY (tenant_id, message_account_id),
    CONSTRAINT ck_message_account_way CHECK (way IN ('sms', 'wechat', 'mail'))
);

CREATE UNIQUE INDEX uq_message_account_open ON message_account (tenant_id, way) WHERE closed_at is null;

alter table "message_account" enable row level security;
alter table "message_account" force row level security;
create policy company on "message_account" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on "message_account" to gatehouse_app, gatehouse_worker;

CREATE TABLE delivery (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    notice_id UUID NOT NULL,
    message_account_id UUID NOT NULL,
    way VARCHAR(32) NOT NULL,
    address_sealed BYTEA NOT NULL,
    shown TEXT NOT NULL,
    state VARCHAR(32) NOT NULL,
    attempts BIGINT NOT NULL,
    asked BIGINT NOT NULL,
    reference TEXT NOT NULL,
    reason TEXT NOT NULL,
    planned_at TIMESTAMP WITH TIME ZONE NOT NULL,
    leased_until TIMESTAMP WITH TIME ZONE,
    next_at TIMESTAMP WITH TIME ZONE,
    accepted_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_delivery PRIMARY KEY (tenant_id, community_id, notice_id),
    CONSTRAINT fk_delivery_tenant_id_community_id_notice_id_notice FOREIGN KEY(tenant_id, community_id, notice_id) REFERENCES notice (tenant_id, community_id, notice_id),
    CONSTRAINT fk_delivery_tenant_id_message_account_id_message_account FOREIGN KEY(tenant_id, message_account_id) REFERENCES message_account (tenant_id, message_account_id),
    CONSTRAINT ck_delivery_lease_iff_sending CHECK ((state = 'sending') = (leased_until is not null)),
    CONSTRAINT ck_delivery_ended_has_time CHECK ((state in ('delivered', 'failed', 'unknown')) = (ended_at is not null)),
    CONSTRAINT ck_delivery_accepted_has_time CHECK (state not in ('accepted', 'delivered') or accepted_at is not null),
    CONSTRAINT ck_delivery_failed_has_reason CHECK (state not in ('failed', 'unknown') or reason <> ''),
    CONSTRAINT ck_delivery_way CHECK (way IN ('sms', 'wechat', 'mail')),
    CONSTRAINT ck_delivery_deliverystate CHECK (state IN ('waiting', 'sending', 'accepted', 'delivered', 'failed', 'unknown'))
);

CREATE INDEX ix_delivery_community ON delivery (tenant_id, community_id, planned_at);

alter table "delivery" enable row level security;
alter table "delivery" force row level security;
create policy company on "delivery" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on "delivery" to gatehouse_app, gatehouse_worker;

alter table "paper" drop constraint ck_paper_paperkind;
alter table "paper" add constraint ck_paper_paperkind CHECK (kind IN ('bill', 'receipt', 'refund_voucher', 'deposit_voucher', 'move_out', 'arrears_letter'));

CREATE TABLE arrears_letter (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    letter_id UUID NOT NULL,
    account_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    made_on DATE NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    pay_token TEXT NOT NULL,
    total_fen BIGINT NOT NULL,
    lines JSONB NOT NULL,
    CONSTRAINT pk_arrears_letter PRIMARY KEY (tenant_id, community_id, letter_id),
    CONSTRAINT fk_arrears_letter_tenant_id_community_id_account_id_account FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id),
    CONSTRAINT fk_arrears_letter_tenant_id_legal_entity_id_legal_entity FOREIGN KEY(tenant_id, legal_entity_id) REFERENCES legal_entity (tenant_id, legal_entity_id),
    CONSTRAINT uq_arrears_letter_tenant_id_account_id_legal_entity_id_made_on UNIQUE (tenant_id, account_id, legal_entity_id, made_on),
    CONSTRAINT ck_arrears_letter_amount_positive CHECK (total_fen > 0)
);

alter table "arrears_letter" enable row level security;
alter table "arrears_letter" force row level security;
create policy company on "arrears_letter" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert on "arrears_letter" to gatehouse_app, gatehouse_worker;
create trigger append_only before update or delete or truncate on "arrears_letter" for each statement execute function refuse_change();
