-- Metering, tariffs and gateways: what came after the first schema.

-- A session names its vehicle by the permit, so that a cap holds across its visits.
ALTER TABLE usage_session ADD COLUMN permit_id UUID;

-- Parking: coupons, shared spaces, and what a vehicle is told after a night.

ALTER TABLE parking_permit ADD COLUMN space TEXT;

ALTER TABLE parking_permit ADD COLUMN granted_minutes BIGINT DEFAULT 0 NOT NULL;

ALTER TABLE parking_permit ALTER COLUMN granted_minutes DROP DEFAULT;

ALTER TABLE parking_permit ADD CONSTRAINT ck_parking_permit_granted_not_negative CHECK (granted_minutes >= 0);

CREATE TABLE parking_night_statement (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    session_id UUID NOT NULL,
    night DATE NOT NULL,
    lot TEXT NOT NULL,
    premises_id UUID,
    entered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    until_at TIMESTAMP WITH TIME ZONE NOT NULL,
    left_at TIMESTAMP WITH TIME ZONE,
    amount_fen BIGINT,
    reason TEXT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_parking_night_statement PRIMARY KEY (tenant_id, community_id, session_id, night),
    CONSTRAINT ck_parking_night_statement_in_order CHECK (entered_at <= until_at),
    CONSTRAINT ck_parking_night_statement_reason_iff_unpriced CHECK ((amount_fen is null) = (reason <> '')),
    CONSTRAINT fk_parking_night_statement_tenant_id_community_id_lot_p_e7b8 FOREIGN KEY(tenant_id, community_id, lot) REFERENCES parking_lot (tenant_id, community_id, lot)
);

CREATE INDEX ix_parking_night_statement_premises ON parking_night_statement (tenant_id, community_id, premises_id, night);

alter table "parking_night_statement" enable row level security;

alter table "parking_night_statement" force row level security;

create policy company on "parking_night_statement" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "parking_night_statement" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "parking_night_statement" for each statement execute function refuse_change();
