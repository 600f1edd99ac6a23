package resolver

import (
	"context"
	"time"

	"bourse/engine"
	"bourse/engine/venue"
	"bourse/graph/scalar"
	"bourse/subgraphs/member/internal/gen"
)

func (r memberResolver) Statement(
	ctx context.Context, obj *gen.Member, code string, from, to *time.Time, first int, after *string,
) (*gen.Statement, error) {
	look, id, err := r.look(ctx, obj)
	if err != nil {
		return nil, err
	}
	q := engine.StatementQuery{Asset: code, From: orZero(from), To: orZero(to)}
	st, err := look.Statement(ctx, id, q, engine.Page{First: first, After: orZero(after)})
	if err != nil {
		return nil, err
	}
	out := &gen.Statement{
		Asset: asset(st.Asset), Opening: st.Opening, Closing: st.Closing, PageInfo: pageInfo(st.HasNext, st.Next),
		Edges: make([]*gen.StatementLineEdge, len(st.Items)), Nodes: make([]*gen.StatementLine, len(st.Items)),
	}
	for i := range st.Items {
		l := &st.Items[i]
		out.Nodes[i] = &gen.StatementLine{
			At: l.At, Sequence: uint64(l.Sequence), Reason: l.Reason.String(), Reference: reference(l),
			Available: l.Available, Held: l.Held, Balance: l.Balance,
		}
		out.Edges[i] = &gen.StatementLineEdge{Cursor: l.Cursor(), Node: out.Nodes[i]}
	}
	return out, nil
}

func (r memberResolver) BalanceAsOf(ctx context.Context, obj *gen.Member, code string, at time.Time) (*gen.Balance, error) {
	look, id, err := r.look(ctx, obj)
	if err != nil {
		return nil, err
	}
	balance, err := look.BalanceAsOf(ctx, id, code, at)
	if err != nil {
		return nil, err
	}
	return balancesOf([]engine.Balance{balance})[0], nil
}

// reference is the opaque id of what a line names.
func reference(l *engine.StatementLine) *string {
	if l.Reference == 0 {
		return nil
	}
	kind := scalar.Order
	switch l.Reason {
	case venue.DepositCredited:
		kind = scalar.Deposit
	case venue.Traded:
		kind = scalar.Trade
	}
	id := scalar.EncodeID(kind, l.Reference)
	return &id
}
