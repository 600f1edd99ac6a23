package postgres

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"bourse/engine/account"
	"bourse/engine/audit"
)

// Decision is what an agent makes of a deposit.
type Decision struct {
	Agent account.ID
	ID    account.DepositID
	// Key may be empty: the deposit alone then says what is repeated.
	Key  string
	Note string
	At   time.Time
}

// ClaimApproval writes down that the agent approves, before the credit is sent: from here the deposit
// can only become APPROVED, whoever dies in between. Claiming one's own claim again returns the
// deposit as it is now, PENDING or APPROVED. Errors: ErrNotFound when the deposit is not of the
// agent's downline, ErrOwnDeposit, ErrNotPending, ErrKeyConflict.
func (s *Store) ClaimApproval(ctx context.Context, c Decision) (account.Deposit, error) {
	var d depositRow
	err := s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		var err error
		if d, err = lockDeposit(ctx, tx, c); err != nil {
			return err
		}
		if d.ApproverID == c.Agent {
			return repeated(d, c)
		}
		if d.Status != account.DepositPending || d.ApproverID != 0 {
			return decidedBefore(ctx, tx, c, ErrNotPending)
		}
		_, err = tx.Exec(ctx, `UPDATE deposits SET approver_id = $2, decision_key = $3, note = $4 WHERE id = $1`, c.ID, c.Agent, c.Key, c.Note)
		if violates(err, "deposits_decision") {
			return ErrKeyConflict
		}
		if err != nil {
			return fmt.Errorf("postgres: claim approval: %w", err)
		}
		d.ApproverID, d.Note = c.Agent, c.Note
		return nil
	})
	return d.Deposit, err
}

// lockDeposit returns a deposit of the agent's downline and keeps it as it is until the commit.
func lockDeposit(ctx context.Context, tx pgx.Tx, c Decision) (depositRow, error) {
	rows, err := tx.Query(ctx, `SELECT`+depositColumns+` FROM deposits d WHERE d.id = $2 AND`+underAgent+` FOR UPDATE OF d`, c.Agent, c.ID)
	if err != nil {
		return depositRow{}, readError("deposit", err)
	}
	d, err := pgx.CollectExactlyOneRow(rows, scanDeposit)
	if err != nil {
		return depositRow{}, readError("deposit", err)
	}
	if d.MemberID == c.Agent {
		return depositRow{}, ErrOwnDeposit
	}
	return d, nil
}

// repeated judges a decision that the same agent took before. Without a key, or under the same one,
// it is the same decision when the note is the same; under another key it is a new one, and late.
func repeated(d depositRow, c Decision) error {
	switch {
	case d.decisionKey != c.Key && d.Status != account.DepositPending:
		return ErrNotPending
	case d.decisionKey == c.Key && d.Note != c.Note:
		return ErrKeyConflict
	}
	return nil
}

// decidedBefore returns refusal, unless the agent used the key for another deposit: that comes first.
func decidedBefore(ctx context.Context, tx pgx.Tx, c Decision, refusal error) error {
	if c.Key == "" {
		return refusal
	}
	var elsewhere bool
	err := tx.QueryRow(ctx, `
		SELECT EXISTS (SELECT FROM deposits WHERE coalesce(approver_id, decided_by) = $1 AND decision_key = $2 AND id <> $3)`,
		c.Agent, c.Key, c.ID).Scan(&elsewhere)
	switch {
	case err != nil:
		return readError("deposit by key", err)
	case elsewhere:
		return ErrKeyConflict
	}
	return refusal
}

// Settlement is what SettleApproval does beside the row of the deposit.
type Settlement struct {
	ID account.DepositID
	// Credit sends the credit and returns its sequence in the journal. Sending it twice is safe.
	Credit func(account.Deposit) (sequence uint64, err error)
	// Final reports whether an error of Credit says that the credit never happened and will not, so
	// that the claim can be given up.
	Final func(error) bool
	At    time.Time
	// Audit and Job are stored with the row's change, once. Their subject and payload are complete
	// but for the sequence, which Job gets as "sequence".
	Audit audit.Entry
	Job   NewJob
}

