package resolver

import (
	"context"
	"math"
	"time"

	"bourse/engine"
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/subgraphs/admin/internal/gen"
	"bourse/subgraphs/internal/viewer"
)

func (r mutationResolver) CreateAsset(ctx context.Context, input gen.CreateAssetInput) (*gen.CreateAssetPayload, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	if input.Scale < 0 || input.Scale > math.MaxUint8 {
		return nil, fault.New(fault.InvalidArgument, "a scale is a small number of decimals", "field", "scale")
	}
	made, _, err := view.CreateAsset(ctx, engine.CreateAsset{Key: input.ClientKey, Code: input.Code, Scale: uint8(input.Scale)})
	if err != nil {
		return nil, err
	}
	return &gen.CreateAssetPayload{Asset: &gen.Asset{Code: made.Code, Scale: int(made.Scale)}}, nil
}

func (r mutationResolver) CreateMarket(ctx context.Context, input gen.CreateMarketInput) (*gen.CreateMarketPayload, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	made, _, err := view.CreateMarket(ctx, engine.CreateMarket{
		Key:          input.ClientKey,
		Base:         input.Base,
		Quote:        input.Quote,
		TickSize:     input.TickSize.String(),
		LotSize:      input.LotSize.String(),
		MinNotional:  input.MinNotional.String(),
		MakerFeeRate: input.MakerFeeRate.String(),
		TakerFeeRate: input.TakerFeeRate.String(),
	})
	if err != nil {
		return nil, err
	}
	return &gen.CreateMarketPayload{Market: marketOf(made.Symbol)}, nil
}

func (r mutationResolver) HaltMarket(ctx context.Context, input gen.MarketPhaseInput) (*gen.MarketPhasePayload, error) {
	return r.changePhase(ctx, input, (*engine.Admin).Halt)
}

func (r mutationResolver) ResumeMarket(ctx context.Context, input gen.MarketPhaseInput) (*gen.MarketPhasePayload, error) {
	return r.changePhase(ctx, input, (*engine.Admin).Resume)
}

func (r Root) changePhase(
	ctx context.Context, input gen.MarketPhaseInput,
	change func(*engine.Admin, context.Context, engine.ChangePhase) (engine.Market, engine.Sequence, error),
) (*gen.MarketPhasePayload, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	changed, _, err := change(view, ctx, engine.ChangePhase{
		Key: input.ClientKey, Symbol: market.Symbol(input.Market), Reason: input.Reason,
	})
	if err != nil {
		return nil, err
	}
	return &gen.MarketPhasePayload{Market: marketOf(changed.Symbol)}, nil
}

func (r mutationResolver) SetMarketPhase(ctx context.Context, input gen.SetMarketPhaseInput) (*gen.MarketPhasePayload, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	changed, _, err := view.SetPhase(ctx, engine.SetPhase{
		Key: input.ClientKey, Symbol: market.Symbol(input.Market), Phase: phases[input.Phase], Until: orZero(input.Until), Reason: input.Reason,
	})
	if err != nil {
		return nil, err
	}
	return &gen.MarketPhasePayload{Market: marketOf(changed.Symbol)}, nil
}

func (r mutationResolver) SetMarketRules(ctx context.Context, input gen.SetMarketRulesInput) (*gen.MarketPhasePayload, error) {
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	changed, _, err := view.SetRules(ctx, engine.SetRules{
		Key: input.ClientKey, Symbol: market.Symbol(input.Market), ReferencePrice: text(input.ReferencePrice),
		Band: text(input.Band), Breaker: text(input.Breaker), MinNotional: text(input.MinNotional), Protection: text(input.Protection),
		BreakerWindow: seconds(input.BreakerWindowSeconds), BreakerPause: seconds(input.BreakerPauseSeconds),
		DayEnd: seconds(input.DayEndSeconds), Reason: input.Reason,
	})
	if err != nil {
		return nil, err
	}
	return &gen.MarketPhasePayload{Market: marketOf(changed.Symbol)}, nil
}

// seconds stands still where a duration cannot count on: that far out the exchange refuses anyway.
func seconds(n int) time.Duration {
	const most = int(math.MaxInt64 / int64(time.Second))
	return time.Duration(max(min(n, most), -most)) * time.Second
}

var phases = map[gen.MarketPhase]market.Phase{
	gen.MarketPhaseContinuous: market.Continuous, gen.MarketPhaseHalted: market.Halted, gen.MarketPhaseDraft: market.Draft,
	gen.MarketPhasePreOpen: market.PreOpen, gen.MarketPhaseCancelOnly: market.CancelOnly,
	gen.MarketPhaseClosingAuction: market.ClosingAuction, gen.MarketPhaseClosed: market.Closed, gen.MarketPhasePaused: market.Paused,
}

// OpenOrderCount is null for all but admins.
func (r marketResolver) OpenOrderCount(ctx context.Context, obj *gen.Market) (*int, error) {
	if !viewer.Is(ctx, account.RoleAdmin) {
		return nil, nil
	}
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	found, err := view.Market(ctx, market.Symbol(obj.Symbol))
	if err != nil {
		return nil, err
	}
	return &found.OpenOrders, nil
}

// PhaseHistory is null for all but admins.
func (r marketResolver) PhaseHistory(ctx context.Context, obj *gen.Market) ([]*gen.PhaseChange, error) {
	if !viewer.Is(ctx, account.RoleAdmin) {
		return nil, nil
	}
	view, err := r.admin(ctx)
	if err != nil {
		return nil, err
	}
	changes, err := view.PhaseHistory(ctx, market.Symbol(obj.Symbol))
	if err != nil {
		return nil, err
	}
	out := make([]*gen.PhaseChange, len(changes))
	for i, c := range changes {
		out[i] = &gen.PhaseChange{At: c.At, Phase: gen.MarketPhase(c.Phase.String()), Reason: c.Reason, By: c.By}
	}
	return out, nil
}
