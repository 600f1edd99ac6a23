package house

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"bourse/engine"
	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/market"
	"bourse/engine/money"
)

// seedStaff makes the demonstration's admin and agent, and returns their views.
func seedStaff(ctx context.Context, x *engine.Exchange) (*engine.Admin, *engine.Agent, error) {
	system := x.System()
	_, err := system.Bootstrap(ctx, engine.NewAdmin{Username: demoAdmin.Username, Password: demoAdmin.Password, DisplayName: "Demo admin"})
	if err != nil {
		return nil, nil, fmt.Errorf("admin: %w", err)
	}
	actor, err := system.Find(ctx, demoAdmin.Username)
	if err != nil {
		return nil, nil, fmt.Errorf("this database belongs to a house that is no demonstration: %w", err)
	}
	admin, err := x.Admin(actor)
	if err != nil {
		return nil, nil, fmt.Errorf("admin: %w", err)
	}
	_, err = system.CreateAgent(ctx, engine.NewAgent{Username: demoAgent.Username, Password: demoAgent.Password, DisplayName: "Demo agent"})
	if err := unless(err, fault.UsernameTaken); err != nil {
		return nil, nil, fmt.Errorf("agent: %w", err)
	}
	if actor, err = system.Find(ctx, demoAgent.Username); err != nil {
		return nil, nil, fmt.Errorf("agent: %w", err)
	}
	agent, err := x.Agent(actor)
	return admin, agent, err
}

func seedMarkets(ctx context.Context, admin *engine.Admin) error {
	assets, err := admin.Assets(ctx)
	if err != nil {
		return fmt.Errorf("read the assets: %w", err)
	}
	for _, asset := range demoAssets {
		if slices.ContainsFunc(assets, func(a money.Asset) bool { return a.Code == asset.Code }) {
			continue
		}
		asset.Key = "demo-" + asset.Code
		if _, _, err := admin.CreateAsset(ctx, asset); err != nil {
			return fmt.Errorf("asset %s: %w", asset.Code, err)
		}
	}
	markets, err := admin.Markets(ctx)
	if err != nil {
		return fmt.Errorf("read the markets: %w", err)
	}
	for _, m := range demoMarkets {
		symbol := market.Symbol(m.Base + "-" + m.Quote)
		if slices.ContainsFunc(markets, func(stands engine.Market) bool { return stands.Definition.Symbol == symbol }) {
			continue
		}
		m.Key = "demo-" + string(symbol)
		if _, _, err := admin.CreateMarket(ctx, m); err != nil {
			return fmt.Errorf("market %s: %w", symbol, err)
		}
	}
	return nil
}

// seedInvite returns a code that visitors may register with, made anew when none is good
// for another week.
func seedInvite(ctx context.Context, agent *engine.Agent) (string, error) {
	invites, err := agent.Invites(ctx)
	if err != nil {
		return "", fmt.Errorf("read the invites: %w", err)
	}
	for _, i := range invites {
		if i.MaxUses >= demoInviteUses && i.Uses < i.MaxUses/2 && time.Until(i.ExpiresAt) > 7*24*time.Hour {
			return i.Code, nil
		}
	}
	made, err := agent.CreateInvite(ctx, engine.CreateInvite{MaxUses: demoInviteUses, ExpiresAt: time.Now().AddDate(0, 3, 0)})
	if err != nil {
		return "", fmt.Errorf("create an invite: %w", err)
	}
	return made.Code, nil
}

// demoInviteUses is how many visitors may register with one code of the demonstration.
const demoInviteUses = 1000

// demoMoney is what each member of the demonstration begins with.
var demoMoney = map[string]string{"USDT": "100000", "BTC": "2", "ETH": "40", "SOL": "500"}

// seedMember registers a member and pays in what it begins with, as an agent would.
func seedMember(ctx context.Context, x *engine.Exchange, agent *engine.Agent, code string, m SignIn) error {
	_, err := x.System().Find(ctx, m.Username)
	if isCode(err, fault.NotFound) {
		_, err = x.Visitor().Register(ctx, engine.Registration{
			InviteCode: code, Username: m.Username, Password: m.Password, DisplayName: "Demo " + m.Username,
		})
		err = unless(err, fault.UsernameTaken) // by another process that seeds
	}
	if err != nil {
		return err
	}
	actor, err := x.System().Find(ctx, m.Username)
	if err != nil {
		return err
	}
	member, err := x.Member(actor)
	if err != nil {
		return err
	}
	for asset, amount := range demoMoney {
		if err := payIn(ctx, member, agent, asset, amount); err != nil {
			return fmt.Errorf("deposit of %s: %w", asset, err)
		}
	}
	return nil
}

// payIn asks for a deposit under a key of its own and approves it; asked again, it is the
// same deposit.
func payIn(ctx context.Context, member *engine.Member, agent *engine.Agent, asset, amount string) error {
	deposit, err := member.RequestDeposit(ctx, engine.RequestDeposit{Key: "demo-" + asset, Asset: asset, Amount: amount})
	if err != nil || deposit.Status != account.DepositPending {
		return err
	}
	_, _, err = agent.ApproveDeposit(ctx, engine.ApproveDeposit{DepositID: deposit.ID, Note: "demonstration"})
	return err
}

// refuseDemoSignIns keeps a production house from opening while a demonstration's public
// password still works.
func refuseDemoSignIns(ctx context.Context, x *engine.Exchange) error {
	for _, s := range append([]SignIn{demoAdmin, demoAgent}, demoMembers...) {
		if _, err := x.System().Find(ctx, s.Username); isCode(err, fault.NotFound) {
			continue
		}
		session, err := x.Visitor().SignIn(ctx, engine.Credentials{Username: s.Username, Password: s.Password, RemoteAddr: "startup"})
		if err == nil {
			_ = x.Visitor().SignOut(ctx, session.RefreshToken)
			return fmt.Errorf("the account %q still has the demonstration's public password; this database is a demonstration's (start with --demo, or use another --data)", s.Username)
		}
	}
	return nil
}

func isCode(err error, code fault.Code) bool {
	var refusal *fault.Error
	return errors.As(err, &refusal) && refusal.Code == code
}

// unless passes an error on, but for a refusal that means the work was done before.
func unless(err error, code fault.Code) error {
	if isCode(err, code) {
		return nil
	}
	return err
}
