package resolver

import (
	"context"
	"math"

	"bourse/engine"
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/risk"
	"bourse/graph/scalar"
	"bourse/subgraphs/admin/internal/gen"
)

func (r mutationResolver) SetLimits(ctx context.Context, input gen.SetLimitsInput) (*gen.CommandPayload, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	scope, id, err := scopeOf(&input)
	if err != nil {
		return nil, err
	}
	return payload(view.SetLimits(ctx, engine.SetLimits{
		Key: input.ClientKey, Scope: scope, ID: id, Symbol: market.Symbol(orZero(input.Market)), Reason: input.Reason,
		Limits: engine.Limits{
			OpenOrders: int64(orZero(input.OpenOrders)), OrdersPerSecond: int64(orZero(input.OrdersPerSecond)),
			OrderQuantity: text(input.OrderQuantity), OrderNotional: text(input.OrderNotional),
			ApprovalNotional: text(input.ApprovalNotional), Distance: text(input.Distance),
			Position: text(input.Position), Exposure: text(input.Exposure),
		},
	}))
}

// scopeOf reads whom limits bind.
func scopeOf(input *gen.SetLimitsInput) (risk.Scope, uint64, error) {
	switch input.Scope {
	case gen.LimitScopeGroup:
		group, err := number("group", orZero(input.Group))
		return risk.OfGroup, uint64(group), err
	case gen.LimitScopeAgent:
		id, ok := scalar.DecodeID(scalar.Agent, orZero(input.ID))
		if !ok {
			return 0, 0, fault.New(fault.UnknownAgent, "there is no such agent")
		}
		return risk.OfAgent, id, nil
	case gen.LimitScopeMember:
		id, ok := scalar.DecodeID(scalar.Member, orZero(input.ID))
		if !ok {
			return 0, 0, errNoMember
		}
		return risk.OfMember, id, nil
	}
	return risk.OfHouse, 0, nil
}

func (r mutationResolver) SetMemberStanding(ctx context.Context, input gen.SetMemberStandingInput) (*gen.CommandPayload, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	id, ok := scalar.DecodeID(scalar.Member, input.MemberID)
	if !ok {
		return nil, errNoMember
	}
	change := engine.SetStanding{Key: input.ClientKey, Member: account.ID(id), Reason: input.Reason}
	if input.Freeze != nil {
		freeze := freezes[*input.Freeze]
		change.Freeze = &freeze
	}
	if input.Group != nil {
		group, err := number("group", *input.Group)
		if err != nil {
			return nil, err
		}
		change.Group = &group
	}
	if input.TradeGroup != nil {
		group, err := number("tradeGroup", *input.TradeGroup)
		if err != nil {
			return nil, err
		}
		wide := uint64(group)
		change.TradeGroup = &wide
	}
	return payload(view.SetStanding(ctx, change))
}

func (r mutationResolver) CancelOrderFor(ctx context.Context, input gen.CancelOrderForInput) (*gen.CommandPayload, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	id, ok := scalar.DecodeID(scalar.Order, input.OrderID)
	if !ok {
		return nil, fault.New(fault.OrderNotFound, "there is no such order")
	}
	_, sequence, err := view.CancelOrder(ctx, input.ClientKey, market.OrderID(id), input.Reason)
	return payload(sequence, err)
}

var (
	errNoMember = fault.New(fault.NotFound, "there is no such member")
	freezes     = map[gen.Freeze]risk.Freeze{
		gen.FreezeNone: risk.NotFrozen, gen.FreezeTrading: risk.FrozenTrading, gen.FreezeWholly: risk.FrozenWholly,
	}
)

// payload is the answer of a command that has nothing to show.
func payload(sequence engine.Sequence, err error) (*gen.CommandPayload, error) {
	if err != nil {
		return nil, err
	}
	return &gen.CommandPayload{Sequence: uint64(sequence)}, nil
}

// number keeps an Int within what groups are numbered by.
func number(field string, n int) (uint32, error) {
	if n < 0 || n > math.MaxUint32 {
		return 0, fault.New(fault.InvalidArgument, "a group is a number of at least 0", "field", field)
	}
	return uint32(n), nil
}
