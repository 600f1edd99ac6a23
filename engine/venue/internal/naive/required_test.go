package naive

import (
	"slices"
	"strings"
	"testing"

	"bourse/engine/fault"
	"bourse/engine/market"
)

// required are the rows that must occur in a full run, so that no rule goes unseen because the streams never come to it.
func required() (rows []string) {
	row := func(parts ...string) { rows = append(rows, strings.Join(parts, " ")) }
	every := func(prefix string, of string) {
		for each := range strings.FieldsSeq(of) {
			row(prefix, each)
		}
	}
	every("order LIMIT", "GTC IOC FOK DAY GTD")
	every("order MARKET", "IOC FOK")
	for _, stop := range []string{"STOP", "STOP_LIMIT", "TRAILING_STOP"} {
		every("order "+stop, "GTC DAY GTD")
	}
	row("option post-only")
	row("option display")
	row("option quote amount")
	every("self-trade mode", "CANCEL_TAKER CANCEL_MAKER CANCEL_BOTH DECREMENT ALLOW")
	for _, hand := range []string{"of the same member", "of the same trade group"} {
		row("self-trade: CANCEL_MAKER cancel maker", hand)
		row("self-trade: CANCEL_BOTH cancel maker", hand)
		row("self-trade: DECREMENT decrement", hand)
		row("self-trade: ALLOW trade", hand)
	}
	row("self-trade: CANCEL_TAKER ends the taker")
	row("self-trade: CANCEL_BOTH ends the taker")
	for phase := market.Continuous; phase.Valid(); phase++ {
		for _, outcome := range []string{"accepted", "refused"} {
			if takes := phase == market.Continuous || phase.Collects(); takes || outcome == "refused" {
				row("phase", phase.String(), "PlaceOrder", outcome)
			}
		}
		if phase != market.Draft { // which nobody has orders in
			row("phase", phase.String(), "CancelOrder accepted")
		}
	}
	every("cancelled", "REQUESTED IMMEDIATE SELF_TRADE EXPIRED LINKED UNFUNDED ADMINISTRATIVE FILL_LIMIT BREAKER")
	for _, rule := range []string{"volume", "surplus", "nearest reference", "middle"} {
		row("uncrossing price by", rule)
	}
	row("uncrossing in several steps")
	row("breaker: trips")
	row("breaker: what is left rests, crossing")
	row("breaker: first price becomes the reference")
	row("breaker: the reference follows after its window")
	row("breaker: fill-or-kill refused")
	row("trailing stop follows")
	row("OCO: the stop leg acts")
	row("OCO: a leg traded")
	row("bracket: the take-profit trades at once")
	row("bracket: the stop-loss triggers at once")
	row("bracket: unfunded")
	row("expiries in several steps")
	rows = append(rows, requiredOfTheHouse()...)
	rows = append(rows, requiredRefusals()...)
	return rows
}

// requiredOfTheHouse: limits by scope, tiers, commission and the ends of transfers.
func requiredOfTheHouse() (rows []string) {
	for _, limit := range []fault.Code{
		fault.OrderRateExceeded, fault.OrderQuantityLimit, fault.OrderNotionalLimit, fault.ApprovalRequired, fault.PriceTooFar,
		fault.TooManyOpenOrders, fault.PositionLimit, fault.ExposureLimit,
	} {
		for _, scope := range []string{"MEMBER", "GROUP", "HOUSE", "AGENT"} {
			rows = append(rows, "limit "+string(limit)+" by "+scope)
		}
	}
	for _, group := range []string{"0", "1", "2", "3"} {
		for _, tier := range []string{"1", "2", "3"} {
			rows = append(rows, "fees of group "+group+" by tier "+tier)
		}
	}
	return append(rows,
		"commission of 1 agents", "commission of 2 agents", "commission of 3 agents",
		"effect busted", "bust: commission below zero",
		"effect transfer made", "effect transfer begun", "effect transfer posted", "effect transfer voided", "transfer expired",
		"credit is drawn",
	)
}

