package venue

const (
	// KeysPerActor is how many keys of an actor are remembered; an older key is
	// forgotten, and a command that carries it would take effect again. Fold
	// refuses a key that is still remembered, so a journal may hold what a larger
	// number would refuse: raising it needs a new version of the events.
	KeysPerActor = 10_000

	// ClosedOrders is how many orders that were filled or cancelled stay known,
	// over all members: to answer reads that follow a command, and to tell
	// ORDER_NOT_OPEN from ORDER_NOT_FOUND.
	ClosedOrders = 1 << 15
)

// auctionTradesPerStep bounds the trades of an uncrossing that one step makes.
const auctionTradesPerStep = 1000

// maxMarkets bounds the number of markets.
const maxMarkets = 1 << 12
