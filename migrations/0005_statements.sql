-- Statements: each posting says when and why, so that a balance can be told as of any moment and
-- every line of a statement names its cause.
-- +goose Up

-- What the new columns hold only the journal knows: the projections begin anew and catch up from it.
UPDATE projection SET sequence = 0, hash = decode(repeat('00', 32), 'hex'), stamped_at = 0, epoch = 0;
UPDATE reconciliation SET sequence = 0;
TRUNCATE assets, markets, orders, trades, fills, postings, balances, candles, volumes, reconciled_balances;

ALTER TABLE postings
    ADD COLUMN at     bigint   NOT NULL, -- stamp of the command, nanoseconds since 1970 UTC
    ADD COLUMN reason smallint NOT NULL, -- the kind of event that moved the amount
    ADD COLUMN ref    bigint   NOT NULL; -- the order, trade, deposit or transfer that it names, or 0
-- Stamps never decrease along sequences, so this is also the order of sequences.
CREATE INDEX postings_account ON postings (owner_id, asset_id, at, sequence, line);

-- +goose Down
DROP INDEX postings_account;
ALTER TABLE postings DROP COLUMN at, DROP COLUMN reason, DROP COLUMN ref;
