// Package account holds the people of the house: members who trade, agents who bring and look
// after them, admins who run it, and the tree in which agents stand.
//
//	house (0) ─┬─ agent ─┬─ agent ─┬─ member
//	           │         │         └─ member
//	           │         └─ member
//	           └─ admin
//
// An agent's downline is the whole subtree below it: its own members and those of every agent
// beneath. Members, agents and admins draw their ids from one sequence, so that an id alone says
// who acted.
//
// The package deliberately does not know passwords or sessions (package auth), balances and orders
// (package venue), or where any of it is stored.
package account

import "time"

// Role says which of the house's doors an actor may use. Each account has exactly one.
type Role string

// The roles of an actor. System is the house itself: start-up, repair and the command line. It is
// never given to a session.
const (
	RoleMember Role = "MEMBER"
	RoleAgent  Role = "AGENT"
	RoleAdmin  Role = "ADMIN"
	RoleSystem Role = "SYSTEM"
)

// Valid reports whether the role is one that an account can have.
func (r Role) Valid() bool {
	return r == RoleMember || r == RoleAgent || r == RoleAdmin
}

// Status says what an account may do.
type Status string

// The statuses of an account.
const (
	// StatusActive may do all that its role allows. It is the only one as long as accounts cannot be suspended.
	StatusActive Status = "ACTIVE"
)

// Actor is the authenticated someone on whose behalf a use case runs. It comes from a verified
// access token, never from what a caller says about itself.
type Actor struct {
	ID       ID
	Role     Role
	Username string
	// AgentID is the agent who looks after a member; 0 for everyone else.
	AgentID ID
	// SessionID is the session that the access token belongs to; empty for the house.
	SessionID string
	// Duties is what an admin may do; 0 for everyone else.
	Duties Duties
}

// House is the actor of what nobody asked for: repair, seeding, the command line.
func House() Actor { return Actor{ID: 0, Role: RoleSystem, Username: "system"} }

// Member is someone who trades.
type Member struct {
	ID           ID
	Username     string
	DisplayName  string
	AgentID      ID
	Status       Status
	RegisteredAt time.Time
	// LastSignInAt is zero before the first sign-in.
	LastSignInAt time.Time
}

// Agent brings members and looks after them.
type Agent struct {
	ID          ID
	Username    string
	DisplayName string
	// ParentID is the agent above; 0 at the top of the tree.
	ParentID  ID
	Status    Status
	CreatedAt time.Time
	// DownlineCount is the number of members in the whole subtree.
	DownlineCount int
}

// MaxTreeDepth bounds how many agents may stand above one another.
const MaxTreeDepth = 16

// Admin runs the house within its roles.
type Admin struct {
	ID          ID
	Username    string
	DisplayName string
	Roles       []AdminRole
	Status      Status
	CreatedAt   time.Time
}

// Invite is a code under which members register with an agent.
type Invite struct {
	// Code is a secret of at least 80 random bits; whoever knows it may register.
	Code      string
	AgentID   ID
	MaxUses   int
	Uses      int
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Usable reports whether one more member may register with the invite at that instant.
func (i Invite) Usable(now time.Time) bool {
	return i.Uses < i.MaxUses && now.Before(i.ExpiresAt)
}
