package venue

import (
	"errors"
	"fmt"
)

// ErrMisfit means that an event does not follow from the state that it is folded
// into: it was left out, doubled, reordered, altered or forged.
var ErrMisfit = errors.New("venue: the event does not fit the state")

// Fold applies an event that Apply made, in order and without gaps. It decides
// nothing: amounts are taken from the event. It does check that the event fits,
// and returns an error that wraps ErrMisfit or a ledger error if it does not;
// the state must then be thrown away. The event is not kept, except for its
// Definition.
func (s *State) Fold(ev *Event) error {
	var print keyPrint
	if ev.First && ev.Kind != ClockAdvanced {
		if !validKey(ev.Key) {
			return misfit(ev, "its key is malformed")
		}
		print = printKey(ev.Actor, ev.Key)
		if owner := s.members.find(ev.Actor); owner != 0 && s.receipts.find(&s.members.at(owner).keys, print) != nil {
			return misfit(ev, "its key was used before")
		}
	}
	if !s.agrees(ev) {
		return misfit(ev, "it contradicts itself")
	}
	if err := s.fold(ev, print); err != nil {
		return err
	}
	if !s.comesTo(ev) {
		return misfit(ev, "an order comes to other than it says, or holds other than it needs")
	}
	return nil
}

func misfit(ev *Event, why string) error {
	return fmt.Errorf("%w: %v at sequence %d: %s", ErrMisfit, ev.Kind, ev.Sequence, why)
}

func (s *State) fold(ev *Event, print keyPrint) error {
	if ev.First {
		if ev.Sequence != s.sequence+1 || ev.Time < s.time {
			return misfit(ev, "its sequence or time does not follow the last")
		}
		if s.taking.place != 0 || s.uncrossing.market != 0 && s.uncrossing.left == 0 {
			return misfit(ev, "the command before is incomplete")
		}
	} else if ev.Sequence != s.sequence || ev.Sequence == 0 {
		return misfit(ev, "it belongs to another command")
	}
	if !ev.Kind.Valid() || ev.First && !kinds[ev.Kind].opens || !ev.First && !kinds[ev.Kind].follows {
		return misfit(ev, "it stands at the wrong place of its command")
	}
	if err := s.foldKind(ev); err != nil {
		return err
	}
	if s.taking.place != 0 {
		if err := s.follow(ev); err != nil {
			return err
		}
	}
	if !ev.First {
		return nil
	}
	s.sequence, s.time = ev.Sequence, ev.Time
	if ev.Kind == ClockAdvanced {
		if ev.Actor != 0 || ev.Key != "" {
			return misfit(ev, "the clock has neither actor nor key")
		}
		return nil
	}
	s.remember(s.members.take(ev.Actor), print, ev.Body, &ev.Receipt)
	return nil
}

// foldKind applies what is particular to a kind; each area has a file of its own.
func (s *State) foldKind(ev *Event) error {
	switch ev.Kind {
	case AssetAdded:
		return s.foldAsset(ev)
	case MarketCreated:
		return s.foldMarket(ev)
	case PhaseChanged:
		return s.foldPhase(ev)
	case AuctionUncrossed:
		return s.foldUncrossed(ev)
	case AuctionTraded:
		return s.foldAuctionTraded(ev)
	case RulesSet:
		return s.foldRules(ev)
	case ReferenceMoved:
		return s.foldReference(ev)
	case DepositCredited:
		return s.foldDeposit(ev)
	case OrderPlaced:
		return s.foldPlaced(ev)
	case Traded:
		return s.foldTraded(ev)
	case OrderCancelled:
		return s.foldCancelled(ev)
	case OrderAmended:
		return s.foldAmended(ev)
	case OrderReduced:
		return s.foldReduced(ev)
	case OrderTriggered:
		return s.foldTriggered(ev)
	case OrderActivated:
		return s.foldActivated(ev)
	case OrdersCancelled, ClockAdvanced:
		return nil // what it comes to follows
	case CommissionAccrued:
		return s.foldAccrued(ev)
	}
	return s.foldHouse(ev)
}

func (s *State) post(ev *Event) error {
	s.postings = AppendPostings(s.postings[:0], ev)
	if err := s.ledger.Post(s.postings); err != nil {
		return fmt.Errorf("venue: %v at sequence %d: %w", ev.Kind, ev.Sequence, err)
	}
	return nil
}
