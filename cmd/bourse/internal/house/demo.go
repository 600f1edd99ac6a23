package house

import (
	"context"
	"fmt"

	"bourse/engine"
)

// Demo is what a demonstration tells its visitors.
type Demo struct {
	Demo       bool     `json:"demo"`
	InviteCode string   `json:"inviteCode,omitempty"`
	SignIns    []SignIn `json:"signIns"`
}

// SignIn is one well-known account of a demonstration.
type SignIn struct {
	Role     string `json:"role"`
	Username string `json:"username"`
	Password string `json:"password"`
}

// The demonstration's people. Their passwords are public: a production house refuses to
// open while one of them still works.
var (
	demoAdmin   = SignIn{Role: "ADMIN", Username: "admin", Password: "keys-of-the-house"}
	demoAgent   = SignIn{Role: "AGENT", Username: "agent", Password: "bring-them-along"}
	demoMembers = []SignIn{
		{Role: "MEMBER", Username: "alice", Password: "down-the-rabbit-hole"},
		{Role: "MEMBER", Username: "bob", Password: "yes-we-can-build-it"},
	}
)

var demoAssets = []engine.CreateAsset{
	{Code: "USDT", Scale: 6}, {Code: "BTC", Scale: 8}, {Code: "ETH", Scale: 8}, {Code: "SOL", Scale: 8},
}

var demoMarkets = []engine.CreateMarket{
	{Base: "BTC", Quote: "USDT", TickSize: "0.1", LotSize: "0.00001", MinNotional: "5", MakerFeeRate: "0.0008", TakerFeeRate: "0.001"},
	{Base: "ETH", Quote: "USDT", TickSize: "0.01", LotSize: "0.0001", MinNotional: "5", MakerFeeRate: "0.0008", TakerFeeRate: "0.001"},
	{Base: "SOL", Quote: "USDT", TickSize: "0.001", LotSize: "0.001", MinNotional: "5", MakerFeeRate: "0.0008", TakerFeeRate: "0.001"},
}

// DemoPrices are where the demonstration's markets begin.
func DemoPrices() map[string]string {
	return map[string]string{"BTC-USDT": "64000.0", "ETH-USDT": "3200.00", "SOL-USDT": "150.000"}
}

// DemoFunds are what a simulated trader of the demonstration is given.
func DemoFunds() map[string]string {
	return map[string]string{"USDT": "1000000", "BTC": "15", "ETH": "300", "SOL": "6000"}
}

// DemoAgent is the account through which simulated traders are brought in.
func DemoAgent() SignIn { return demoAgent }

// seedDemo makes whatever of the demonstration does not exist yet; a start that was cut
// off goes on where it was.
func seedDemo(ctx context.Context, x *engine.Exchange) (*Demo, error) {
	admin, agent, err := seedStaff(ctx, x)
	if err != nil {
		return nil, err
	}
	if err := seedMarkets(ctx, admin); err != nil {
		return nil, err
	}
	code, err := seedInvite(ctx, agent)
	if err != nil {
		return nil, err
	}
	for _, m := range demoMembers {
		if err := seedMember(ctx, x, agent, code, m); err != nil {
			return nil, fmt.Errorf("member %s: %w", m.Username, err)
		}
	}
	return &Demo{Demo: true, InviteCode: code, SignIns: append(append([]SignIn{}, demoMembers...), demoAgent, demoAdmin)}, nil
}
