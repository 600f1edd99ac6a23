package venue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
)

// MaxWire is the longest command on the wire, in bytes.
const MaxWire = 64 << 10

// wireNames is the registry of commands that can travel between processes: a name that never
// changes, and an empty command of that kind. A new command is one line here.
var wireNames = map[string]func() Command{
	"add-asset":      func() Command { return new(AddAsset) },
	"create-market":  func() Command { return new(CreateMarket) },
	"set-phase":      func() Command { return new(SetPhase) },
	"set-rules":      func() Command { return new(SetRules) },
	"credit-deposit": func() Command { return new(CreditDeposit) },
	"place-order":    func() Command { return new(PlaceOrder) },
	"place-oco":      func() Command { return new(PlaceOCO) },
	"place-bracket":  func() Command { return new(PlaceBracket) },
	"amend-order":    func() Command { return new(AmendOrder) },
	"cancel-for":     func() Command { return new(CancelFor) },
	"cancel-order":   func() Command { return new(CancelOrder) },
	"cancel-all":     func() Command { return new(CancelAll) },
	"set-member":     func() Command { return new(SetMember) },
	"set-agent":      func() Command { return new(SetAgent) },
	"set-limits":     func() Command { return new(SetLimits) },
	"set-fees":       func() Command { return new(SetFees) },
	"set-credit":     func() Command { return new(SetCredit) },
	"make-transfer":  func() Command { return new(MakeTransfer) },
	"begin-transfer": func() Command { return new(BeginTransfer) },
	"post-transfer":  func() Command { return new(PostTransfer) },
	"void-transfer":  func() Command { return new(VoidTransfer) },
	"bust-trade":     func() Command { return new(BustTrade) },
}

var wireTypes = func() map[reflect.Type]string {
	types := make(map[reflect.Type]string, len(wireNames))
	for name, empty := range wireNames {
		types[reflect.TypeOf(empty())] = name
	}
	return types
}()

// Commands returns an empty command of each kind, by its name on the wire.
func Commands() map[string]Command {
	all := make(map[string]Command, len(wireNames))
	for name, empty := range wireNames {
		all[name] = empty()
	}
	return all
}

// wireCommand is what travels. The fingerprint is that of the body at its sender: a receiver that
// reads another body out of it, because it is of another version, refuses the command and never
// executes a part of what was meant.
type wireCommand struct {
	Name        string          `json:"name"`
	Fingerprint string          `json:"fingerprint"`
	Body        json.RawMessage `json:"body"`
}

// MarshalCommand writes a command for another process. The error is a command that cannot travel:
// one that is not in the registry, or whose text is not UTF-8 or too long.
func MarshalCommand(cmd Command) ([]byte, error) {
	name, ok := wireTypes[reflect.TypeOf(cmd)]
	if !ok {
		return nil, fmt.Errorf("venue: %T has no name on the wire", cmd)
	}
	body, err := json.Marshal(cmd)
	if err != nil {
		return nil, fmt.Errorf("venue: write a %s: %w", name, err)
	}
	out, err := json.Marshal(wireCommand{name, strconv.FormatUint(cmd.fingerprint(), 16), body})
	if err != nil {
		return nil, fmt.Errorf("venue: write a %s: %w", name, err)
	}
	if _, err := UnmarshalCommand(out); err != nil {
		return nil, err
	}
	return out, nil
}

// UnmarshalCommand reads what MarshalCommand wrote. It trusts nothing: unknown names and fields,
// anything behind the end and a body that is not the one that was sent are errors.
func UnmarshalCommand(data []byte) (Command, error) {
	if len(data) > MaxWire {
		return nil, fmt.Errorf("venue: a command of %d bytes; at most %d travel", len(data), MaxWire)
	}
	var w wireCommand
	if err := readStrictly(data, &w); err != nil {
		return nil, fmt.Errorf("venue: read a command: %w", err)
	}
	empty, ok := wireNames[w.Name]
	if !ok {
		return nil, fmt.Errorf("venue: a command named %q is unknown here", w.Name)
	}
	cmd := empty()
	if err := readStrictly(w.Body, cmd); err != nil {
		return nil, fmt.Errorf("venue: read a %s: %w", w.Name, err)
	}
	if strconv.FormatUint(cmd.fingerprint(), 16) != w.Fingerprint {
		return nil, fmt.Errorf("venue: a %s that does not read as it was sent", w.Name)
	}
	return cmd, nil
}

func readStrictly(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end")
	}
	return nil
}
