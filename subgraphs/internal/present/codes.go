// Package present turns what went wrong into GraphQL errors: refusals of the exchange into a code
// that programs act on, everything else into INTERNAL_SERVER_ERROR for the caller and a full line in
// the log for the operator.
//
// It deliberately does not know which field or use case failed; gqlgen adds the path.
package present

import "bourse/engine/fault"

// Internal is the code of everything that the caller can do nothing about.
const Internal = "INTERNAL_SERVER_ERROR"

// lagged ends a subscription whose reader was too slow; no command is ever refused with it.
const lagged fault.Code = "SUBSCRIPTION_LAGGED"

// codes is the one table from the exchange's refusals to extensions.code. The names are the same by
// intent; the table is what makes a new refusal a decision about the API rather than an accident.
var codes = map[fault.Code]string{
	fault.Unauthenticated:       "UNAUTHENTICATED",
	fault.TokenExpired:          "TOKEN_EXPIRED",
	fault.Forbidden:             "FORBIDDEN",
	fault.NotFound:              "NOT_FOUND",
	fault.InvalidArgument:       "INVALID_ARGUMENT",
	fault.InvalidCredentials:    "INVALID_CREDENTIALS",
	fault.InviteInvalid:         "INVITE_INVALID",
	fault.UsernameTaken:         "USERNAME_TAKEN",
	fault.WeakPassword:          "WEAK_PASSWORD",
	fault.RateLimited:           "RATE_LIMITED",
	fault.UnknownAsset:          "UNKNOWN_ASSET",
	fault.UnknownMarket:         "UNKNOWN_MARKET",
	fault.MarketExists:          "MARKET_EXISTS",
	fault.AssetExists:           "ASSET_EXISTS",
	fault.MarketHalted:          "MARKET_HALTED",
	fault.InvalidMarket:         "INVALID_MARKET",
	fault.InvalidPrice:          "INVALID_PRICE",
	fault.PriceOffTick:          "PRICE_OFF_TICK",
	fault.InvalidQuantity:       "INVALID_QUANTITY",
	fault.QuantityOffLot:        "QUANTITY_OFF_LOT",
	fault.InvalidAmount:         "INVALID_AMOUNT",
	fault.TooManyDecimals:       "TOO_MANY_DECIMALS",
	fault.BelowMinNotional:      "BELOW_MIN_NOTIONAL",
	fault.AmountOverflow:        "AMOUNT_OVERFLOW",
	fault.InsufficientBalance:   "INSUFFICIENT_BALANCE",
	fault.NoLiquidity:           "NO_LIQUIDITY",
	fault.OrderNotFound:         "ORDER_NOT_FOUND",
	fault.OrderNotOpen:          "ORDER_NOT_OPEN",
	fault.IdempotencyConflict:   "IDEMPOTENCY_CONFLICT",
	fault.InvalidIdempotencyKey: "INVALID_IDEMPOTENCY_KEY",
	fault.TooManyOpenOrders:     "TOO_MANY_OPEN_ORDERS",
	fault.DepositNotFound:       "DEPOSIT_NOT_FOUND",
	fault.DepositNotPending:     "DEPOSIT_NOT_PENDING",
	fault.SelfApproval:          "SELF_APPROVAL",
	fault.SelfTrade:             "SELF_TRADE",
	// A caller cannot act on the house's clock, but it may ask again.
	fault.ClockWentBack:       "UNAVAILABLE",
	fault.Unavailable:         "UNAVAILABLE",
	fault.Overloaded:          "OVERLOADED",
	fault.SequenceNotReached:  "SEQUENCE_NOT_REACHED",
	fault.OutcomeUnknown:      "OUTCOME_UNKNOWN",
	fault.MarketClosed:        "MARKET_CLOSED",
	fault.CancelOnly:          "CANCEL_ONLY",
	fault.OrderTypeNotAllowed: "ORDER_TYPE_NOT_ALLOWED",
	fault.InvalidPhaseChange:  "INVALID_PHASE_CHANGE",
	fault.PriceOutsideBand:    "PRICE_OUTSIDE_BAND",
	fault.PriceTooFar:         "PRICE_TOO_FAR",
	fault.PostOnlyWouldTake:   "POST_ONLY_WOULD_TAKE",
	fault.NotFillable:         "NOT_FILLABLE",
	fault.InvalidTrigger:      "INVALID_TRIGGER",
	fault.TriggerPassed:       "TRIGGER_PASSED",
	fault.NoReferencePrice:    "NO_REFERENCE_PRICE",
	fault.InvalidDisplay:      "INVALID_DISPLAY",
	fault.InvalidExpiry:       "INVALID_EXPIRY",
	fault.InvalidAmend:        "INVALID_AMEND",
	fault.OrderNotAmendable:   "ORDER_NOT_AMENDABLE",
	fault.OrderQuantityLimit:  "ORDER_QUANTITY_LIMIT",
	fault.OrderNotionalLimit:  "ORDER_NOTIONAL_LIMIT",
	fault.PositionLimit:       "POSITION_LIMIT",
	fault.ExposureLimit:       "EXPOSURE_LIMIT",
	fault.OrderRateExceeded:   "ORDER_RATE_EXCEEDED",
	fault.AccountFrozen:       "ACCOUNT_FROZEN",
	fault.ApprovalRequired:    "APPROVAL_REQUIRED",
	fault.InvalidLimits:       "INVALID_LIMITS",
	fault.InvalidFees:         "INVALID_FEES",
	fault.InvalidCommission:   "INVALID_COMMISSION",
	fault.UnknownAgent:        "UNKNOWN_AGENT",
	fault.AgentCycle:          "AGENT_CYCLE",
	fault.TradeNotFound:       "TRADE_NOT_FOUND",
	fault.TradeBusted:         "TRADE_BUSTED",
	fault.BustNotCovered:      "BUST_NOT_COVERED",
	fault.TransferExists:      "TRANSFER_EXISTS",
	fault.TransferNotFound:    "TRANSFER_NOT_FOUND",
	fault.TransferNotPending:  "TRANSFER_NOT_PENDING",
	lagged:                    "SUBSCRIPTION_LAGGED",
}
