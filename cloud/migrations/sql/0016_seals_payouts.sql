-- Seal keys in tokens.

ALTER TABLE seal_key ADD COLUMN token_label TEXT NOT NULL DEFAULT '';
ALTER TABLE seal_key ADD CONSTRAINT ck_seal_key_held_in_one_place CHECK ((octet_length(private_key_sealed) = 0) = (token_label <> ''));
