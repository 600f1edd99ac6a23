package naive

import (
	"bourse/engine/risk"
	"time"

	"bourse/engine/account"
	"bourse/engine/market"
)

// Scenes are rows of commands for what chance alone would hardly bring about.

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
	at := s.now + Time(time.Hour)
	for i := range 1200 {
		s.later(&PlaceOrder{
			Actor: account.ID(1 + i%4), Symbol: symbol, Side: market.Buy, Type: market.Limit, Price: market.Price(100 + i%7), Quantity: 1,
			TimeInForce: market.GTD, ExpiresAt: at,
		})
	}
	return &SetPhase{Actor: house, Symbol: symbol, Phase: market.Continuous}
}

// longScenes puts the costly scenes behind the opening of one stream in four.
func (s *stream) longScenes() {
	switch s.IntN(8) {
	case 0:
		s.later(s.manyMeetings())
	case 1:
		s.later(s.manyExpiries())
	}
}
