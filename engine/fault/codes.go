package fault

// Code names a reason for a refusal. Codes are stable: programs act on them.
type Code string

// The codes. Each has a sentence in Codes.
const (
	Unauthenticated       Code = "UNAUTHENTICATED"
	TokenExpired          Code = "TOKEN_EXPIRED"
	Forbidden             Code = "FORBIDDEN"
	NotFound              Code = "NOT_FOUND"
	InvalidArgument       Code = "INVALID_ARGUMENT"
	InvalidCredentials    Code = "INVALID_CREDENTIALS"
	InviteInvalid         Code = "INVITE_INVALID"
	UsernameTaken         Code = "USERNAME_TAKEN"
	WeakPassword          Code = "WEAK_PASSWORD"
	RateLimited           Code = "RATE_LIMITED"
	UnknownAsset          Code = "UNKNOWN_ASSET"
	UnknownMarket         Code = "UNKNOWN_MARKET"
	MarketExists          Code = "MARKET_EXISTS"
	AssetExists           Code = "ASSET_EXISTS"
	MarketHalted          Code = "MARKET_HALTED"
	InvalidMarket         Code = "INVALID_MARKET"
	InvalidPrice          Code = "INVALID_PRICE"
	PriceOffTick          Code = "PRICE_OFF_TICK"
	InvalidQuantity       Code = "INVALID_QUANTITY"
	QuantityOffLot        Code = "QUANTITY_OFF_LOT"
	InvalidAmount         Code = "INVALID_AMOUNT"
	TooManyDecimals       Code = "TOO_MANY_DECIMALS"
	BelowMinNotional      Code = "BELOW_MIN_NOTIONAL"
	AmountOverflow        Code = "AMOUNT_OVERFLOW"
	InsufficientBalance   Code = "INSUFFICIENT_BALANCE"
	NoLiquidity           Code = "NO_LIQUIDITY"
	OrderNotFound         Code = "ORDER_NOT_FOUND"
	OrderNotOpen          Code = "ORDER_NOT_OPEN"
	IdempotencyConflict   Code = "IDEMPOTENCY_CONFLICT"
	InvalidIdempotencyKey Code = "INVALID_IDEMPOTENCY_KEY"
	TooManyOpenOrders     Code = "TOO_MANY_OPEN_ORDERS"
	DepositNotFound       Code = "DEPOSIT_NOT_FOUND"
	DepositNotPending     Code = "DEPOSIT_NOT_PENDING"
	SelfApproval          Code = "SELF_APPROVAL"
	SelfTrade             Code = "SELF_TRADE"
	ClockWentBack         Code = "CLOCK_WENT_BACK"
	Unavailable           Code = "UNAVAILABLE"
	Overloaded            Code = "OVERLOADED"
	SequenceNotReached    Code = "SEQUENCE_NOT_REACHED"
	OutcomeUnknown        Code = "OUTCOME_UNKNOWN"
	MarketClosed          Code = "MARKET_CLOSED"
	CancelOnly            Code = "CANCEL_ONLY"
	OrderTypeNotAllowed   Code = "ORDER_TYPE_NOT_ALLOWED"
	InvalidPhaseChange    Code = "INVALID_PHASE_CHANGE"
	PriceOutsideBand      Code = "PRICE_OUTSIDE_BAND"
	PriceTooFar           Code = "PRICE_TOO_FAR"
	PostOnlyWouldTake     Code = "POST_ONLY_WOULD_TAKE"
	NotFillable           Code = "NOT_FILLABLE"
	InvalidTrigger        Code = "INVALID_TRIGGER"
	TriggerPassed         Code = "TRIGGER_PASSED"
	NoReferencePrice      Code = "NO_REFERENCE_PRICE"
	InvalidDisplay        Code = "INVALID_DISPLAY"
	InvalidExpiry         Code = "INVALID_EXPIRY"
	InvalidAmend          Code = "INVALID_AMEND"
	OrderNotAmendable     Code = "ORDER_NOT_AMENDABLE"
	OrderQuantityLimit    Code = "ORDER_QUANTITY_LIMIT"
	OrderNotionalLimit    Code = "ORDER_NOTIONAL_LIMIT"
	PositionLimit         Code = "POSITION_LIMIT"
	ExposureLimit         Code = "EXPOSURE_LIMIT"
	OrderRateExceeded     Code = "ORDER_RATE_EXCEEDED"
	AccountFrozen         Code = "ACCOUNT_FROZEN"
	ApprovalRequired      Code = "APPROVAL_REQUIRED"
	InvalidLimits         Code = "INVALID_LIMITS"
	InvalidFees           Code = "INVALID_FEES"
	InvalidCommission     Code = "INVALID_COMMISSION"
	UnknownAgent          Code = "UNKNOWN_AGENT"
	AgentCycle            Code = "AGENT_CYCLE"
	TradeNotFound         Code = "TRADE_NOT_FOUND"
	TradeBusted           Code = "TRADE_BUSTED"
	BustNotCovered        Code = "BUST_NOT_COVERED"
	TransferExists        Code = "TRANSFER_EXISTS"
	TransferNotFound      Code = "TRANSFER_NOT_FOUND"
	TransferNotPending    Code = "TRANSFER_NOT_PENDING"
)

// Description is a code with the sentence that documents it.
type Description struct {
	Code     Code
	Sentence string
}

