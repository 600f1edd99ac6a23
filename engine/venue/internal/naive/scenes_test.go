package naive

import (
	"bourse/engine/account"
	"bourse/engine/market"
	"bourse/engine/risk"
)

// Scenes are rows of commands for what chance alone would hardly bring about.

// until is no command: it lets time go by.
type until Time

// quiet clears a market and lets it trade without bands and breaker.
func (s *stream) quiet(symbol market.Symbol) {
	s.later(&SetRules{Actor: house, Symbol: symbol})
	for id := account.ID(firstMember); id < members; id++ {
		s.later(&CancelAll{Actor: id, Symbol: symbol})
		s.later(&SetLimits{Actor: house, Scope: risk.OfMember, ID: uint64(id)})
		s.later(&SetLimits{Actor: house, Scope: risk.OfMember, ID: uint64(id), Symbol: symbol})
		s.later(&SetMember{Actor: house, Member: id})
		s.later(&CreditDeposit{Actor: house, Member: id, Asset: "USDT", Amount: 30_000_000})
		s.later(&CreditDeposit{Actor: house, Member: id, Asset: "BTC", Amount: 3_000_000})
	}
}

// manyMeetings lets a taker meet more makers than it may: icebergs that display a hundredth.
func (s *stream) manyMeetings() any {
	symbol := symbols[0]
	s.quiet(symbol)
	s.later(&SetPhase{Actor: house, Symbol: symbol, Phase: market.Continuous})
	for i := range 102 {
		s.later(&PlaceOrder{Actor: account.ID(1 + i%4), Symbol: symbol, Side: market.Sell, Type: market.Limit, Price: 1000, Quantity: 100, Display: 1})
	}
	s.later(&PlaceOrder{Actor: 6, Symbol: symbol, Side: market.Buy, Type: market.Limit, Price: 1000, Quantity: 10_150, TimeInForce: pick(s, 0, market.FOK)})
	s.later(&PlaceOrder{Actor: 5, Symbol: symbol, Side: market.Buy, Type: market.Limit, Price: 1000, Quantity: 10_150, Approved: true})
	return &SetPhase{Actor: house, Symbol: symbol, Phase: market.Continuous}
}

// firstUncrossing is one in a market that has no price of any kind yet.
func (s *stream) firstUncrossing() {
	symbol := symbols[2]
	s.later(&CreditDeposit{Actor: house, Member: 1, Asset: "BTC", Amount: 2_000_000})
	s.later(&CreditDeposit{Actor: house, Member: 2, Asset: "ETH", Amount: 2_000_000})
	s.later(&PlaceOrder{Actor: 1, Symbol: symbol, Side: market.Buy, Type: market.Limit, Price: 1005, Quantity: 20})
	s.later(&PlaceOrder{Actor: 2, Symbol: symbol, Side: market.Sell, Type: market.Limit, Price: 990, Quantity: 20})
	s.later(&SetPhase{Actor: house, Symbol: symbol, Phase: market.Continuous})
}

// unfunded lets a member sell all that it has in a bracket whose exits would cost more than that brought.
func (s *stream) unfunded() any {
	poor := account.ID(members)
	for _, a := range assets {
		if has := s.venue.balance(available(poor), a.Code); has > 0 {
			s.ids++
			s.later(&MakeTransfer{Actor: house, Transfer: s.ids, From: available(poor), To: deposits, Asset: a.Code, Amount: has})
		}
	}
	s.later(&CreditDeposit{Actor: house, Member: poor, Asset: "BTC", Amount: 30})
	anchor := s.anchors[symbols[0]]
	s.later(&PlaceBracket{
		Actor: poor, Symbol: symbols[0], Side: market.Sell, Type: market.Limit, Price: anchor - 30, Quantity: 30,
		TakeProfit: anchor - 50, StopTrigger: anchor + 100, Approved: true,
	})
	return &CancelAll{Actor: poor}
}

// longUncrossing has more trades than one step makes.
func (s *stream) longUncrossing() any {
	symbol := symbols[0]
	s.quiet(symbol)
	s.later(&SetPhase{Actor: house, Symbol: symbol, Phase: market.Continuous})
	s.later(&SetPhase{Actor: house, Symbol: symbol, Phase: market.Halted})
	s.later(&SetPhase{Actor: house, Symbol: symbol, Phase: market.PreOpen})
	for i := range 15 {
		price := market.Price(990 + s.IntN(11))
		s.later(&PlaceOrder{Actor: account.ID(1 + i%4), Symbol: symbol, Side: market.Sell, Type: market.Limit, Price: price, Quantity: 100, Display: 1})
	}
	for range 3 {
		s.later(&PlaceOrder{Actor: s.member(), Symbol: symbol, Side: market.Buy, Type: market.Stop, Trigger: 1001, Quantity: 3})
	}
	s.later(&PlaceOrder{Actor: 6, Symbol: symbol, Side: market.Buy, Type: market.Limit, Price: 1000, Quantity: 1_300, Approved: true})
	s.later(&SetPhase{Actor: house, Symbol: symbol, Phase: market.Continuous})
	return &SetPhase{Actor: house, Symbol: symbol, Phase: market.Continuous}
}

// manyExpiries lets more orders expire at once than one step ends.
func (s *stream) manyExpiries() any {
	symbol := symbols[0]
	s.quiet(symbol)
	s.later(&SetPhase{Actor: house, Symbol: symbol, Phase: market.Continuous})
	at := s.now + 300*Time(market.Day)
	for i := range 1200 {
		s.later(&PlaceOrder{
			Actor: account.ID(1 + i%4), Symbol: symbol, Side: market.Buy, Type: market.Limit, Price: market.Price(100 + i%7), Quantity: 1,
			TimeInForce: market.GTD, ExpiresAt: at,
		})
	}
	s.later(until(at))
	return &SetPhase{Actor: house, Symbol: symbol, Phase: market.Continuous}
}

// longScenes puts the costly scenes behind the opening of one stream in four.
func (s *stream) longScenes(number uint64) {
	switch number % 8 {
	case 0:
		s.later(s.manyMeetings())
	case 1:
		s.later(s.manyExpiries())
	}
}
