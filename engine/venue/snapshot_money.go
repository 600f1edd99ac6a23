package venue

import (
	"encoding/binary"

	"bourse/engine/account"
	"bourse/engine/ledger"
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
			dst = binary.AppendVarint(dst, int64(b.Available))
			dst = appendNumbers(dst, uint64(b.Held))
		}
	}
	return dst
}

func (s *State) restoreBalances(r *reader) {
	for i := range s.assets {
		asset := ledger.AssetID(i + 1)
		s.ledger.RestoreOf(ledger.Position{Account: ledger.Account{Kind: ledger.Fees}, Asset: asset}, r.amount())
		s.ledger.RestoreOf(ledger.Position{Account: ledger.Account{Kind: ledger.Deposits}, Asset: asset}, r.signed())
	}
	for n := r.number(); n > 0 && r.err == nil; n-- {
		owner := account.ID(r.number())
		for i := range s.assets {
			balance := ledger.Balance{Available: r.signed(), Held: r.amount()}
			if r.err == nil && owner != 0 {
				s.ledger.Restore(owner, ledger.AssetID(i+1), balance)
			}
		}
	}
}
