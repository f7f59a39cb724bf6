-- Automatic deduction and how payments are divided.

CREATE TABLE mandate (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    mandate_id UUID NOT NULL,
    account_id UUID NOT NULL,
    merchant_account_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    fund_class VARCHAR(32) NOT NULL,
    number TEXT NOT NULL,
    limit_fen BIGINT NOT NULL,
    day_of_month BIGINT NOT NULL,
    state VARCHAR(32) NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    signed_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    detail TEXT NOT NULL,
    CONSTRAINT pk_mandate PRIMARY KEY (tenant_id, community_id, mandate_id),
    CONSTRAINT fk_mandate_tenant_id_community_id_account_id_account FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id),
    CONSTRAINT fk_mandate_merchant_account FOREIGN KEY(tenant_id, merchant_account_id, legal_entity_id, fund_class) REFERENCES merchant_account (tenant_id, merchant_account_id, legal_entity_id, fund_class),
    CONSTRAINT uq_mandate_tenant_id_number UNIQUE (tenant_id, number),
    CONSTRAINT ck_mandate_wish_possible CHECK (limit_fen > 0 and day_of_month between 1 and 28),
    CONSTRAINT ck_mandate_active_is_signed CHECK (state not in ('active', 'paused') or signed_at is not null),
    CONSTRAINT ck_mandate_ended_says_when CHECK ((state = 'ended') = (ended_at is not null)),
    CONSTRAINT ck_mandate_fundclass CHECK (fund_class IN ('operating', 'deposit', 'maintenance', 'common_income')),
    CONSTRAINT ck_mandate_mandatestate CHECK (state IN ('asked', 'active', 'paused', 'ended'))
);

CREATE UNIQUE INDEX uq_mandate_standing ON mandate (tenant_id, community_id, account_id, legal_entity_id, fund_class) WHERE state <> 'ended';

alter table "mandate" enable row level security;
alter table "mandate" force row level security;
create policy company on "mandate" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on "mandate" to gatehouse_app, gatehouse_worker;

CREATE TABLE debit (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    debit_id UUID NOT NULL,
    mandate_id UUID NOT NULL,
    account_id UUID NOT NULL,
    execute_on DATE NOT NULL,
    amount_fen BIGINT NOT NULL,
    bill_ids JSONB NOT NULL,
    state VARCHAR(32) NOT NULL,
    announced_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    detail TEXT NOT NULL,
    CONSTRAINT pk_debit PRIMARY KEY (tenant_id, community_id, debit_id),
    CONSTRAINT fk_debit_tenant_id_community_id_mandate_id_mandate FOREIGN KEY(tenant_id, community_id, mandate_id) REFERENCES mandate (tenant_id, community_id, mandate_id),
    CONSTRAINT uq_debit_cycle UNIQUE (tenant_id, community_id, mandate_id, execute_on),
    CONSTRAINT ck_debit_amount_positive CHECK (amount_fen > 0),
    CONSTRAINT ck_debit_decided_says_when CHECK ((state = 'announced') = (decided_at is null)),
    CONSTRAINT ck_debit_debitstate CHECK (state IN ('announced', 'taken', 'cancelled', 'failed'))
);

CREATE INDEX ix_debit_account ON debit (tenant_id, account_id);

CREATE INDEX ix_debit_announced ON debit (tenant_id, execute_on) WHERE state = 'announced';

alter table "debit" enable row level security;
alter table "debit" force row level security;
create policy company on "debit" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on "debit" to gatehouse_app, gatehouse_worker;

CREATE TABLE debit_try (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    debit_id UUID NOT NULL,
    day DATE NOT NULL,
    attempt_id UUID NOT NULL,
    CONSTRAINT pk_debit_try PRIMARY KEY (tenant_id, community_id, debit_id, day),
    CONSTRAINT fk_debit_try_tenant_id_community_id_debit_id_debit FOREIGN KEY(tenant_id, community_id, debit_id) REFERENCES debit (tenant_id, community_id, debit_id),
    CONSTRAINT fk_debit_try_tenant_id_community_id_attempt_id_payment_attempt FOREIGN KEY(tenant_id, community_id, attempt_id) REFERENCES payment_attempt (tenant_id, community_id, attempt_id),
    CONSTRAINT uq_debit_try_tenant_id_attempt_id UNIQUE (tenant_id, attempt_id)
);

alter table "debit_try" enable row level security;
alter table "debit_try" force row level security;
create policy company on "debit_try" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert on "debit_try" to gatehouse_app, gatehouse_worker;
create trigger append_only before update or delete or truncate on "debit_try" for each statement execute function refuse_change();

CREATE TABLE debit_lease (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    bill_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    fund_class VARCHAR(32) NOT NULL,
    debit_id UUID NOT NULL,
    CONSTRAINT pk_debit_lease PRIMARY KEY (tenant_id, community_id, bill_id, legal_entity_id, fund_class),
    CONSTRAINT fk_debit_lease_tenant_id_community_id_debit_id_debit FOREIGN KEY(tenant_id, community_id, debit_id) REFERENCES debit (tenant_id, community_id, debit_id),
    CONSTRAINT fk_debit_lease_tenant_id_community_id_bill_id_bill FOREIGN KEY(tenant_id, community_id, bill_id) REFERENCES bill (tenant_id, community_id, bill_id),
    CONSTRAINT ck_debit_lease_fundclass CHECK (fund_class IN ('operating', 'deposit', 'maintenance', 'common_income'))
);

CREATE INDEX ix_debit_lease_debit ON debit_lease (tenant_id, debit_id);

alter table "debit_lease" enable row level security;
alter table "debit_lease" force row level security;
create policy company on "debit_lease" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on "debit_lease" to gatehouse_app, gatehouse_worker;

-- In which order payments settle: what a community put first.
ALTER TABLE settling_order ADD COLUMN items JSONB NOT NULL DEFAULT '[]';
ALTER TABLE settling_order ALTER COLUMN items DROP DEFAULT;
ALTER TABLE settling_order DROP CONSTRAINT ck_settling_order_known;
ALTER TABLE settling_order ADD CONSTRAINT ck_settling_order_known CHECK (settling in ('oldest_first', 'late_charges_first', 'principal_first', 'newest_first', 'items_first'));

-- What a payer is told about them.
ALTER TABLE notice DROP CONSTRAINT ck_notice_noticekind;
ALTER TABLE notice ADD CONSTRAINT ck_notice_noticekind CHECK (kind IN ('due_soon', 'due_today', 'overdue', 'overdue_long', 'deduction', 'debit', 'debit_failed'));
