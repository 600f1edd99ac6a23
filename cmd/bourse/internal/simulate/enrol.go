package simulate

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"

	"bourse/cmd/bourse/internal/client"
	"bourse/engine/money"
)

// Enrolment says which traders to bring in, and through whom.
type Enrolment struct {
	Endpoint      string
	Transport     http.RoundTripper
	AgentUsername string
	AgentPassword string
	Seed          uint64
	Traders       int
	// Funds is what each trader is given of each asset at the start, in decimals by
	// asset code, once: a trader who already has a balance gets no more.
	Funds    map[string]string
	Progress func(string)
}

// Trader is one enrolled member.
type Trader struct {
	*client.Client
	Name string
}

// Enrol signs the traders in, as a house's own people would: the agent invites, the
// trader registers and asks for a deposit, the agent approves it. Names and passwords
// follow from the seed and the agent's password, so a second run finds the same traders.
func Enrol(ctx context.Context, e Enrolment) ([]Trader, error) {
	agent := client.New(e.Endpoint, e.Transport)
	if err := agent.SignIn(ctx, e.AgentUsername, e.AgentPassword); err != nil {
		return nil, fmt.Errorf("sign in as agent %s: %w", e.AgentUsername, err)
	}
	invite := ""
	traders := make([]Trader, 0, e.Traders)
	for i := range e.Traders {
		name := fmt.Sprintf("sim-%d-%d", e.Seed, i+1)
		t := Trader{Client: client.New(e.Endpoint, e.Transport), Name: name}
		password := e.Password(name)
		err := t.SignIn(ctx, name, password)
		if client.Code(err) == "INVALID_CREDENTIALS" {
			if invite == "" {
				if invite, err = createInvite(ctx, agent, e.Traders); err != nil {
					return nil, err
				}
			}
			err = t.Register(ctx, invite, name, password, fmt.Sprintf("Simulated trader %d", i+1))
		}
		if err != nil {
			return nil, fmt.Errorf("enrol %s: %w", name, err)
		}
		if err := fund(ctx, agent, t, e.Funds); err != nil {
			return nil, fmt.Errorf("fund %s: %w", name, err)
		}
		traders = append(traders, t)
		if e.Progress != nil {
			e.Progress(fmt.Sprintf("enrolled %d of %d traders", i+1, e.Traders))
		}
	}
	return traders, nil
}

// Password is the password that a trader of this name gets.
func (e Enrolment) Password(name string) string {
	mac := hmac.New(sha256.New, []byte(e.AgentPassword))
	mac.Write([]byte(name))
	return hex.EncodeToString(mac.Sum(nil))[:32]
}

func createInvite(ctx context.Context, agent *client.Client, uses int) (string, error) {
	var answer struct {
		CreateInvite struct{ Invite struct{ Code string } }
	}
	err := agent.Do(ctx, `mutation Invite($input: CreateInviteInput!) { createInvite(input: $input) { invite { code } } }`,
		map[string]any{"input": map[string]any{"maxUses": uses, "validDays": 1}}, &answer)
	if err != nil {
		return "", fmt.Errorf("create an invite: %w", err)
	}
	return answer.CreateInvite.Invite.Code, nil
}

// fund asks for a deposit of every asset that the trader has none of, and has it approved.
// The keys follow from the trader, so that a run cut off between the two goes on where it was.
func fund(ctx context.Context, agent *client.Client, t Trader, funds map[string]string) error {
	var held struct {
		Me struct {
			Balances []struct {
				Asset struct{ Code string }
				Total money.Decimal
			}
		}
	}
	if err := t.Do(ctx, `{ me { balances { asset { code } total } } }`, nil, &held); err != nil {
		return fmt.Errorf("read the balances: %w", err)
	}
	has := map[string]bool{}
	for _, b := range held.Me.Balances {
		has[b.Asset.Code] = b.Total.Sign() > 0
	}
	for asset, amount := range funds {
		if has[asset] {
			continue
		}
		if err := deposit(ctx, agent, t, asset, amount); err != nil {
			return err
		}
	}
	return nil
}

func deposit(ctx context.Context, agent *client.Client, t Trader, asset, amount string) error {
	var asked struct {
		RequestDeposit struct{ Deposit struct{ ID string } }
	}
	err := t.Do(ctx, `mutation Ask($input: RequestDepositInput!) { requestDeposit(input: $input) { deposit { id } } }`,
		map[string]any{"input": map[string]any{"clientKey": "first-" + asset, "asset": asset, "amount": amount}}, &asked)
	if err != nil {
		return fmt.Errorf("ask for a deposit of %s: %w", asset, err)
	}
	err = agent.Do(ctx, `mutation Approve($input: ApproveDepositInput!) { approveDeposit(input: $input) { sequence } }`,
		map[string]any{"input": map[string]any{"depositId": asked.RequestDeposit.Deposit.ID}}, nil)
	if err != nil {
		return fmt.Errorf("approve a deposit of %s: %w", asset, err)
	}
	return nil
}
