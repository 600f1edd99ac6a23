package account

import "strconv"

// ID names a member, an agent or an admin: one sequence for all three. 0 is the house.
type ID uint64

// String prints the id in decimal.
func (id ID) String() string { return strconv.FormatUint(uint64(id), 10) }
