package account

import "strings"

// AdminRole is a job in the house that an admin holds; an admin may hold several.
type AdminRole string

// The jobs of the house.
const (
	// AdminSupervisor may do everything.
	AdminSupervisor AdminRole = "SUPERVISOR"
	// AdminMarkets opens, halts and resumes markets and adds assets.
	AdminMarkets AdminRole = "MARKETS"
	// AdminRisk limits and freezes members and cancels their orders.
	AdminRisk AdminRole = "RISK"
	// AdminTreasury sets fees and commissions, adjusts balances and takes trades back.
	AdminTreasury AdminRole = "TREASURY"
	// AdminSupport looks at members, agents and their orders.
	AdminSupport AdminRole = "SUPPORT"
	// AdminAuditor reads the audit, reconciliations and the health of the house.
	AdminAuditor AdminRole = "AUDITOR"
)

// Duties is a set of things that an admin may do.
type Duties uint32

// Single duties. They are kept apart from roles, so that a use case asks for what it does and the
// table below says who holds it.
const (
	// DutyMarkets: assets, markets and their phases.
	DutyMarkets Duties = 1 << iota
	// DutyPeople: see members, agents, their balances and orders.
	DutyPeople
	// DutyAppoint: create agents and admins.
	DutyAppoint
	// DutyAudit: read the audit and reconcile.
	DutyAudit
	// DutyHealth: see how journal, projections and queues are.
	DutyHealth
	// DutyRisk: limits, freezes, groups, other people's orders.
	DutyRisk
	// DutyMoney: fees, commissions, credit lines, adjustments, busts.
	DutyMoney
)

var dutiesOf = map[AdminRole]Duties{
	AdminSupervisor: DutyMarkets | DutyPeople | DutyAppoint | DutyAudit | DutyHealth | DutyRisk | DutyMoney,
	AdminMarkets:    DutyMarkets | DutyHealth,
	AdminRisk:       DutyPeople | DutyRisk | DutyHealth,
	AdminTreasury:   DutyPeople | DutyMoney | DutyHealth,
	AdminSupport:    DutyPeople | DutyHealth,
	AdminAuditor:    DutyPeople | DutyAudit | DutyHealth,
}

// Valid reports whether the house has such a job.
func (r AdminRole) Valid() bool {
	_, ok := dutiesOf[r]
	return ok
}

// DutiesOf returns what the holder of all the given roles may do. Unknown roles add nothing.
func DutiesOf(roles []AdminRole) Duties {
	var all Duties
	for _, role := range roles {
		all |= dutiesOf[role]
	}
	return all
}

// Has reports whether every duty of want is in the set.
func (d Duties) Has(want Duties) bool { return d&want == want }

var dutyNames = []struct {
	duty Duties
	name string
}{
	{DutyMarkets, "markets"},
	{DutyPeople, "people"},
	{DutyAppoint, "appoint"},
	{DutyAudit, "audit"},
	{DutyHealth, "health"},
	{DutyRisk, "risk"},
	{DutyMoney, "money"},
}

// String lists the duties by name, separated by commas.
func (d Duties) String() string {
	var names []string
	for _, n := range dutyNames {
		if d.Has(n.duty) {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, ",")
}
