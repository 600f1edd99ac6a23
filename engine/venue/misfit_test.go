package venue

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// leaf is a field of an event that can be altered.
type leaf struct {
	path string
	step []int // fields and elements on the way; pointers and slices are copied
}

func leaves(v reflect.Value, path string, step []int) (list []leaf) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return leaves(v.Elem(), path, step)
	case reflect.Slice:
		for i := range v.Len() {
			list = append(list, leaves(v.Index(i), path+"[]", append(slices.Clone(step), i))...)
		}
		return list
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				list = append(list, leaves(v.Field(i), path+"."+f.Name, append(slices.Clone(step), i))...)
			}
		}
		return list
	}
	return []leaf{{path[1:], step}}
}

// altered returns a copy of an event with one field changed.
func (l leaf) altered(ev *Event, change func(reflect.Value) bool) (Event, bool) {
	forged := *ev
	v := reflect.ValueOf(&forged).Elem()
	for _, i := range l.step {
		v = own(v)
		if v.Kind() == reflect.Slice {
			v = v.Index(i)
		} else {
			v = v.Field(i)
		}
	}
	return forged, change(v)
}

// own follows a pointer or a slice to a copy of what it leads to.
func own(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		c := reflect.New(v.Type().Elem())
		c.Elem().Set(v.Elem())
		v.Set(c)
		return c.Elem()
	case reflect.Slice:
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(c, v)
		v.Set(c)
	}
	return v
}

func plus(n int64) func(reflect.Value) bool {
	return func(v reflect.Value) bool {
		switch {
		case v.CanInt():
			v.SetInt(v.Int() + n)
		case v.CanUint():
			v.SetUint(uint64(int64(v.Uint()) + n))
		default:
			return false
		}
		return true
	}
}

var alterations = []struct {
	name string
	do   func(reflect.Value) bool
}{
	{"+1", plus(1)},
	{"-1", plus(-1)},
	{"+97", plus(97)},
	{"0", func(v reflect.Value) bool { zero := v.IsZero(); v.SetZero(); return !zero }},
	{"max", func(v reflect.Value) bool {
		switch {
		case v.CanInt():
			v.SetInt(math.MaxInt64 >> (64 - v.Type().Bits()))
		case v.CanUint():
			v.SetUint(math.MaxUint64 >> (64 - v.Type().Bits()))
		case v.Kind() == reflect.Bool:
			v.SetBool(!v.Bool())
		case v.Kind() == reflect.String:
			v.SetString(v.String() + "X")
		}
		return true
	}},
}

