-- Metering, tariffs and gateways: what came after the first schema.

-- A session names its vehicle by the permit, so that a cap holds across its visits.
ALTER TABLE usage_session ADD COLUMN permit_id UUID;
