package resolver

import (
	"context"

	"bourse/engine"
	"bourse/subgraphs/member/internal/gen"
)

func (r mutationResolver) RequestDeposit(ctx context.Context, input gen.RequestDepositInput) (*gen.RequestDepositPayload, error) {
	member, err := r.member(ctx)
	if err != nil {
		return nil, err
	}
	deposit, err := member.RequestDeposit(ctx, engine.RequestDeposit{
		Key: input.ClientKey, Asset: input.Asset, Amount: input.Amount.String(),
	})
	if err != nil {
		return nil, err
	}
	return &gen.RequestDepositPayload{Deposit: depositOf(&deposit)}, nil
}