// told is what only the event itself can say: what somebody wanted, who they are,
// what the house set, and what the fold does not use. It could be otherwise, so the
// fold cannot refuse it, though much of it does not fit what follows; that nobody
// alters it afterwards is for the journal to see to, which chains its batches.
//
// Whatever an event says and is not listed here follows from the state or from the
// rest of the event, and an event that says it otherwise must not fold.
var told = map[Kind]string{
	AgentSet: "Agent Detail.Parent Detail.Plan.Default Detail.Plan.Groups[].Group Detail.Plan.Groups[].Rate " +
		"Detail.Plan.Markets[].Rate Detail.Plan.Markets[].Symbol",
	AssetAdded:        "NewAsset.Code NewAsset.Scale",
	AuctionUncrossed:  "Price Quantity",
	CommissionAccrued: "Agent Amount",
	CreditSet:         "Amount Asset Member",
	DepositCredited:   "Amount Asset Deposit Member",
	FeesSet:           "Detail.Group Detail.Tiers[].Maker Detail.Tiers[].Taker Detail.Tiers[].Volume Market",
	LimitsSet: "Detail.ID Detail.Limits.ApprovalNotional Detail.Limits.Distance Detail.Limits.Exposure " +
		"Detail.Limits.OpenOrders Detail.Limits.OrderNotional Detail.Limits.OrderQuantity " +
		"Detail.Limits.OrdersPerSecond Detail.Limits.Position Market",
	MarketCreated: "Definition.MakerFee Definition.MinNotional Definition.Protection Definition.Symbol " +
		"Definition.TakerFee Phase",
	MemberSet:       "Detail.Profile.Agent Detail.Profile.Freeze Detail.Profile.Group Detail.Profile.TradeGroup Member",
	OrdersCancelled: "Market Receipt.Count",
	OrderActivated:  "Amount Follow Receipt.Fee Receipt.Filled Receipt.Notional",
	OrderAmended:    "Follow Receipt.Fee Receipt.Notional",
	OrderCancelled:  "Reason",
	OrderPlaced: "Conditions.Display Conditions.ExpiresAt Conditions.Trigger Follow MakerRate Market Member PostOnly " +
		"Price Quantity Receipt.Fee Receipt.Notional SelfTrade TakerRate TimeInForce Type",
	OrderReduced:   "Reason",
	OrderTriggered: "Follow Receipt.Fee Receipt.Notional",
	PhaseChanged:   "Market Phase Until",
	ReferenceMoved: "Market Price",
	RulesSet: "Market Rules.Band Rules.Breaker Rules.BreakerPause Rules.BreakerWindow Rules.DayEnd Rules.MinNotional " +
		"Rules.Protection Rules.ReferencePrice",
	TradeBusted: "Detail.Shares[].Agent Detail.Shares[].Amount Detail.Shares[].Order Detail.TradedAt MakerFee " +
		"MakerMember Member Side TakerFee Trade",
	TransferBegun: "Detail.Transfer.Amount Detail.Transfer.Asset Detail.Transfer.ExpiresAt Detail.Transfer.From.Owner " +
		"Detail.Transfer.ID Detail.Transfer.To.Kind Detail.Transfer.To.Owner",
	TransferMade: "Detail.Transfer.Amount Detail.Transfer.From.Owner Detail.Transfer.ID",
}

// toldByAll is what any first event says.
const toldByAll = "Actor Key Body Time"

func TestAlteredEventsAreRefused(t *testing.T) {
	h := optional(t)
	s := New()
	refused := map[string]int{}
	for at := 0; at < len(h.log); {
		end := at + 1
		for end < len(h.log) && !h.log[end].First {
			end++
		}
		command := h.log[at:end]
		before := s.AppendSnapshot(nil)
		for i := range command {
			ev := &command[i]
			facts := strings.Fields(told[ev.Kind] + " " + toldByAll)
			for _, l := range leaves(reflect.ValueOf(*ev), "", nil) {
				if l.path == "Kind" || slices.Contains(facts, l.path) {
					continue
				}
				for _, a := range alterations {
					if forged, ok := l.altered(ev, a.do); ok && throughWire(command[0], &forged) && !reflect.DeepEqual(forged, *ev) {
						refused[ev.Kind.String()]++
						if foldsWith(t, before, command, i, &forged) {
							t.Errorf("%s %s folds: %s", l.path, a.name, meaning(ev))
						}
					}
				}
			}
		}
		for i := range command {
			if err := s.Fold(&command[i]); err != nil {
				t.Fatal(err)
			}
		}
		at = end
	}
	for k := Kind(1); k < 255; k++ {
		if k.Valid() && refused[k.String()] == 0 {
			t.Errorf("no %v was altered", k)
		}
	}
}

// throughWire makes of an event what is read back after it was written; false when
// it cannot be read.
func throughWire(first Event, ev *Event) bool {
	events := Events{first, *ev}
	if ev.First {
		events = events[1:]
	}
	back, err := decode(encode(events))
	if err != nil || len(back) != len(events) {
		return false
	}
	*ev = back[len(back)-1]
	return true
}

// foldsWith reports whether a command still folds with one event replaced.
func foldsWith(t *testing.T, before []byte, command Events, at int, forged *Event) bool {
	t.Helper()
	s, err := Restore(before)
	if err != nil {
		t.Fatal(err)
	}
	for i := range command {
		ev := &command[i]
		if i == at {
			ev = forged
		}
		if err := s.Fold(ev); err != nil {
			return false
		}
	}
	return true
}
