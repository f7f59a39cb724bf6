-- Tax invoices (accounts at platforms, blue and red invoices) and agreements to pay by instalments.

CREATE TABLE invoice_account (
    tenant_id UUID NOT NULL,
    invoice_account_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    app_key TEXT NOT NULL,
    tax_number TEXT NOT NULL,
    drawer TEXT NOT NULL,
    with_agency BOOLEAN NOT NULL,
    secret_sealed BYTEA NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    closed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_invoice_account PRIMARY KEY (tenant_id, invoice_account_id),
    CONSTRAINT fk_invoice_account_tenant_id_legal_entity_id_legal_entity FOREIGN KEY(tenant_id, legal_entity_id) REFERENCES legal_entity (tenant_id, legal_entity_id)
);

CREATE UNIQUE INDEX uq_invoice_account_open ON invoice_account (tenant_id, legal_entity_id) WHERE closed_at is null;

alter table "invoice_account" enable row level security;
alter table "invoice_account" force row level security;
create policy company on "invoice_account" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on "invoice_account" to gatehouse_app, gatehouse_worker;

CREATE TABLE tax_invoice (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    invoice_id UUID NOT NULL,
    account_id UUID NOT NULL,
    bill_id UUID NOT NULL,
    legal_entity_id UUID NOT NULL,
    invoice_account_id UUID NOT NULL,
    colour VARCHAR(32) NOT NULL,
    kind VARCHAR(32) NOT NULL,
    blue_id UUID,
    reason VARCHAR(32),
    order_number TEXT NOT NULL,
    title_sealed BYTEA NOT NULL,
    shown TEXT NOT NULL,
    lines JSONB NOT NULL,
    total_fen BIGINT NOT NULL,
    net_fen BIGINT NOT NULL,
    state VARCHAR(32) NOT NULL,
    attempts BIGINT NOT NULL,
    asked BIGINT NOT NULL,
    number TEXT,
    issued_at TIMESTAMP WITH TIME ZONE,
    file_url TEXT NOT NULL,
    detail TEXT NOT NULL,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    requested_by UUID,
    ended_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_tax_invoice PRIMARY KEY (tenant_id, community_id, invoice_id),
    CONSTRAINT fk_tax_invoice_tenant_id_community_id_account_id_account FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id),
    CONSTRAINT fk_tax_invoice_tenant_id_community_id_bill_id_bill FOREIGN KEY(tenant_id, community_id, bill_id) REFERENCES bill (tenant_id, community_id, bill_id),
    CONSTRAINT fk_tax_invoice_tenant_id_invoice_account_id_invoice_account FOREIGN KEY(tenant_id, invoice_account_id) REFERENCES invoice_account (tenant_id, invoice_account_id),
    CONSTRAINT fk_tax_invoice_tenant_id_community_id_blue_id_tax_invoice FOREIGN KEY(tenant_id, community_id, blue_id) REFERENCES tax_invoice (tenant_id, community_id, invoice_id),
    CONSTRAINT uq_tax_invoice_tenant_id_order_number UNIQUE (tenant_id, order_number),
    CONSTRAINT uq_tax_invoice_tenant_id_number UNIQUE (tenant_id, number),
    CONSTRAINT ck_tax_invoice_amounts CHECK (total_fen > 0 and net_fen >= 0 and net_fen <= total_fen),
    CONSTRAINT ck_tax_invoice_red_takes_a_blue CHECK ((colour = 'red') = (blue_id is not null)),
    CONSTRAINT ck_tax_invoice_red_has_reason CHECK ((colour = 'red') = (reason is not null)),
    CONSTRAINT ck_tax_invoice_issued_has_number CHECK ((state = 'issued') = (number is not null)),
    CONSTRAINT ck_tax_invoice_ended_has_time CHECK ((state in ('issued', 'refused')) = (ended_at is not null)),
    CONSTRAINT ck_tax_invoice_colour CHECK (colour IN ('blue', 'red')),
    CONSTRAINT ck_tax_invoice_invoicekind CHECK (kind IN ('ordinary', 'special')),
    CONSTRAINT ck_tax_invoice_redreason CHECK (reason IN ('returned', 'wrong', 'stopped', 'allowance')),
    CONSTRAINT ck_tax_invoice_invoicestate CHECK (state IN ('requested', 'sending', 'accepted', 'confirming', 'issued', 'refused', 'unknown'))
);

CREATE INDEX ix_tax_invoice_account ON tax_invoice (tenant_id, account_id, requested_at);

CREATE INDEX ix_tax_invoice_bill ON tax_invoice (tenant_id, bill_id);

CREATE INDEX ix_tax_invoice_community ON tax_invoice (tenant_id, community_id, requested_at);

alter table "tax_invoice" enable row level security;
alter table "tax_invoice" force row level security;
create policy company on "tax_invoice" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on "tax_invoice" to gatehouse_app, gatehouse_worker;

CREATE TABLE instalment_agreement (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    agreement_id UUID NOT NULL,
    account_id UUID NOT NULL,
    lines JSONB NOT NULL,
    plan JSONB NOT NULL,
    total_fen BIGINT NOT NULL,
    late_rule VARCHAR(32) NOT NULL,
    reason TEXT NOT NULL,
    state VARCHAR(32) NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    asked_by UUID NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by UUID,
    ended_at TIMESTAMP WITH TIME ZONE,
    note TEXT NOT NULL,
    CONSTRAINT pk_instalment_agreement PRIMARY KEY (tenant_id, community_id, agreement_id),
    CONSTRAINT fk_instalment_agreement_tenant_id_community_id_account__8a98 FOREIGN KEY(tenant_id, community_id, account_id) REFERENCES account (tenant_id, community_id, account_id),
    CONSTRAINT ck_instalment_agreement_amount_positive CHECK (total_fen > 0),
    CONSTRAINT ck_instalment_agreement_decided_by_somebody CHECK ((state in ('asked', 'withdrawn')) = (decided_by is null)),
    CONSTRAINT ck_instalment_agreement_two_persons CHECK (decided_by is null or decided_by <> asked_by),
    CONSTRAINT ck_instalment_agreement_ended_has_time CHECK ((state in ('asked', 'agreed')) = (ended_at is null)),
    CONSTRAINT ck_instalment_agreement_laterule CHECK (late_rule IN ('forgiven_if_kept', 'charged')),
    CONSTRAINT ck_instalment_agreement_agreementstate CHECK (state IN ('asked', 'agreed', 'kept', 'broken', 'refused', 'withdrawn'))
);

CREATE INDEX ix_instalment_agreement_community ON instalment_agreement (tenant_id, community_id, state, asked_at);

CREATE UNIQUE INDEX uq_instalment_agreement_standing ON instalment_agreement (tenant_id, account_id) WHERE state in ('asked', 'agreed');

alter table "instalment_agreement" enable row level security;
alter table "instalment_agreement" force row level security;
create policy company on "instalment_agreement" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on "instalment_agreement" to gatehouse_app, gatehouse_worker;