// Codes returns every code once, in the order of the list above. The caller
// owns the slice.
func Codes() []Description { return append([]Description(nil), codes...) }

var codes = []Description{
	{Unauthenticated, "The request carries no valid sign-in."},
	{TokenExpired, "The access token has expired; refresh it and ask again."},
	{Forbidden, "The actor's role does not allow this."},
	{NotFound, "There is no such thing, or the actor may not see it."},
	{InvalidArgument, "An argument is malformed or out of range."},
	{InvalidCredentials, "User name or password is wrong."},
	{InviteInvalid, "The invite code is unknown, used up or expired."},
	{UsernameTaken, "Another account already has this user name."},
	{WeakPassword, "The password is too short or too easily guessed."},
	{RateLimited, "Too many attempts; wait before asking again."},
	{UnknownAsset, "The exchange has no such asset."},
	{UnknownMarket, "The exchange has no such market."},
	{MarketExists, "A market with this symbol exists already."},
	{AssetExists, "An asset with this code exists already."},
	{MarketHalted, "The market is halted: only cancels are accepted."},
	{InvalidMarket, "The definition of the market contradicts itself or is out of range."},
	{InvalidPrice, "The price is missing, not positive, too large or not wanted by the order's type."},
	{PriceOffTick, "The price is not a whole number of ticks."},
	{InvalidQuantity, "The quantity is not positive or too large."},
	{QuantityOffLot, "The quantity is not a whole number of lots."},
	{InvalidAmount, "The amount is not a positive decimal."},
	{TooManyDecimals, "The number is finer than the asset's minor unit."},
	{BelowMinNotional, "Price times quantity is below the market's minimum."},
	{AmountOverflow, "The amount is larger than the exchange can count."},
	{InsufficientBalance, "The available balance does not cover the order with its fee."},
	{NoLiquidity, "There is nothing on the other side for a market order to trade with."},
	{OrderNotFound, "The actor has no such order."},
	{OrderNotOpen, "The order is filled or cancelled already."},
	{IdempotencyConflict, "The same key was used before for a different command."},
	{InvalidIdempotencyKey, "The key is not 1 to 64 visible ASCII characters."},
	{TooManyOpenOrders, "The member has as many open orders as it may have."},
	{DepositNotFound, "The actor can see no such deposit."},
	{DepositNotPending, "The deposit was approved or rejected already."},
	{SelfApproval, "Nobody may approve what benefits themselves."},
	{SelfTrade, "The order would have traded with an order of the same member."},
	{ClockWentBack, "The command is stamped earlier than one that was accepted before it."},
	{Unavailable, "The exchange cannot take this now; nothing happened. Ask again with the same key."},
	{Overloaded, "Too many commands are waiting; ask again later with the same key."},
	{SequenceNotReached, "The wanted sequence number was not reached in time."},
	{OutcomeUnknown, "Whether the command had its effect is not known; ask again with the same key to settle it."},
	{MarketClosed, "The market takes no orders in its present phase."},
	{CancelOnly, "The market takes cancels and reductions only."},
	{OrderTypeNotAllowed, "The market does not take this kind of order in its present phase."},
	{InvalidPhaseChange, "The market cannot go from its phase to that one."},
	{PriceOutsideBand, "The price lies outside the market's band around its reference price."},
	{PriceTooFar, "The price is further from the reference price than the member's limits allow."},
	{PostOnlyWouldTake, "A post-only order would have traded at once."},
	{NotFillable, "A fill-or-kill order cannot be filled whole at once."},
	{InvalidTrigger, "The trigger price or trailing distance is missing, out of range or not wanted by the order's type."},
	{TriggerPassed, "The last price has reached the trigger price already."},
	{NoReferencePrice, "The market has no price yet that the order could be measured against."},
	{InvalidDisplay, "The displayed quantity is out of range or not wanted by the order."},
	{InvalidExpiry, "The expiry is missing, past, too far ahead or not wanted by the time in force."},
	{InvalidAmend, "The amendment changes nothing or leaves nothing to trade."},
	{OrderNotAmendable, "An order of this kind or state cannot be amended; cancel it and place another."},
	{OrderQuantityLimit, "The quantity is above what one order of the member may have."},
	{OrderNotionalLimit, "Price times quantity is above what one order of the member may come to."},
	{PositionLimit, "With this order the member could come to hold more than it may."},
	{ExposureLimit, "With this order the member's open orders in the market come to more than they may."},
	{OrderRateExceeded, "The member places orders faster than it may."},
	{AccountFrozen, "The account is frozen: it may cancel, but not place orders or move money out."},
	{ApprovalRequired, "An order of this size needs an approval first."},
	{InvalidLimits, "The limits contradict one another, name no scope or lack the market that their unit needs."},
	{InvalidFees, "The fee tiers are not in order or out of range."},
	{InvalidCommission, "The commission plan is out of range."},
	{UnknownAgent, "The exchange has no such agent."},
	{AgentCycle, "The agent would stand above itself, or too deep."},
	{TradeNotFound, "There is no such trade."},
	{TradeBusted, "The trade was busted already."},
	{BustNotCovered, "A party no longer has what busting the trade would take back."},
	{TransferExists, "A transfer with this id was begun before."},
	{TransferNotFound, "There is no such transfer."},
	{TransferNotPending, "The transfer was posted or voided already."},
}
