package engine

import (
	"bourse/engine/account"
	"bourse/engine/audit"
	"bourse/engine/fault"
)

// The lists of this file, as their cursors name them.
const (
	listDeposits        = 'd'
	listStatement       = 's'
	listPendingDeposits = 'p'
	listMembers         = 'm'
	listAgents          = 'g'
	listAudit           = 'a'
)

// DepositPage is a page of deposits.
type DepositPage struct {
	Items   []account.Deposit
	Next    string
	HasNext bool
}

// MemberPage is a page of members, newest first.
type MemberPage struct {
	Items   []account.Member
	Next    string
	HasNext bool
}

// AgentPage is a page of agents, by username.
type AgentPage struct {
	Items   []account.Agent
	Next    string
	HasNext bool
}

// AuditPage is a page of the audit, newest first.
type AuditPage struct {
	Items   []audit.Record
	Next    string
	HasNext bool
}

// DepositCursor is the After that begins a page of a member's deposits behind this one.
func DepositCursor(id account.DepositID) string { return encodeCursor(listDeposits, uint64(id)) }

// PendingDepositCursor is the After that begins a page of Agent.PendingDeposits behind this deposit.
func PendingDepositCursor(id account.DepositID) string {
	return encodeCursor(listPendingDeposits, uint64(id))
}

// MemberCursor is the After that begins a page of members behind this one.
func MemberCursor(id account.ID) string { return encodeCursor(listMembers, uint64(id)) }

// AgentCursor is the After that begins a page of agents behind this one.
func AgentCursor(id account.ID) string { return encodeCursor(listAgents, uint64(id)) }

// AuditCursor is the After that begins a page of the audit behind this row.
func AuditCursor(id uint64) string { return encodeCursor(listAudit, id) }

// after returns the key behind which a page begins; 0 for the first page.
func (p Page) after(list byte) (uint64, error) {
	if err := p.check(); err != nil {
		return 0, err
	}
	if p.After == "" {
		return 0, nil
	}
	return decodeCursor(list, p.After)
}

// cut makes a page out of rows of which one more than wanted was asked for.
func cut[T any](rows []T, page Page, cursor func(T) string) (items []T, next string, hasNext bool) {
	if len(rows) > page.First {
		rows, hasNext = rows[:page.First], true
	}
	if len(rows) > 0 {
		next = cursor(rows[len(rows)-1])
	}
	return rows, next, hasNext
}

// notFound is the refusal for what is not there or not the actor's to see: both sound the same.
func notFound(what string) *fault.Error { return fault.New(fault.NotFound, "there is no such "+what) }

var (
	errNoMember = notFound("member")
	errNoAgent  = notFound("agent")
)

// maxIDs is how many accounts can be looked up at once: several pages.
const maxIDs = 5 * MaxPage

func checkIDs(ids []account.ID) error {
	if len(ids) > maxIDs {
		return fault.Newf(fault.InvalidArgument, "at most %d accounts can be had at once", maxIDs)
	}
	return nil
}

// maxSearch is the longest text that people are searched by, in bytes.
const maxSearch = 64

func checkSearch(search string) error {
	if len(search) > maxSearch || !storable(search) {
		return fault.Newf(fault.InvalidArgument, "a search has at most %d bytes of text", maxSearch)
	}
	return nil
}
