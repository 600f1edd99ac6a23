package venue

import (
	"encoding/binary"
	"slices"

	"bourse/engine/account"
	"bourse/engine/market"
)

func (s *State) appendReceipts(dst []byte) []byte {
	var actors []account.ID
	for i := range s.members.list {
		if len(s.members.list[i].keys.entries) > 0 {
			actors = append(actors, s.members.list[i].id)
		}
	}
	slices.Sort(actors)
	dst = appendNumbers(dst, uint64(len(actors)))
	for _, id := range actors {
		keys := &s.members.at(s.members.find(id)).keys
		dst = appendNumbers(dst, uint64(id), uint64(len(keys.entries)))
		for i := range keys.entries {
			r := s.receipts.at(keys.at(i))
			dst = binary.LittleEndian.AppendUint64(dst, r.print.high)
			dst = binary.LittleEndian.AppendUint64(dst, r.print.low)
			dst = binary.LittleEndian.AppendUint64(dst, r.body)
			dst = append(dst, byte(r.status))
			dst = appendNumbers(dst, uint64(r.sequence), uint64(r.time), uint64(r.order), uint64(r.filled))
			dst = appendNumbers(dst, uint64(r.count))
		}
	}
	return dst
}

func (s *State) restoreReceipts(r *reader) {
	for n := r.number(); n > 0 && r.err == nil; n-- {
		owner := s.members.take(account.ID(r.number()))
		for k := r.bounded(KeysPerActor); k > 0 && r.err == nil; k-- {
			print := keyPrint{high: r.word(), low: r.word()}
			body, status := r.word(), market.Status(r.byte())
			receipt := Receipt{Status: status}
			receipt.Sequence, receipt.Time = Sequence(r.number()), Time(r.number())
			receipt.Order, receipt.Filled = market.OrderID(r.number()), market.Quantity(r.amount())
			receipt.Count = uint32(r.bounded(1<<32 - 1))
			if r.err == nil && s.receipts.find(&s.members.at(owner).keys, print) != nil {
				r.fail("a key is doubled")
			}
			if r.err == nil {
				s.remember(owner, print, body, &receipt)
			}
		}
	}
}
