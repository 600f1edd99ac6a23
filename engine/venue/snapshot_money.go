package venue

import (
	"encoding/binary"
	"maps"
	"slices"

	"bourse/engine/account"
	"bourse/engine/ledger"
	"bourse/engine/money"
)

func (s *State) appendBalances(dst []byte) []byte {
	for i := range s.assets {
		asset := ledger.AssetID(i + 1)
		dst = appendNumbers(dst, uint64(s.ledger.House(ledger.Fees, asset)))
		dst = binary.AppendVarint(dst, int64(s.ledger.House(ledger.Deposits, asset)))
	}
	owners := s.ledger.Owners()
	dst = appendNumbers(dst, uint64(len(owners)))
	for _, owner := range owners {
		dst = appendNumbers(dst, uint64(owner))
		for i := range s.assets {
			b := s.ledger.Balance(owner, ledger.AssetID(i+1))
			dst = appendNumbers(dst, uint64(b.Available), uint64(b.Held))
		}
	}
	return dst
}

func (s *State) restoreBalances(r *reader) {
	for i := range s.assets {
		asset := ledger.AssetID(i + 1)
		fees := r.amount()
		deposits, size := binary.Varint(r.rest)
		if size <= 0 {
			r.fail("a balance is cut off or too large")
			return
		}
		r.rest = r.rest[size:]
		s.ledger.RestoreHouse(asset, fees, money.Amount(deposits))
	}
	for n := r.number(); n > 0 && r.err == nil; n-- {
		owner := account.ID(r.number())
		for i := range s.assets {
			balance := ledger.Balance{Available: r.amount(), Held: r.amount()}
			if r.err == nil && owner != 0 {
				s.ledger.Restore(owner, ledger.AssetID(i+1), balance)
			}
		}
	}
}

func (s *State) appendDeposits(dst []byte) []byte {
	words := slices.Sorted(maps.Keys(s.deposits))
	dst = appendNumbers(dst, uint64(len(words)))
	for _, w := range words {
		dst = appendNumbers(dst, w, s.deposits[w])
	}
	return dst
}

func (s *State) restoreDeposits(r *reader) {
	for n := r.number(); n > 0 && r.err == nil; n-- {
		w := r.number()
		s.deposits[w] = r.number()
	}
}
