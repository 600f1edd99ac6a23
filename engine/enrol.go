package engine

import (
	"context"
	"fmt"

	"bourse/engine/account"
	"bourse/engine/internal/postgres"
	"bourse/engine/venue"
)

// The venue shares fees among agents and binds limits to groups, and so must know who looks after
// whom. People are ordinary rows; what the venue needs of them is brought to it by commands when they
// come, and again at each start for those whose command a failing database swallowed.

// enrolAgent makes an agent known to the venue, below its parent.
func (x *Exchange) enrolAgent(ctx context.Context, id, parent account.ID) error {
	_, err := x.submit(ctx, &venue.SetAgent{Key: fmt.Sprintf("enrol-agent-%d", id), Agent: id, Parent: parent})
	return err
}

// enrolMember tells the venue which agent looks after a member. What else is set about it stays.
func (x *Exchange) enrolMember(ctx context.Context, id, agent account.ID) error {
	return x.setMember(ctx, 0, fmt.Sprintf("enrol-member-%d-%d", id, agent), id, func(p *venue.Profile) { p.Agent = agent })
}

// setMember changes what the venue knows of a member. Two changes at once leave the later one.
func (x *Exchange) setMember(ctx context.Context, actor account.ID, key string, id account.ID, change func(*venue.Profile)) error {
	_, err := x.submit(ctx, x.memberCommand(actor, key, id, change))
	return err
}

func (x *Exchange) memberCommand(actor account.ID, key string, id account.ID, change func(*venue.Profile)) *venue.SetMember {
	var p venue.Profile
	x.read(func(s *venue.State) { p, _ = s.Profile(id) })
	change(&p)
	return &venue.SetMember{
		Actor: actor, Key: key, Member: id, Agent: p.Agent, Group: p.Group, TradeGroup: p.TradeGroup, Freeze: p.Freeze,
	}
}

// enrolPage bounds how many people one query of enrolAll reads.
const enrolPage = 1000

// enrolAll brings everybody to the venue whom it does not know as the rows do, and returns how many.
// Agents come before those below them: their ids are older.
func (x *Exchange) enrolAll(ctx context.Context) (int, error) {
	enrolled := 0
	for after := account.ID(0); ; {
		people, err := x.db.Placements(ctx, after, enrolPage)
		if err != nil {
			return enrolled, refusal(err)
		}
		for _, p := range people {
			if x.placed(p) {
				continue
			}
			if p.IsAgent {
				err = x.enrolAgent(ctx, p.ID, p.Above)
			} else {
				err = x.enrolMember(ctx, p.ID, p.Above)
			}
			if err != nil {
				return enrolled, err
			}
			enrolled++
		}
		if len(people) < enrolPage {
			return enrolled, nil
		}
		after = people[len(people)-1].ID
	}
}

// placed reports whether the venue knows someone where the rows have it.
func (x *Exchange) placed(p postgres.Placement) (same bool) {
	x.read(func(s *venue.State) {
		if p.IsAgent {
			_, _, same = s.Agent(p.ID)
			return
		}
		profile, _ := s.Profile(p.ID)
		same = profile.Agent == p.Above
	})
	return same
}
