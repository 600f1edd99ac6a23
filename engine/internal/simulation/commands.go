package simulation

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"bourse/engine/account"
	"bourse/engine/commission"
	"bourse/engine/ledger"
	"bourse/engine/market"
	"bourse/engine/money"
	"bourse/engine/venue"
)

var (
	btc = money.Asset{Code: "BTC", Scale: 8}
	usd = money.Asset{Code: "USD", Scale: 2}

	symbols = []market.Symbol{"BTC-USD", "BTC-USD2"}
	house   = account.ID(1)
	members = []account.ID{1001, 1002, 1003, 1004}
	kinds   = slices.Sorted(maps.Keys(venue.Commands()))
)

func definition(symbol market.Symbol) market.Definition {
	return market.Definition{
		Symbol: symbol, Base: btc, Quote: usd, TickSize: money.MustDecimal("0.01"), LotSize: money.MustDecimal("1"),
		MakerFee: 1000, TakerFee: 2000,
	}
}

// opening is what the house begins with.
func opening() []venue.Command {
	commands := []venue.Command{
		&venue.AddAsset{Actor: house, Key: "btc", Asset: btc},
		&venue.AddAsset{Actor: house, Key: "usd", Asset: usd},
		&venue.CreateMarket{Actor: house, Key: "market", Definition: definition(symbols[0])},
	}
	for i, member := range members {
		for k, asset := range []money.Asset{btc, usd} {
			n := uint64(2*i + k + 1)
			commands = append(commands, &venue.CreditDeposit{
				Actor: house, Key: "opening:" + string(rune('a'+n)), Deposit: n, Member: member, Asset: asset.Code,
				Amount: money.Amount(20+80*k) * 100_000_000 / money.Amount(1+999_999*k),
			})
		}
	}
	return commands
}

// command makes up a command of a member or the house. Most are orders and cancels in one market, so
// that they meet; every kind that there is comes up, also with fields that make no sense.
func (w *world) command(actor account.ID, key string) venue.Command {
	switch roll := w.dice.IntN(100); {
	case roll < 50:
		return w.order(actor, key)
	case roll < 60:
		return &venue.CancelOrder{Actor: actor, Key: key, Order: w.recent()}
	case roll < 64:
		return &venue.AmendOrder{Actor: actor, Key: key, Order: w.recent(), Price: w.price(), Quantity: market.Quantity(w.dice.IntN(5))}
	case roll < 68:
		return w.transfer(actor, key)
	case roll < 70:
		return w.people(actor, key)
	case roll < 72:
		return &venue.CancelAll{Actor: actor, Key: key, Symbol: pick(w, append(symbols, ""))}
	case roll < 78:
		return &venue.CreditDeposit{
			Actor: actor, Key: key, Deposit: uint64(100 + w.dice.IntN(100)), Member: pick(w, members),
			Asset: pick(w, []string{"BTC", "USD", "USD", "EUR"}), Amount: money.Amount(w.dice.Int64N(100_000_000)),
		}
	case roll < 80:
		return &venue.SetPhase{Actor: actor, Key: key, Symbol: pick(w, symbols), Phase: market.Phase(1 + w.dice.IntN(8))}
	case roll < 84:
		return &venue.SetPhase{Actor: actor, Key: key, Symbol: pick(w, symbols), Phase: market.Continuous}
	case roll < 85:
		return &venue.CreateMarket{Actor: actor, Key: key, Definition: definition(pick(w, symbols))}
	default:
		cmd := venue.Commands()[pick(w, kinds)]
		w.fill(reflect.ValueOf(cmd).Elem())
		body := reflect.ValueOf(cmd).Elem()
		for name, value := range map[string]any{"Actor": actor, "Key": key} {
			if f := body.FieldByName(name); f.IsValid() {
				f.Set(reflect.ValueOf(value))
			}
		}
		return cmd
	}
}

func (w *world) order(actor account.ID, key string) venue.Command {
	o := &venue.PlaceOrder{
		Actor: actor, Key: key, Symbol: symbols[0], Side: market.Side(1 + w.dice.IntN(2)), Type: market.Limit,
		TimeInForce: market.TimeInForce(w.dice.IntN(3)), Quantity: market.Quantity(1 + w.dice.IntN(4)),
	}
	if w.often(100) {
		o.Symbol = symbols[1]
	}
	if w.often(150) {
		o.Type, o.TimeInForce = market.Market, market.IOC
	} else {
		o.Price = w.price()
	}
	switch w.dice.IntN(40) {
	case 0:
		o.Quantity = 1_000_000 // nobody has as much
	case 1, 2, 3:
		o.TimeInForce = market.GTD
		o.ExpiresAt = venue.Time(epoch + w.now + int64(w.between(0, 3*time.Second)))
	case 4, 5:
		o.TimeInForce = market.TimeInForce(w.dice.IntN(7))
	case 6, 7:
		o.Quantity, o.Display = 10, market.Quantity(1+w.dice.IntN(3))
	case 8, 9:
		o.PostOnly = true
	case 10, 11, 12:
		o.Type, o.Trigger = market.Type(1+w.dice.IntN(6)), w.price()
		if w.often(500) {
			o.Price = 0
		}
	case 13:
		o.Type, o.Trail = market.Type(1+w.dice.IntN(6)), market.Price(100*(1+w.dice.IntN(4)))
	case 14:
		o.SelfTrade = market.SelfTrade(w.dice.IntN(7))
	}
	return o
}

