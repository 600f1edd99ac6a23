package resolver

import (
	"context"

	"bourse/engine"
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/graph/scalar"
	"bourse/subgraphs/admin/internal/gen"
)

func (r mutationResolver) AdjustBalance(ctx context.Context, input gen.AdjustBalanceInput) (*gen.CommandPayload, error) {
	return r.adjust(ctx, input.MemberID, (*engine.Admin).Adjust, engine.Adjust{
		Key: input.ClientKey, Asset: input.Asset, Amount: input.Amount.String(), Reason: input.Reason,
	})
}

func (r mutationResolver) SetCredit(ctx context.Context, input gen.SetCreditInput) (*gen.CommandPayload, error) {
	return r.adjust(ctx, input.MemberID, (*engine.Admin).SetCredit, engine.Adjust{
		Key: input.ClientKey, Asset: input.Asset, Amount: input.Amount.String(), Reason: input.Reason,
	})
}

func (r Root) adjust(
	ctx context.Context, member string, do func(*engine.Admin, context.Context, engine.Adjust) (engine.Sequence, error), ask engine.Adjust,
) (*gen.CommandPayload, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	id, ok := scalar.DecodeID(scalar.Member, member)
	if !ok {
		return nil, errNoMember
	}
	ask.Member = account.ID(id)
	return payload(do(view, ctx, ask))
}

func (r mutationResolver) SetFees(ctx context.Context, input gen.SetFeesInput) (*gen.CommandPayload, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	group, err := number("group", input.Group)
	if err != nil {
		return nil, err
	}
	tiers := make([]engine.FeeTier, len(input.Tiers))
	for i, t := range input.Tiers {
		tiers[i] = engine.FeeTier{
			Volume: t.Volume.String(), MakerFeeRate: t.MakerFeeRate.String(), TakerFeeRate: t.TakerFeeRate.String(),
		}
	}
	return payload(view.SetFees(ctx, input.ClientKey, market.Symbol(input.Market), group, tiers))
}

func (r mutationResolver) SetCommissionPlan(ctx context.Context, input gen.SetCommissionPlanInput) (*gen.CommandPayload, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	agent, err := agentID(input.AgentID)
	if err != nil {
		return nil, err
	}
	plan := engine.CommissionPlan{
		Default: input.DefaultRate.String(), Markets: map[market.Symbol]string{}, Groups: map[uint32]string{},
	}
	for _, m := range input.Markets {
		plan.Markets[market.Symbol(m.Market)] = m.Rate.String()
	}
	for _, g := range input.Groups {
		group, err := number("group", g.Group)
		if err != nil {
			return nil, err
		}
		plan.Groups[group] = g.Rate.String()
	}
	return payload(view.SetCommissionPlan(ctx, input.ClientKey, agent, plan))
}

func (r mutationResolver) SettleCommission(ctx context.Context, input gen.SettleCommissionInput) (*gen.SettleCommissionPayload, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	agent, err := agentID(input.AgentID)
	if err != nil {
		return nil, err
	}
	amount, sequence, err := view.SettleCommission(ctx, input.ClientKey, agent, input.Asset)
	if err != nil {
		return nil, err
	}
	return &gen.SettleCommissionPayload{Amount: amount, Sequence: uint64(sequence)}, nil
}

func (r mutationResolver) BustTrade(ctx context.Context, input gen.BustTradeInput) (*gen.CommandPayload, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	id, ok := scalar.DecodeID(scalar.Trade, input.TradeID)
	if !ok {
		return nil, fault.New(fault.TradeNotFound, "there is no such trade")
	}
	return payload(view.BustTrade(ctx, input.ClientKey, market.TradeID(id), input.Reason))
}

func agentID(id string) (account.ID, error) {
	n, ok := scalar.DecodeID(scalar.Agent, id)
	if !ok {
		return 0, fault.New(fault.NotFound, "there is no such agent")
	}
	return account.ID(n), nil
}

// text is a decimal as the exchange reads it; absent is empty.
func text(d *money.Decimal) string {
	if d == nil {
		return ""
	}
	return d.String()
}
