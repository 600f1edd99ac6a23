package router

import (
	"context"
	"errors"
	"fmt"

	"bourse/router/cost"
	"bourse/router/identity"
	"bourse/router/limits"
	"bourse/router/serve"
)

// Budget says what one operation may cost by the @cost and @listSize of the supergraph. Costs are only computed where a Budget is asked for
// or a rate limit counts them.
type Budget struct {
	Max   int            // of anyone; 0: no bound
	Roles map[string]int // of identities with a role instead, the highest of several; 0: no bound
	Warn  bool           // what costs more is only logged
	Model cost.Options
	// Actual counts also what answers cost by what stands in them; answers in parts and events are not counted.
	Actual bool
}

// Codes of refusals for what an operation costs.
const (
	codeTooExpensive     = "COST_ESTIMATED_TOO_EXPENSIVE"
	codeSlicingArguments = "COST_SLICING_ARGUMENTS"
)

// limitOfCost is what a budget is called among limits.
const limitOfCost = "cost"

// of is what an identity may spend on one operation; 0: no bound.
func (b *Budget) of(who *identity.Identity) int {
	own, found := 0, false
	if who != nil {
		for _, role := range who.Roles {
			switch most, known := b.Roles[role]; {
			case !known:
			case most == 0:
				return 0
			default:
				own, found = max(own, most), true
			}
		}
	}
	if found {
		return own
	}
	return b.Max
}

// spend estimates what an operation costs and holds it against the budget of whoever asks; over is what that only warns of. Where costs are not
// computed it is 0.
func (g *gateway) spend(ctx context.Context, req *serve.Request, k *known, variables map[string]any) (spent int, over []limits.Exceeded, refusal *serve.Refusal) {
	if k.cost == nil {
		return 0, nil, nil
	}
	var err error
	spent, err = k.cost.Cost(variables)
	most := g.budget.of(req.Identity)
	if err == nil && (most == 0 || spent <= most) {
		return spent, nil, nil
	}
	if g.budget.Warn {
		g.logger.WarnContext(ctx, "operation over budget", "operation", k.definition.Name, "cost", spent, "max", most, "error", err)
		return spent, []limits.Exceeded{{Limit: limitOfCost, Max: most, Actual: spent}}, nil
	}
	g.telemetry.Limited(limitOfCost)
	var slicing *cost.SlicingError
	if errors.As(err, &slicing) {
		refusal = serve.Refuse(0, codeSlicingArguments, slicing.Error())
		refusal.Errors[0].Locations = []serve.Location{{Line: slicing.Position.Line, Column: slicing.Position.Column}}
		return spent, nil, refusal
	}
	refusal = serve.Refuse(0, codeTooExpensive, fmt.Sprintf("the operation costs about %d, and may cost %d", spent, most))
	refusal.Errors[0].Extensions["cost"] = spent
	refusal.Errors[0].Extensions["max"] = most
	return spent, nil, refusal
}