// people puts members under agents who earn of their fees, and takes back trades.
func (w *world) people(actor account.ID, key string) venue.Command {
	agent := account.ID(501 + w.dice.IntN(3))
	switch trades := w.oracle.trades; {
	case w.often(300):
		return &venue.SetAgent{
			Actor: actor, Key: key, Agent: agent, Parent: account.ID(w.dice.IntN(2)) * 501,
			Plan: commission.Plan{Default: money.Rate(100_000 * (1 + w.dice.IntN(5)))},
		}
	case w.often(400) || len(trades) == 0:
		return &venue.SetMember{Actor: actor, Key: key, Member: pick(w, members), Agent: agent, TradeGroup: uint64(w.dice.IntN(3))}
	default:
		t := pick(w, trades)
		return &venue.BustTrade{Actor: actor, Key: key, Trade: venue.TradeRecord{
			Trade: t.Trade, Symbol: symbols[(t.Market-1)%2], Time: t.Time, Side: t.Side, Price: t.Price, Quantity: t.Quantity,
			Order: t.Order, Member: t.Member, Maker: t.Maker, MakerMember: t.MakerMember, TakerFee: t.TakerFee, MakerFee: t.MakerFee,
		}}
	}
}

func (w *world) price() market.Price { return market.Price(9500 + 100*w.dice.IntN(11)) }

// recent is one of the last orders, or one that does not exist yet.
func (w *world) recent() market.OrderID {
	return market.OrderID(max(1, int64(w.oracle.orders)-20) + w.dice.Int64N(22))
}

// transfer moves money between members at once or in two steps; ids come up more than once.
func (w *world) transfer(actor account.ID, key string) venue.Command {
	id := uint64(1 + w.dice.IntN(60))
	from := ledger.Account{Owner: pick(w, members), Kind: ledger.Available}
	to := ledger.Account{Owner: pick(w, members), Kind: ledger.Available}
	amount := money.Amount(1 + w.dice.Int64N(1000))
	switch w.dice.IntN(4) {
	case 0:
		return &venue.MakeTransfer{Actor: actor, Key: key, Transfer: id, From: from, To: to, Asset: "USD", Amount: amount}
	case 1:
		return &venue.PostTransfer{Actor: actor, Key: key, Transfer: id}
	case 2:
		return &venue.VoidTransfer{Actor: actor, Key: key, Transfer: id}
	}
	return &venue.BeginTransfer{
		Actor: actor, Key: key, Transfer: id, From: from, To: to, Asset: "USD", Amount: amount,
		ExpiresAt: venue.Time(w.dice.Int64N(2) * (epoch + w.now + int64(w.between(0, 3*time.Second)))),
	}
}

// fill gives any field a value that its kind may have, or nearly.
func (w *world) fill(v reflect.Value) {
	switch at := v.Addr().Interface().(type) {
	case *account.ID:
		*at = pick(w, append(members, house))
		return
	case *market.Symbol:
		*at = pick(w, append(symbols, ""))
		return
	case *market.OrderID:
		*at = market.OrderID(w.dice.Int64N(int64(w.oracle.orders) + 2))
		return
	case *market.Price:
		*at = market.Price(w.dice.IntN(2) * (9400 + 100*w.dice.IntN(13)))
		return
	case *market.Definition:
		*at = definition(pick(w, symbols))
		return
	case *money.Asset:
		*at = pick(w, []money.Asset{btc, usd, {Code: "EUR", Scale: 2}})
		return
	case *money.Rate:
		*at = money.Rate(w.dice.IntN(3000))
		return
	case *money.Decimal:
		*at = money.MustDecimal(pick(w, []string{"0", "1", "0.01", "5"}))
		return
	case *venue.Time:
		*at = venue.Time(epoch + w.now + w.dice.Int64N(4e9) - 1e9)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				w.fill(v.Field(i))
			}
		}
	case reflect.Pointer:
		if w.often(500) {
			v.Set(reflect.New(v.Type().Elem()))
			w.fill(v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), w.dice.IntN(3), 3))
		for i := range v.Len() {
			w.fill(v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			w.fill(v.Index(i))
		}
	case reflect.String:
		v.SetString(pick(w, []string{"", "BTC", "USD", "EUR", "a"}))
	case reflect.Bool:
		v.SetBool(w.often(500))
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(w.dice.Int64N(8) - 1)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		v.SetUint(w.dice.Uint64N(8))
	}
}
