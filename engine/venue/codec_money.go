package venue

import "bourse/engine/account"

func appendMoneyFields(dst []byte, ev *Event) []byte {
	return appendNumbers(dst, ev.Deposit, uint64(ev.Member), uint64(ev.Asset), uint64(ev.Amount))
}

func (d *Decoder) readMoneyFields(ev *Event) {
	ev.Deposit, ev.Member = d.number(), account.ID(d.number())
	ev.Asset, ev.Amount = d.assetID(), d.amount()
}
