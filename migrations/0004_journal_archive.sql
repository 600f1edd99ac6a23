-- The journal's oldest batches can be moved to files. What stays remembers where it begins.
-- +goose Up

-- One row: the end of the last batch that is no longer in journal_batch; zeros while all are. The
-- first batch that is kept carries this hash, so that the chain can be followed from the files into
-- the table. It is changed in the transaction that deletes the batches.
CREATE TABLE journal_origin (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    sequence   bigint  NOT NULL CHECK (sequence >= 0),
    hash       bytea   NOT NULL CHECK (octet_length(hash) = 32),
    stamped_at bigint  NOT NULL,
    epoch      bigint  NOT NULL
);
INSERT INTO journal_origin (sequence, hash, stamped_at, epoch) VALUES (0, decode(repeat('00', 32), 'hex'), 0, 0);

-- +goose Down
DROP TABLE journal_origin;
