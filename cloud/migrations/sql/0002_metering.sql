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

-- Access: doors and charging piles, what a card opens, acts and charges.

CREATE TABLE access_place (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    place TEXT NOT NULL,
    kind VARCHAR(32) NOT NULL,
    gateway_id UUID NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_access_place PRIMARY KEY (tenant_id, community_id, place),
    CONSTRAINT uq_access_place_tenant_id_place UNIQUE (tenant_id, place),
    CONSTRAINT fk_access_place_tenant_id_community_id_community FOREIGN KEY(tenant_id, community_id) REFERENCES community (tenant_id, community_id),
    CONSTRAINT fk_access_place_tenant_id_gateway_id_gateway FOREIGN KEY(tenant_id, gateway_id) REFERENCES gateway (tenant_id, gateway_id),
    CONSTRAINT ck_access_place_placekind CHECK (kind IN ('door', 'pile'))
);

CREATE TABLE access_permit (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    permit_id UUID NOT NULL,
    card_sha TEXT NOT NULL,
    premises_id UUID,
    places JSONB NOT NULL,
    valid_from TIMESTAMP WITH TIME ZONE NOT NULL,
    valid_to TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_access_permit PRIMARY KEY (tenant_id, community_id, permit_id),
    CONSTRAINT ck_access_permit_validity CHECK (valid_from < valid_to),
    CONSTRAINT ck_access_permit_sha CHECK (length(card_sha) = 64),
    CONSTRAINT fk_access_permit_tenant_id_community_id_premises_id_premises FOREIGN KEY(tenant_id, community_id, premises_id) REFERENCES premises (tenant_id, community_id, premises_id)
);

CREATE INDEX ix_access_permit_card ON access_permit (tenant_id, community_id, card_sha);

CREATE TABLE access_act (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    event_id UUID NOT NULL,
    place TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    decision TEXT NOT NULL,
    reason TEXT NOT NULL,
    holder UUID,
    gateway_id UUID NOT NULL,
    store_epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_access_act PRIMARY KEY (tenant_id, community_id, event_id),
    CONSTRAINT fk_access_act_tenant_id_community_id_place_access_place FOREIGN KEY(tenant_id, community_id, place) REFERENCES access_place (tenant_id, community_id, place)
);

CREATE INDEX ix_access_act_at ON access_act (tenant_id, community_id, at);

CREATE TABLE pile_charge (
    tenant_id UUID NOT NULL,
    community_id UUID NOT NULL,
    event_id UUID NOT NULL,
    session_id UUID,
    place TEXT NOT NULL,
    connector BIGINT NOT NULL,
    what TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE NOT NULL,
    energy_wh BIGINT NOT NULL,
    idle_minutes BIGINT NOT NULL,
    reason TEXT NOT NULL,
    state VARCHAR(32) NOT NULL,
    premises_id UUID,
    quote_fen BIGINT,
    gateway_id UUID NOT NULL,
    store_epoch BIGINT NOT NULL,
    sequence BIGINT NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_pile_charge PRIMARY KEY (tenant_id, community_id, event_id),
    CONSTRAINT ck_pile_charge_charged_to_premises CHECK ((state = 'charged') <= (premises_id is not null)),
    CONSTRAINT fk_pile_charge_tenant_id_community_id_place_access_place FOREIGN KEY(tenant_id, community_id, place) REFERENCES access_place (tenant_id, community_id, place),
    CONSTRAINT ck_pile_charge_chargestate CHECK (state IN ('charged', 'nobody', 'stray'))
);

CREATE INDEX ix_pile_charge_session ON pile_charge (tenant_id, community_id, session_id);

alter table "access_place" enable row level security;

alter table "access_place" force row level security;

create policy company on "access_place" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "access_place" to gatehouse_app, gatehouse_worker;

alter table "access_permit" enable row level security;

alter table "access_permit" force row level security;

create policy company on "access_permit" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert, update, delete on "access_permit" to gatehouse_app, gatehouse_worker;

alter table "access_act" enable row level security;

alter table "access_act" force row level security;

create policy company on "access_act" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "access_act" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "access_act" for each statement execute function refuse_change();

alter table "pile_charge" enable row level security;

alter table "pile_charge" force row level security;

create policy company on "pile_charge" using (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid) with check (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);

grant select, insert on "pile_charge" to gatehouse_app, gatehouse_worker;

create trigger append_only before update or delete or truncate on "pile_charge" for each statement execute function refuse_change();

ALTER TABLE gateway_bundle DROP CONSTRAINT ck_gateway_bundle_bundlekind;

ALTER TABLE gateway_bundle ADD CONSTRAINT ck_gateway_bundle_bundlekind CHECK (kind IN ('certificate', 'site', 'tariffs', 'permits', 'dues', 'command', 'access'));
