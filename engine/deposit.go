package engine

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"bourse/engine/account"
	"bourse/engine/audit"
	"bourse/engine/fault"
	"bourse/engine/internal/postgres"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

const (
	// maxPendingDeposits bounds the requests of one member that wait.
	maxPendingDeposits = 100
	// maxNote is the longest note or reason, in characters.
	maxNote = 500
	// settlements is how many approvals may hold a database connection while their credit is on its
	// way: few, so that they can never take all of a small pool from whom the credit waits for.
	settlements = 2
	// repairPage is how many unfinished approvals are read at a time.
	repairPage = 100
)

// JobReconcile is the kind of the job that a credited deposit requests: compare balances with their
// postings.
const JobReconcile = "reconcile"

// RequestDeposit is what a member asks for.
type RequestDeposit struct {
	// Key is the client key: the same key and body gives the same deposit, once.
	Key   string
	Asset string
	// Amount is a decimal, such as "12.50".
	Amount string
}

// ApproveDeposit is an agent's approval.
type ApproveDeposit struct {
	// Key may be empty: approving the same deposit with the same note is the same approval.
	Key       string
	DepositID account.DepositID
	Note      string
}

// RejectDeposit is an agent's refusal.
type RejectDeposit struct {
	Key       string // may be empty, as above
	DepositID account.DepositID
	// Reason is shown to the member.
	Reason string
}

// depositDesk takes requests and decides on them. It is the exchange's, cut down to what a deposit
// needs, so that a test can let any step of it fail.
//
//	request ─▶ PENDING ─claim─▶ PENDING, approver set ─credit in the journal─▶ APPROVED
//	              │                        ▲      │
//	              │                        └──────┘ crash: the repair sends the same credit again
//	              └──reject──▶ REJECTED
type depositDesk struct {
	db     *postgres.Store
	now    func() time.Time
	log    *slog.Logger
	asset  func(ctx context.Context, code string) (money.Asset, error)
	credit func(ctx context.Context, c *venue.CreditDeposit) (venue.Receipt, error)
	turns  chan struct{}
}

func newDepositDesk(x *Exchange) *depositDesk {
	return &depositDesk{
		db: x.db, now: x.now, log: x.log, turns: make(chan struct{}, settlements), asset: x.asset,
		credit: func(ctx context.Context, c *venue.CreditDeposit) (venue.Receipt, error) { return x.submit(ctx, c) },
	}
}

var (
	errDepositNotFound   = fault.New(fault.DepositNotFound, "there is no such deposit in your downline")
	errDepositNotPending = fault.New(fault.DepositNotPending, "the deposit is decided already")
	errSelfApproval      = fault.New(fault.SelfApproval, "nobody may approve what benefits themselves")
	errKeyConflict       = fault.New(fault.IdempotencyConflict, "this key was used before for something else")
)

func checkKey(key string) error {
	visible := func(r rune) bool { return r > ' ' && r <= '~' }
	if key == "" || len(key) > venue.MaxKey || strings.ContainsFunc(key, func(r rune) bool { return !visible(r) }) {
		return fault.Newf(fault.InvalidIdempotencyKey, "a key has 1 to %d visible ASCII characters", venue.MaxKey)
	}
	return nil
}

func checkNote(note, field string, required bool) error {
	if required && note == "" || utf8.RuneCountInString(note) > maxNote || !storable(note) {
		return fault.New(fault.InvalidArgument, fmt.Sprintf("the %s has at most %d characters of text", field, maxNote), "field", field)
	}
	return nil
}

