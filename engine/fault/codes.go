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
	{Unavailable, "The command was not acknowledged; ask again with the same key."},
	{Overloaded, "Too many commands are waiting; ask again later with the same key."},
	{SequenceNotReached, "The wanted sequence number was not reached in time."},
}
