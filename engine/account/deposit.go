package account

import (
	"strconv"
	"time"

	"bourse/engine/money"
)

// DepositID names a deposit; dense enough to be read out, never reused.
type DepositID uint64

// String prints the id in decimal.
func (id DepositID) String() string { return strconv.FormatUint(uint64(id), 10) }

// DepositStatus says how far a deposit has come.
//
//	PENDING ──approve──▶ (approver set, credit on its way) ──credit in the journal──▶ APPROVED
//	   └─────reject────▶ REJECTED
//
// Once an approver is set a deposit can no longer be rejected: its credit may be in the journal
// already.
type DepositStatus string

// The statuses of a deposit.
const (
	DepositPending  DepositStatus = "PENDING"
	DepositApproved DepositStatus = "APPROVED"
	DepositRejected DepositStatus = "REJECTED"
)

// Deposit is money that a member says was paid in, and what the member's agent made of it.
type Deposit struct {
	ID       DepositID
	MemberID ID
	Asset    money.Asset
	// Amount in minor units of the asset, above 0.
	Amount      money.Amount
	Status      DepositStatus
	RequestedAt time.Time
	// ApproverID is who approved, from the moment of the decision; 0 before, and when rejected.
	ApproverID ID
	// DecidedBy and DecidedAt are set when the status is APPROVED or REJECTED.
	DecidedBy ID
	DecidedAt time.Time
	// Note is the approver's note, or the reason of a refusal.
	Note string
	// Sequence is where in the log the credit stands; 0 unless APPROVED.
	Sequence uint64
}

// CreditKey is the key of the venue command that credits the deposit. It is derived from the
// deposit alone, so that repeating the command can never credit it twice.
func (id DepositID) CreditKey() string { return "deposit:" + id.String() }
