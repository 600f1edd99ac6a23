package book

import (
	"testing"

	"pgregory.net/rapid"

	"bourse/engine/market"
)

type lots struct {
	price    market.Price
	quantity market.Quantity
}

func auctionBook(buys, sells []lots) *Book {
	b := New()
	for _, l := range buys {
		b.Add(market.Buy, l.price, l.quantity, 1)
	}
	for _, l := range sells {
		b.Add(market.Sell, l.price, l.quantity, 1)
	}
	return b
}

func TestUncrossingByExample(t *testing.T) {
	for name, c := range map[string]struct {
		buys, sells []lots
		reference   market.Price
		price       market.Price
		volume      market.Quantity
	}{
		"empty":                  {nil, nil, 100, 0, 0},
		"one side":               {[]lots{{100, 1}}, nil, 100, 0, 0},
		"not crossed":            {[]lots{{100, 1}}, []lots{{101, 1}}, 100, 0, 0},
		"touching":               {[]lots{{100, 3}}, []lots{{100, 2}}, 7, 100, 2},
		"reference inside":       {[]lots{{110, 5}}, []lots{{90, 5}}, 97, 97, 5},
		"reference below":        {[]lots{{110, 5}}, []lots{{90, 5}}, 3, 90, 5},
		"reference above":        {[]lots{{110, 5}}, []lots{{90, 5}}, 300, 110, 5},
		"no reference":           {[]lots{{110, 5}}, []lots{{91, 5}}, 0, 100, 5}, // of 91 to 110
		"same surplus all over":  {[]lots{{110, 5}}, []lots{{90, 7}}, 95, 95, 5},
		"most volume":            {[]lots{{105, 10}, {100, 10}}, []lots{{95, 10}, {100, 10}}, 105, 100, 20},
		"least surplus, at asks": {[]lots{{105, 10}, {103, 5}}, []lots{{95, 10}}, 95, 104, 10}, // up to 103 five more would buy
		"least surplus, at bids": {[]lots{{105, 10}}, []lots{{95, 10}, {98, 5}}, 105, 97, 10},
		"surplus on both sides":  {[]lots{{102, 10}, {100, 2}}, []lots{{100, 10}, {101, 2}}, 50, 100, 10},
		"surplus changes sides":  {[]lots{{104, 4}, {100, 2}}, []lots{{99, 4}, {101, 2}}, 200, 104, 4},
		"far prices": {
			[]lots{{market.MaxPrice, 7}}, []lots{{1, 7}}, 0, market.MaxPrice / 2, 7,
		},
		"levels behind the cross": {
			[]lots{{101, 1}, {50, 100}}, []lots{{101, 1}, {200, 100}}, 0, 101, 1,
		},
		"large lots": {
			[]lots{{100, market.MaxQuantity}, {100, market.MaxQuantity}}, []lots{{100, market.MaxQuantity}}, 0, 100, market.MaxQuantity,
		},
	} {
		b := auctionBook(c.buys, c.sells)
		if price, volume := b.Uncross(c.reference); price != c.price || volume != c.volume {
			t.Errorf("%s: %d at %d, want %d at %d", name, volume, price, c.volume, c.price)
		}
	}
}

// slowly looks at every price.
func slowly(buys, sells []lots, reference, highest market.Price) (price market.Price, volume market.Quantity) {
	var candidates []market.Price
	surplus := market.Quantity(0)
	for p := market.Price(1); p <= highest; p++ {
		var buying, selling market.Quantity
		for _, l := range buys {
			if l.price >= p {
				buying += l.quantity
			}
		}
		for _, l := range sells {
			if l.price <= p {
				selling += l.quantity
			}
		}
		v, s := min(buying, selling), max(buying-selling, selling-buying)
		if v > volume || v == volume && s < surplus {
			candidates, volume, surplus = nil, v, s
		}
		if v == volume && s == surplus && v > 0 {
			candidates = append(candidates, p)
		}
	}
	if volume == 0 {
		return 0, 0
	}
	if reference == 0 {
		return (candidates[0] + candidates[len(candidates)-1]) / 2, volume
	}
	price = candidates[0]
	for _, p := range candidates {
		if max(p-reference, reference-p) < max(price-reference, reference-price) {
			price = p
		}
	}
	return price, volume
}

func TestUncrossingAgreesWithEveryPrice(t *testing.T) {
	const highest = 40
	crossed := 0
	rapid.Check(t, func(t *rapid.T) {
		draw := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) lots {
			return lots{
				market.Price(rapid.IntRange(1, highest).Draw(t, "price")),
				market.Quantity(rapid.IntRange(1, 6).Draw(t, "lots")),
			}
		}), 0, 12)
		buys, sells := draw.Draw(t, "buys"), draw.Draw(t, "sells")
		reference := market.Price(rapid.IntRange(0, highest+3).Draw(t, "reference"))
		price, volume := auctionBook(buys, sells).Uncross(reference)
		wantPrice, wantVolume := slowly(buys, sells, reference, highest)
		if price != wantPrice || volume != wantVolume {
			t.Fatalf("%d at %d, want %d at %d", volume, price, wantVolume, wantPrice)
		}
		if volume > 0 {
			crossed++
		}
	})
	t.Logf("%d books were crossed", crossed)
	if crossed == 0 {
		t.Error("no book was crossed")
	}
}

func BenchmarkUncross(b *testing.B) {
	book := New()
	for i := market.Price(1); i <= 2000; i++ {
		book.Add(market.Buy, i+1000, 5, 1)
		book.Add(market.Sell, i, 5, 1)
	}
	b.ReportAllocs()
	for b.Loop() {
		book.Uncross(1500)
	}
}
