-- Changes of prices for the past; the few accounts of money and of what is earned are found without the others.

CREATE TABLE price_correction (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    price_correction_id UUID NOT NULL,
    charge_items JSONB NOT NULL,
    reason TEXT NOT NULL,
    cycle TEXT NOT NULL,
    first_day DATE NOT NULL,
    state TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
    opened_by UUID NOT NULL,
    preview_sha BYTEA,
    known_at TIMESTAMP WITH TIME ZONE,
    approved_by UUID,
    premises BIGINT NOT NULL,
    premises_done BIGINT NOT NULL,
    documents BIGINT NOT NULL,
    net_fen BIGINT NOT NULL,
    after UUID,
    CONSTRAINT pk_price_correction PRIMARY KEY (tenant_id, community_id, price_correction_id),
    CONSTRAINT fk_price_correction_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT ck_price_correction_state_known CHECK (state in ('open', 'approved', 'booked', 'dropped')),
    CONSTRAINT ck_price_correction_reason CHECK (reason <> ''),
    CONSTRAINT ck_price_correction_approved_whole CHECK ((state in ('approved', 'booked')) = (preview_sha is not null and known_at is not null and approved_by is not null)),
    CONSTRAINT ck_price_correction_counts CHECK (least(premises, premises_done, documents) >= 0)
);

alter table "price_correction" enable row level security;
alter table "price_correction" force row level security;
create policy company on "price_correction" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
grant select, insert, update, delete on "price_correction" to gatehouse_app, gatehouse_worker;

CREATE INDEX ix_ledger_account_shared ON ledger_account (tenant_id, community_id, type, ledger_account_id) WHERE type in ('income', 'agency', 'fund', 'clearing', 'cash', 'bank');
