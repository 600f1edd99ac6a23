package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"bourse/engine/account"
	"bourse/engine/audit"
	"bourse/engine/money"
)

// Why a deposit is not taken or not decided.
var (
	ErrNotPending     = errors.New("postgres: the deposit is decided already")
	ErrOwnDeposit     = errors.New("postgres: nobody approves their own deposit")
	ErrTooManyPending = errors.New("postgres: too many deposits of this member wait")
)

const depositColumns = `
	d.id, d.member_id, d.asset, d.scale, d.amount, d.status, d.requested_at, coalesce(d.approver_id, 0),
	coalesce(d.decided_by, 0), coalesce(d.decided_at, '0001-01-01T00:00:00Z'), d.note, coalesce(d.sequence, 0),
	d.request_key, coalesce(d.decision_key, '')`

// depositRow is a deposit with the keys under which it was requested and decided.
type depositRow struct {
	account.Deposit
	requestKey, decisionKey string
}

func scanDeposit(row pgx.CollectableRow) (depositRow, error) {
	var d depositRow
	err := row.Scan(&d.ID, &d.MemberID, &d.Asset.Code, &d.Asset.Scale, &d.Amount, &d.Status, &d.RequestedAt, &d.ApproverID,
		&d.DecidedBy, &d.DecidedAt, &d.Note, &d.Sequence, &d.requestKey, &d.decisionKey)
	d.RequestedAt, d.DecidedAt = d.RequestedAt.UTC(), d.DecidedAt.UTC()
	return d, err
}

// NewDeposit is a request to be stored.
type NewDeposit struct {
	MemberID account.ID
	Key      string
	Asset    money.Asset
	Amount   money.Amount
	At       time.Time
	// MaxPending bounds how many of the member's requests may wait.
	MaxPending int
}

// RequestDeposit stores a request once for each key of the member: the same request again returns
// what the first one became. Errors: ErrKeyConflict when the key stands for another request,
// ErrTooManyPending.
func (s *Store) RequestDeposit(ctx context.Context, n NewDeposit, entry audit.Entry) (account.Deposit, error) {
	var made depositRow
	err := s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		// One request of a member at a time: the bound below holds under a race.
		if _, err := tx.Exec(ctx, `SELECT FROM members WHERE id = $1 FOR UPDATE`, n.MemberID); err != nil {
			return fmt.Errorf("postgres: lock member: %w", err)
		}
		before, err := depositByKey(ctx, tx, n.MemberID, n.Key)
		switch {
		case err == nil:
			made = before
			if before.Asset != n.Asset || before.Amount != n.Amount {
				return ErrKeyConflict
			}
			return nil
		case !errors.Is(err, ErrNotFound):
			return err
		}
		var pending int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM deposits WHERE member_id = $1 AND status = 'PENDING'`, n.MemberID).Scan(&pending); err != nil {
			return readError("pending deposits", err)
		}
		if pending >= n.MaxPending {
			return ErrTooManyPending
		}
		rows, err := tx.Query(ctx, `
			INSERT INTO deposits AS d (member_id, request_key, asset, scale, amount, requested_at) VALUES ($1, $2, $3, $4, $5, $6)
			RETURNING`+depositColumns, n.MemberID, n.Key, n.Asset.Code, n.Asset.Scale, n.Amount, n.At)
		if err != nil {
			return fmt.Errorf("postgres: insert deposit: %w", err)
		}
		if made, err = pgx.CollectExactlyOneRow(rows, scanDeposit); err != nil {
			return fmt.Errorf("postgres: insert deposit: %w", err)
		}
		entry.Subject = "deposit:" + made.ID.String()
		return appendAudit(ctx, tx, entry)
	})
	if err != nil {
		return account.Deposit{}, err
	}
	return made.Deposit, nil
}

func depositByKey(ctx context.Context, tx pgx.Tx, member account.ID, key string) (depositRow, error) {
	rows, err := tx.Query(ctx, `SELECT`+depositColumns+` FROM deposits d WHERE d.member_id = $1 AND d.request_key = $2`, member, key)
	if err != nil {
		return depositRow{}, readError("deposit", err)
	}
	d, err := pgx.CollectExactlyOneRow(rows, scanDeposit)
	return d, readError("deposit", err)
}

// underAgent is the first wall of what an agent sees and decides of deposits.
const underAgent = ` EXISTS (SELECT FROM members m JOIN agent_tree t ON t.descendant_id = m.agent_id
	WHERE m.id = d.member_id AND t.ancestor_id = $1)`

// Deposit returns a deposit as viewer sees it: a member its own, an agent those of its downline, the
// house (viewer 0) any. ErrNotFound for all others.
func (s *Store) Deposit(ctx context.Context, viewer account.ID, id account.DepositID) (account.Deposit, error) {
	var d depositRow
	err := s.read(ctx, viewer, func(q reader) error {
		rows, err := q.Query(ctx, `SELECT`+depositColumns+` FROM deposits d
			WHERE d.id = $2 AND ($1::bigint IN (0, d.member_id) OR`+underAgent+`)`, viewer, id)
		if err != nil {
			return err
		}
		d, err = pgx.CollectExactlyOneRow(rows, scanDeposit)
		return err
	})
	return d.Deposit, readError("deposit", err)
}

// DepositsOf returns at most limit deposits of a member, newest first, those before the given id; 0
// begins. Viewer is the member or an agent above it.
func (s *Store) DepositsOf(ctx context.Context, viewer, member account.ID, before account.DepositID, limit int) ([]account.Deposit, error) {
	return s.depositPage(ctx, viewer, `
		WHERE d.member_id = $2 AND ($1::bigint IN (0, d.member_id) OR`+underAgent+`)
		  AND ($3::bigint = 0 OR d.id < $3)
		ORDER BY d.id DESC LIMIT $4`, member, before, limit)
}

// PendingDeposits returns at most limit deposits of an agent's downline that wait for a decision,
// oldest first, those after the given id.
func (s *Store) PendingDeposits(ctx context.Context, agent account.ID, after account.DepositID, limit int) ([]account.Deposit, error) {
	return s.depositPage(ctx, agent, `
		WHERE d.status = 'PENDING' AND`+underAgent+` AND d.id > $2
		ORDER BY d.id LIMIT $3`, after, limit)
}

func (s *Store) depositPage(ctx context.Context, viewer account.ID, where string, args ...any) ([]account.Deposit, error) {
	var found []account.Deposit
	err := s.read(ctx, viewer, func(q reader) error {
		rows, err := q.Query(ctx, `SELECT`+depositColumns+` FROM deposits d`+where, append([]any{viewer}, args...)...)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (account.Deposit, error) {
			d, err := scanDeposit(row)
			return d.Deposit, err
		})
		return err
	})
	return found, readError("deposits", err)
}