// requiredRefusals: each command is accepted, repeated, and refused for each of its reasons.
func requiredRefusals() (rows []string) {
	for command, codes := range map[string]string{
		"AddAsset":      "ASSET_EXISTS INVALID_ARGUMENT",
		"CreateMarket":  "MARKET_EXISTS INVALID_MARKET INVALID_ARGUMENT UNKNOWN_ASSET",
		"SetPhase":      "UNKNOWN_MARKET INVALID_ARGUMENT INVALID_PHASE_CHANGE",
		"SetRules":      "UNKNOWN_MARKET INVALID_MARKET",
		"CreditDeposit": "UNKNOWN_ASSET INVALID_AMOUNT INVALID_ARGUMENT DEPOSIT_NOT_PENDING AMOUNT_OVERFLOW",
		"PlaceOrder": `UNKNOWN_MARKET MARKET_CLOSED MARKET_HALTED CANCEL_ONLY ORDER_TYPE_NOT_ALLOWED INVALID_ARGUMENT INVALID_PRICE
			INVALID_TRIGGER INVALID_DISPLAY INVALID_EXPIRY NO_LIQUIDITY NO_REFERENCE_PRICE TRIGGER_PASSED PRICE_OUTSIDE_BAND INVALID_QUANTITY
			AMOUNT_OVERFLOW ACCOUNT_FROZEN ORDER_RATE_EXCEEDED BELOW_MIN_NOTIONAL ORDER_QUANTITY_LIMIT ORDER_NOTIONAL_LIMIT APPROVAL_REQUIRED
			PRICE_TOO_FAR TOO_MANY_OPEN_ORDERS POSITION_LIMIT EXPOSURE_LIMIT INSUFFICIENT_BALANCE POST_ONLY_WOULD_TAKE NOT_FILLABLE
			CLOCK_WENT_BACK IDEMPOTENCY_CONFLICT INVALID_IDEMPOTENCY_KEY`,
		"PlaceOCO": `UNKNOWN_MARKET MARKET_CLOSED MARKET_HALTED CANCEL_ONLY ORDER_TYPE_NOT_ALLOWED INVALID_ARGUMENT INVALID_PRICE INVALID_TRIGGER
			INVALID_EXPIRY TRIGGER_PASSED PRICE_OUTSIDE_BAND INVALID_QUANTITY ACCOUNT_FROZEN ORDER_RATE_EXCEEDED BELOW_MIN_NOTIONAL
			ORDER_QUANTITY_LIMIT ORDER_NOTIONAL_LIMIT APPROVAL_REQUIRED TOO_MANY_OPEN_ORDERS POSITION_LIMIT EXPOSURE_LIMIT
			INSUFFICIENT_BALANCE POST_ONLY_WOULD_TAKE`,
		"PlaceBracket": `UNKNOWN_MARKET MARKET_CLOSED MARKET_HALTED CANCEL_ONLY ORDER_TYPE_NOT_ALLOWED INVALID_ARGUMENT INVALID_PRICE INVALID_TRIGGER
			INVALID_EXPIRY NO_LIQUIDITY PRICE_OUTSIDE_BAND INVALID_QUANTITY ACCOUNT_FROZEN ORDER_RATE_EXCEEDED BELOW_MIN_NOTIONAL
			ORDER_QUANTITY_LIMIT ORDER_NOTIONAL_LIMIT APPROVAL_REQUIRED TOO_MANY_OPEN_ORDERS POSITION_LIMIT EXPOSURE_LIMIT
			INSUFFICIENT_BALANCE NOT_FILLABLE`,
		"AmendOrder": `ORDER_NOT_FOUND ORDER_NOT_OPEN ORDER_NOT_AMENDABLE MARKET_CLOSED MARKET_HALTED CANCEL_ONLY INVALID_AMEND PRICE_OUTSIDE_BAND
			INVALID_PRICE ACCOUNT_FROZEN BELOW_MIN_NOTIONAL ORDER_QUANTITY_LIMIT ORDER_NOTIONAL_LIMIT APPROVAL_REQUIRED
			POSITION_LIMIT EXPOSURE_LIMIT INSUFFICIENT_BALANCE POST_ONLY_WOULD_TAKE`,
		"CancelOrder":   "ORDER_NOT_FOUND ORDER_NOT_OPEN",
		"CancelFor":     "ORDER_NOT_FOUND ORDER_NOT_OPEN",
		"CancelAll":     "UNKNOWN_MARKET",
		"SetMember":     "INVALID_ARGUMENT UNKNOWN_AGENT",
		"SetAgent":      "INVALID_ARGUMENT INVALID_COMMISSION UNKNOWN_AGENT AGENT_CYCLE",
		"SetLimits":     "UNKNOWN_MARKET INVALID_LIMITS",
		"SetFees":       "UNKNOWN_MARKET INVALID_FEES",
		"SetCredit":     "UNKNOWN_ASSET INVALID_ARGUMENT INVALID_AMOUNT INSUFFICIENT_BALANCE AMOUNT_OVERFLOW",
		"MakeTransfer":  "UNKNOWN_ASSET INVALID_AMOUNT INVALID_ARGUMENT UNKNOWN_AGENT TRANSFER_EXISTS ACCOUNT_FROZEN INSUFFICIENT_BALANCE AMOUNT_OVERFLOW",
		"BeginTransfer": "UNKNOWN_ASSET INVALID_AMOUNT INVALID_ARGUMENT UNKNOWN_AGENT TRANSFER_EXISTS ACCOUNT_FROZEN INSUFFICIENT_BALANCE INVALID_EXPIRY",
		"PostTransfer":  "TRANSFER_NOT_FOUND TRANSFER_NOT_PENDING",
		"VoidTransfer":  "TRANSFER_NOT_FOUND TRANSFER_NOT_PENDING",
		"BustTrade":     "UNKNOWN_MARKET TRADE_NOT_FOUND TRADE_BUSTED INVALID_ARGUMENT BUST_NOT_COVERED",
	} {
		for each := range strings.FieldsSeq("accepted repeated " + codes) {
			rows = append(rows, "command "+command+" "+each)
		}
	}
	return rows
}

// complete reports whether each row that must occur did.
func (c *coverage) complete() bool {
	return !slices.ContainsFunc(required(), func(row string) bool { return c.rows[row] == 0 })
}

// missing fails for each row that must occur and did not.
func (c *coverage) missing(t *testing.T) {
	t.Helper()
	for _, row := range required() {
		if c.rows[row] == 0 {
			t.Errorf("never occurred: %s", row)
		}
	}
}
