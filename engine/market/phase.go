package market

// Phase is what a market does with orders.
//
//	          ┌────────────── HALTED ◄─► CANCEL_ONLY ─────────────┐
//	          │                  ▲            ▲                   │
//	DRAFT ─► PRE_OPEN ─► CONTINUOUS ─► CLOSING_AUCTION ─► CLOSED ◄┘
//	          ▲              ▲ │                            │
//	          │              │ ▼                            │
//	          │             PAUSED                          │
//	          └─────────────────────────────────────────────┘
//
// The drawing shows a day; CanBecome has every way.
type Phase uint8

// The phases. The numbers are part of the journal's format.
const (
	// Continuous matches every order as it comes.
	Continuous Phase = 1
	// Halted accepts cancels only.
	Halted Phase = 2
	// Draft is a market that was never open.
	Draft Phase = 3
	// PreOpen collects orders for the uncrossing that opens the market.
	PreOpen Phase = 4
	// CancelOnly accepts cancels and reductions.
	CancelOnly Phase = 5
	// ClosingAuction collects orders for the uncrossing that closes the market.
	ClosingAuction Phase = 6
	// Closed accepts cancels only and has no DAY orders.
	Closed Phase = 7
	// Paused collects orders for the uncrossing that lets the market go on.
	Paused Phase = 8
)

// Valid reports whether the phase is one.
func (p Phase) Valid() bool { return p >= Continuous && p <= Paused }

func (p Phase) String() string { return name(phases[:], uint8(p)) }

// Collects reports whether orders are taken in this phase without being matched,
// for an uncrossing to come.
func (p Phase) Collects() bool { return p == PreOpen || p == ClosingAuction || p == Paused }

// Next is what a phase becomes by itself at the end that it was given; ok is
// false for a phase that cannot have one.
func (p Phase) Next() (next Phase, ok bool) {
	switch p {
	case PreOpen, Paused:
		return Continuous, true
	case ClosingAuction:
		return Closed, true
	}
	return 0, false
}

// Opens reports whether a market may be created in this phase.
func (p Phase) Opens() bool { return p == Continuous || p == Draft || p == PreOpen }

// CanBecome reports whether a market may go from phase p to another. To the
// phase that stands it always may.
func (p Phase) CanBecome(to Phase) bool {
	return p.Valid() && to.Valid() && (p == to || transitions[p]&to.bit() != 0)
}

// Uncrosses reports whether the book is uncrossed on the way from p to another
// phase.
func (p Phase) Uncrosses(to Phase) bool {
	return p != to && (to == Continuous || p == ClosingAuction && to == Closed)
}

func (p Phase) bit() uint16 { return 1 << p }

const (
	always  = 1<<Halted | 1<<CancelOnly | 1<<Closed
	resumes = 1<<Continuous | 1<<PreOpen | 1<<Paused | always
)

var transitions = [...]uint16{
	Draft:          1<<PreOpen | 1<<Continuous | 1<<Closed,
	PreOpen:        1<<Continuous | always,
	Continuous:     1<<Paused | 1<<ClosingAuction | always,
	Paused:         1<<Continuous | always,
	ClosingAuction: always,
	Halted:         resumes,
	CancelOnly:     resumes,
	Closed:         1<<PreOpen | 1<<Continuous,
}

var phases = [...]string{
	"", "CONTINUOUS", "HALTED", "DRAFT", "PRE_OPEN", "CANCEL_ONLY", "CLOSING_AUCTION", "CLOSED", "PAUSED",
}