// storable reports whether PostgreSQL takes a text.
func storable(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func (d *depositDesk) request(ctx context.Context, actor account.Actor, r RequestDeposit) (account.Deposit, error) {
	if err := checkKey(r.Key); err != nil {
		return account.Deposit{}, err
	}
	asset, err := d.asset(ctx, r.Asset)
	if err != nil {
		return account.Deposit{}, err
	}
	amount, err := market.ParseAmountText(asset, r.Amount)
	if err != nil {
		return account.Deposit{}, err
	}
	at := stamp(d.now)
	made, err := d.db.RequestDeposit(ctx,
		postgres.NewDeposit{MemberID: actor.ID, Key: r.Key, Asset: asset, Amount: amount, At: at, MaxPending: maxPendingDeposits},
		audit.Entry{
			At: at, Actor: actor, Action: "deposit.request", Command: r.Key,
			Details: map[string]string{"asset": asset.Code, "amount": asset.Format(amount)},
		})
	return made, refusal(err,
		refusalOf{postgres.ErrKeyConflict, errKeyConflict},
		refusalOf{postgres.ErrTooManyPending, fault.New(fault.RateLimited, "too many of your deposits wait for a decision")})
}

// approve claims, credits and marks. Whatever it dies of on the way, asking again or the repair goes
// on from there, with one credit in the end.
func (d *depositDesk) approve(ctx context.Context, agent account.Actor, a ApproveDeposit) (account.Deposit, error) {
	if err := d.checkDecision(a.Key, a.Note, "note", false); err != nil {
		return account.Deposit{}, err
	}
	claimed, err := d.db.ClaimApproval(ctx, postgres.Decision{Agent: agent.ID, ID: a.DepositID, Key: a.Key, Note: a.Note, At: stamp(d.now)})
	if err != nil {
		return account.Deposit{}, refusal(err, decisionRefusals...)
	}
	if claimed.Status == account.DepositApproved {
		return claimed, nil
	}
	return d.settle(ctx, agent, claimed)
}

// decisionRefusals is what the store's words about a decision mean to the agent.
var decisionRefusals = []refusalOf{
	{postgres.ErrNotFound, errDepositNotFound},
	{postgres.ErrNotPending, errDepositNotPending},
	{postgres.ErrOwnDeposit, errSelfApproval},
	{postgres.ErrKeyConflict, errKeyConflict},
}

func (d *depositDesk) checkDecision(key, note, field string, required bool) error {
	if key != "" {
		if err := checkKey(key); err != nil {
			return err
		}
	}
	return checkNote(note, field, required)
}

func (d *depositDesk) settle(ctx context.Context, approver account.Actor, claimed account.Deposit) (account.Deposit, error) {
	select {
	case d.turns <- struct{}{}:
		defer func() { <-d.turns }()
	case <-ctx.Done():
		return account.Deposit{}, ctx.Err()
	}
	at := stamp(d.now)
	subject := "deposit:" + claimed.ID.String()
	settled, err := d.db.SettleApproval(ctx, postgres.Settlement{
		ID: claimed.ID, At: at, Final: finalRefusal,
		Credit: func(now account.Deposit) (uint64, error) {
			// The house is the actor, whoever approved: the key is the house's, and stands for this
			// deposit alone.
			receipt, err := d.credit(ctx, &venue.CreditDeposit{
				Actor: account.House().ID, Key: now.ID.CreditKey(), Deposit: uint64(now.ID), Member: now.MemberID, Asset: now.Asset.Code, Amount: now.Amount,
			})
			return uint64(receipt.Sequence), err
		},
		Audit: audit.Entry{
			At: at, Actor: approver, Action: "deposit.approve", Subject: subject, Command: claimed.ID.CreditKey(),
			Details: map[string]string{
				"member": claimed.MemberID.String(), "asset": claimed.Asset.Code,
				"amount": claimed.Asset.Format(claimed.Amount), "note": claimed.Note,
			},
		},
		Job: postgres.NewJob{
			Kind: JobReconcile, Key: JobReconcile + ":" + subject, At: at,
			Payload: map[string]string{"cause": subject},
		},
	})
	return settled, refusal(err, decisionRefusals...)
}

// finalRefusal reports whether the venue refused the credit, as against not having been asked or not
// having answered.
func finalRefusal(err error) bool {
	switch fault.CodeOf(err) {
	case "", fault.Unavailable, fault.OutcomeUnknown, fault.Overloaded, fault.SequenceNotReached, fault.ClockWentBack,
		fault.IdempotencyConflict, fault.DepositNotPending:
		// The last two say that this deposit was credited before: never give up such a claim.
		return false
	}
	return true
}

func (d *depositDesk) reject(ctx context.Context, agent account.Actor, r RejectDeposit) (account.Deposit, error) {
	if err := d.checkDecision(r.Key, r.Reason, "reason", true); err != nil {
		return account.Deposit{}, err
	}
	at := stamp(d.now)
	rejected, err := d.db.RejectDeposit(ctx,
		postgres.Decision{Agent: agent.ID, ID: r.DepositID, Key: r.Key, Note: r.Reason, At: at},
		audit.Entry{
			At: at, Actor: agent, Action: "deposit.reject", Subject: "deposit:" + r.DepositID.String(),
			Details: map[string]string{"reason": r.Reason},
		})
	return rejected, refusal(err, decisionRefusals...)
}

// repair settles every approval that was claimed and not marked, and returns how many. One that
// cannot be settled is logged and left; only a database that fails ends the repair.
func (d *depositDesk) repair(ctx context.Context) (int, error) {
	settled := 0
	var after account.DepositID
	for {
		page, err := d.db.UnfinishedApprovals(ctx, after, repairPage)
		if err != nil {
			return settled, refusal(err)
		}
		for _, u := range page {
			after = u.Deposit.ID
			if _, err := d.settle(ctx, u.Approver, u.Deposit); err != nil {
				if ctx.Err() != nil {
					return settled, ctx.Err()
				}
				d.log.ErrorContext(ctx, "approval of a deposit not finished", "deposit", u.Deposit.ID, "error", err)
				continue
			}
			settled++
			d.log.InfoContext(ctx, "approval of a deposit finished", "deposit", u.Deposit.ID)
		}
		if len(page) < repairPage {
			return settled, nil
		}
	}
}

// repairDeposits finishes at start what a crash left between the journal and the deposits' rows.
func (x *Exchange) repairDeposits(ctx context.Context) error {
	_, err := x.deposits.repair(ctx)
	return err
}

// asset returns an asset of the house, or UNKNOWN_ASSET.
func (x *Exchange) asset(ctx context.Context, code string) (money.Asset, error) {
	all, err := x.Visitor().Assets(ctx)
	if err != nil {
		return money.Asset{}, err
	}
	for _, asset := range all {
		if asset.Code == code {
			return asset, nil
		}
	}
	return money.Asset{}, fault.New(fault.UnknownAsset, "the exchange has no such asset", "asset", code)
}
