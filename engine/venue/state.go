package venue

import (
	"bourse/engine/account"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
)

// State is the venue at some sequence number.
type State struct{}

// New returns an empty venue.
func New() *State { return &State{} }

// Signatures first; bodies follow.

func (s *State) Apply(cmd Command, now Time, out *Events) (Receipt, error) { panic("not built yet") }
func (s *State) Fold(ev *Event) error                                      { panic("not built yet") }
func (s *State) Digest() [32]byte                                          { panic("not built yet") }
func (s *State) Check() error                                              { panic("not built yet") }
func (s *State) AppendSnapshot(dst []byte) []byte                          { panic("not built yet") }
func Restore(b []byte) (*State, error)                                     { panic("not built yet") }

func (s *State) Sequence() Sequence                                          { panic("not built yet") }
func (s *State) Time() Time                                                  { panic("not built yet") }
func (s *State) Assets() []money.Asset                                       { panic("not built yet") }
func (s *State) Asset(id ledger.AssetID) (money.Asset, bool)                 { panic("not built yet") }
func (s *State) AssetByCode(code string) (ledger.AssetID, money.Asset, bool) { panic("not built yet") }
func (s *State) Markets() []Market                                           { panic("not built yet") }
func (s *State) Market(symbol market.Symbol) (Market, bool)                  { panic("not built yet") }
func (s *State) MarketByID(id MarketID) (Market, bool)                       { panic("not built yet") }
func (s *State) Order(id market.OrderID) (Order, bool)                       { panic("not built yet") }
func (s *State) OpenOrders(member account.ID) []Order                        { panic("not built yet") }
func (s *State) OpenOrderCount() int                                         { panic("not built yet") }
func (s *State) Balances(member account.ID) []Balance                        { panic("not built yet") }
func (s *State) Balance(member account.ID, asset ledger.AssetID) ledger.Balance {
	panic("not built yet")
}
func (s *State) Depth(symbol market.Symbol, levels int) (Depth, bool) { panic("not built yet") }
func (s *State) Level(id MarketID, side market.Side, price market.Price) Level {
	panic("not built yet")
}
func (s *State) LastTrade(symbol market.Symbol) (Trade, bool) { panic("not built yet") }

// AppendEvent appends the event's encoding to dst.
func AppendEvent(dst []byte, ev *Event) []byte { panic("not built yet") }

// Decoder reads events that AppendEvent wrote, one after another.
type Decoder struct{ rest []byte }

// NewDecoder returns a decoder of the payload, which it does not keep beyond its use.
func NewDecoder(payload []byte) *Decoder { return &Decoder{payload} }

// Next reads the next event into ev; false without an error means the end.
func (d *Decoder) Next(ev *Event) (bool, error) { panic("not built yet") }
