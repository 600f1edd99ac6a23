package resolver

import (
	"context"

	"bourse/engine"
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/graph/scalar"
	"bourse/subgraphs/agent/internal/gen"
	"bourse/subgraphs/internal/viewer"
)

func (r queryResolver) Deposit(ctx context.Context, id string) (*gen.Deposit, error) {
	view, err := r.agent(ctx)
	if err != nil {
		return nil, err
	}
	n, ok := scalar.DecodeID(scalar.Deposit, id)
	if !ok {
		return nil, nil
	}
	deposit, err := view.Deposit(ctx, account.DepositID(n))
	if isFault(err, fault.DepositNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return depositOf(&deposit), nil
}

func (r mutationResolver) ApproveDeposit(ctx context.Context, input gen.ApproveDepositInput) (*gen.ApproveDepositPayload, error) {
	view, err := r.agent(ctx)
	if err != nil {
		return nil, err
	}
	id, ok := scalar.DecodeID(scalar.Deposit, input.DepositID)
	if !ok {
		return nil, errNoDeposit
	}
	deposit, sequence, err := view.ApproveDeposit(ctx, engine.ApproveDeposit{DepositID: account.DepositID(id), Note: orZero(input.Note)})
	if err != nil {
		return nil, err
	}
	return &gen.ApproveDepositPayload{Deposit: depositOf(&deposit), Sequence: uint64(sequence)}, nil
}

func (r mutationResolver) RejectDeposit(ctx context.Context, input gen.RejectDepositInput) (*gen.RejectDepositPayload, error) {
	view, err := r.agent(ctx)
	if err != nil {
		return nil, err
	}
	id, ok := scalar.DecodeID(scalar.Deposit, input.DepositID)
	if !ok {
		return nil, errNoDeposit
	}
	deposit, err := view.RejectDeposit(ctx, engine.RejectDeposit{DepositID: account.DepositID(id), Reason: input.Reason})
	if err != nil {
		return nil, err
	}
	return &gen.RejectDepositPayload{Deposit: depositOf(&deposit)}, nil
}

// Member gives each deposit the member who asked for it: whoever may see the deposit may see the
// member.
func (r depositResolver) Member(ctx context.Context, deposits []*gen.Deposit) ([]*gen.Member, error) {
	look, err := viewer.Look(ctx, r.Exchange)
	if err != nil {
		return nil, err
	}
	ids := idsOf(deposits, func(d *gen.Deposit) account.ID { return d.MemberID })
	found, err := look.Members(ctx, distinct(ids))
	if err != nil {
		return nil, err
	}
	out := make([]*gen.Member, len(deposits))
	for i, id := range ids {
		member, ok := found[id]
		if ok {
			out[i] = memberOf(&member)
		} else if id != 0 {
			return nil, errNoMember
		}
	}
	return out, nil
}

// DecidedBy gives each deposit the agent who decided, where the viewer may see that agent.
func (r depositResolver) DecidedBy(ctx context.Context, deposits []*gen.Deposit) ([]*gen.Agent, error) {
	return r.agentsOf(ctx, idsOf(deposits, func(d *gen.Deposit) account.ID { return d.DecidedByID }))
}

var errNoDeposit = fault.New(fault.DepositNotFound, "there is no such deposit in your downline")
