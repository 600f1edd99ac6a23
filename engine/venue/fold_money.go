package venue

func (s *State) foldDeposit(ev *Event) error {
	if _, ok := s.Asset(ev.Asset); !ok || ev.Member == 0 || ev.Amount <= 0 {
		return misfit(ev, "there is no such asset, member or amount")
	}
	if ev.Deposit != 0 && s.deposits.has(ev.Deposit) {
		return misfit(ev, "the deposit was credited before")
	}
	if err := s.post(ev); err != nil {
		return err
	}
	if ev.Deposit != 0 {
		s.deposits.add(ev.Deposit)
	}
	return nil
}
