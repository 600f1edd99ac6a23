-- The journal: batches of events chained by hash, and snapshots of the state they lead to.
-- +goose Up

-- One row: the term of the writer. An append locks it and names its epoch, so that a writer that
-- was deposed in the meantime cannot commit.
CREATE TABLE journal_lease (
    only_row  boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch     bigint      NOT NULL,
    holder    text        NOT NULL,
    taken_at  timestamptz NOT NULL DEFAULT now()
);
INSERT INTO journal_lease (epoch, holder) VALUES (0, '');

CREATE TABLE journal_batch (
    first_seq  bigint   PRIMARY KEY CHECK (first_seq > 0),
    last_seq   bigint   NOT NULL CHECK (last_seq >= first_seq),
    stamped_at bigint   NOT NULL,
    epoch      bigint   NOT NULL,
    crc        bigint   NOT NULL,
    version    smallint NOT NULL,
    prev       bytea    NOT NULL,
    payload    bytea    NOT NULL
);
COMMENT ON COLUMN journal_batch.stamped_at IS 'nanoseconds since 1970 UTC of the last command';
COMMENT ON COLUMN journal_batch.prev IS 'SHA-256 of the batch before';
-- Payloads are compact already: compressing them costs the writer more than it saves.
ALTER TABLE journal_batch ALTER COLUMN payload SET STORAGE EXTERNAL;

CREATE TABLE journal_snapshot (
    sequence   bigint      PRIMARY KEY,
    hash       bytea       NOT NULL,
    stamped_at bigint      NOT NULL,
    epoch      bigint      NOT NULL,
    crc        bigint      NOT NULL,
    payload    bytea       NOT NULL,
    saved_at   timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE journal_snapshot ALTER COLUMN payload SET STORAGE EXTERNAL;

-- +goose Down
DROP TABLE journal_snapshot;
DROP TABLE journal_batch;
DROP TABLE journal_lease;