// SettleApproval credits a claimed deposit and marks it as APPROVED. The row stays locked from before
// the credit is sent until it is marked, so that of all who try at once one sends it, and a final
// refusal can give the claim back without another's credit being on its way. It returns the deposit
// as it is where it was settled before, and Credit's error otherwise.
//
// It holds a connection for as long as Credit takes: callers bound how many run at once.
func (s *Store) SettleApproval(ctx context.Context, w Settlement) (account.Deposit, error) {
	var d depositRow
	var refused error
	err := s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT`+depositColumns+` FROM deposits d WHERE d.id = $1 FOR UPDATE`, w.ID)
		if err != nil {
			return readError("deposit", err)
		}
		if d, err = pgx.CollectExactlyOneRow(rows, scanDeposit); err != nil {
			return readError("deposit", err)
		}
		switch {
		case d.Status == account.DepositApproved:
			return nil
		case d.Status != account.DepositPending || d.ApproverID == 0:
			return ErrNotPending // the claim was given up meanwhile
		}
		sequence, err := w.Credit(d.Deposit)
		if err != nil {
			if !w.Final(err) {
				return err
			}
			refused = err
			return unclaim(ctx, tx, d.ID)
		}
		d.Status, d.DecidedBy, d.DecidedAt, d.Sequence = account.DepositApproved, d.ApproverID, w.At.UTC(), sequence
		return markApproved(ctx, tx, d, w)
	})
	if err == nil {
		err = refused
	}
	return d.Deposit, err
}

func unclaim(ctx context.Context, tx pgx.Tx, id account.DepositID) error {
	_, err := tx.Exec(ctx, `UPDATE deposits SET approver_id = NULL, decision_key = NULL, note = '' WHERE id = $1`, id)
	if err != nil {
		return fmt.Errorf("postgres: give up claim: %w", err)
	}
	return nil
}

func markApproved(ctx context.Context, tx pgx.Tx, d depositRow, w Settlement) error {
	_, err := tx.Exec(ctx, `
		UPDATE deposits SET status = 'APPROVED', decided_by = approver_id, decided_at = $2, sequence = $3 WHERE id = $1`,
		d.ID, d.DecidedAt, d.Sequence)
	if err != nil {
		return fmt.Errorf("postgres: mark deposit approved: %w", err)
	}
	job := w.Job
	job.Payload = maps.Clone(w.Job.Payload)
	job.Payload["sequence"] = strconv.FormatUint(d.Sequence, 10)
	if err := insertJob(ctx, tx, job); err != nil {
		return err
	}
	return appendAudit(ctx, tx, w.Audit)
}

// RejectDeposit marks a deposit as REJECTED unless its approval is on its way. Rejecting again with
// the same words returns the deposit. Errors as of ClaimApproval.
func (s *Store) RejectDeposit(ctx context.Context, c Decision, entry audit.Entry) (account.Deposit, error) {
	var d depositRow
	err := s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		var err error
		if d, err = lockDeposit(ctx, tx, c); err != nil {
			return err
		}
		if d.Status == account.DepositRejected && d.DecidedBy == c.Agent {
			return repeated(d, c)
		}
		if d.Status != account.DepositPending || d.ApproverID != 0 {
			return decidedBefore(ctx, tx, c, ErrNotPending)
		}
		_, err = tx.Exec(ctx, `
			UPDATE deposits SET status = 'REJECTED', decided_by = $2, decided_at = $3, decision_key = $4, note = $5 WHERE id = $1`,
			c.ID, c.Agent, c.At, c.Key, c.Note)
		if violates(err, "deposits_decision") {
			return ErrKeyConflict
		}
		if err != nil {
			return fmt.Errorf("postgres: reject deposit: %w", err)
		}
		d.Status, d.DecidedBy, d.DecidedAt, d.Note = account.DepositRejected, c.Agent, c.At.UTC(), c.Note
		return appendAudit(ctx, tx, entry)
	})
	return d.Deposit, err
}

// Unfinished is an approval that was claimed and not marked as done, with who claimed it.
type Unfinished struct {
	Deposit  account.Deposit
	Approver account.Actor
}

// UnfinishedApprovals returns at most limit of them, those after the given id.
func (s *Store) UnfinishedApprovals(ctx context.Context, after account.DepositID, limit int) ([]Unfinished, error) {
	rows, err := s.pool.Query(ctx, `SELECT`+depositColumns+`, a.id, a.role, a.username
		FROM deposits d JOIN accounts a ON a.id = d.approver_id
		WHERE d.status = 'PENDING' AND d.id > $1 ORDER BY d.id LIMIT $2`, after, limit)
	if err != nil {
		return nil, readError("unfinished approvals", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Unfinished, error) {
		var u Unfinished
		var d depositRow
		err := row.Scan(&d.ID, &d.MemberID, &d.Asset.Code, &d.Asset.Scale, &d.Amount, &d.Status, &d.RequestedAt, &d.ApproverID,
			&d.DecidedBy, &d.DecidedAt, &d.Note, &d.Sequence, &d.requestKey, &d.decisionKey,
			&u.Approver.ID, &u.Approver.Role, &u.Approver.Username)
		u.Deposit = d.Deposit
		return u, err
	})
	return found, readError("unfinished approvals", err)
}
