package engine

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"math"
	"time"

	"bourse/engine/account"
	"bourse/engine/fault"
	"bourse/engine/internal/postgres"
	"bourse/engine/ledger"
	"bourse/engine/money"
	"bourse/engine/venue"
)

// StatementQuery asks for what moved an asset in a stretch of time.
type StatementQuery struct {
	Asset string
	// From is included, To is not; zero stands for the beginning and for now.
	From, To time.Time
}

// StatementLine is one event that changed a balance.
type StatementLine struct {
	At       time.Time
	Sequence Sequence
	// Reason is the kind of event, such as TRADED or DEPOSIT_CREDITED.
	Reason venue.Kind
	// Reference is the number of the order, trade, deposit or transfer; 0 when there is none.
	Reference uint64
	// Available and Held are what the event added to each, negative when it took away.
	Available, Held money.Decimal
	// Balance is what there was of both together afterwards.
	Balance money.Decimal
	cursor  string
}

// Cursor is where the line stands in its list.
func (l *StatementLine) Cursor() string { return l.cursor }

// Statement is the balance at both ends of a stretch of time and what happened between them.
type Statement struct {
	Asset money.Asset
	// Opening and Closing are available and held together, of the whole stretch, whatever the page.
	Opening, Closing money.Decimal
	Items            []StatementLine
	Next             string
	HasNext          bool
}

// Statement returns the member's movements of an asset, oldest first. Refusals: UNKNOWN_ASSET,
// INVALID_ARGUMENT, SEQUENCE_NOT_REACHED.
func (m *Member) Statement(ctx context.Context, q StatementQuery, page Page) (Statement, error) {
	return m.x.statement(ctx, m.actor.ID, m.actor.ID, q, page)
}

// BalanceAt returns what the member had of an asset after the last command of a sequence. Refusals:
// UNKNOWN_ASSET, SEQUENCE_NOT_REACHED.
func (m *Member) BalanceAt(ctx context.Context, code string, sequence Sequence) (Balance, error) {
	return m.x.balanceAt(ctx, m.actor.ID, m.actor.ID, code, postgres.AtSequence(sequence))
}

// BalanceAsOf returns what the member had of an asset at a time. Refusals: UNKNOWN_ASSET,
// SEQUENCE_NOT_REACHED.
func (m *Member) BalanceAsOf(ctx context.Context, code string, at time.Time) (Balance, error) {
	return m.x.balanceAt(ctx, m.actor.ID, m.actor.ID, code, postgres.AtTime(stampOf(at)))
}

// MemberStatement returns what moved an asset of a member, or NOT_FOUND.
func (a *Admin) MemberStatement(ctx context.Context, id account.ID, q StatementQuery, page Page) (Statement, error) {
	m, err := a.Member(ctx, id)
	if err != nil {
		return Statement{}, err
	}
	return a.x.asMember(m).Statement(ctx, q, page)
}

// MemberBalanceAsOf returns what a member had of an asset at a time, or NOT_FOUND.
func (a *Admin) MemberBalanceAsOf(ctx context.Context, id account.ID, code string, at time.Time) (Balance, error) {
	m, err := a.Member(ctx, id)
	if err != nil {
		return Balance{}, err
	}
	return a.x.asMember(m).BalanceAsOf(ctx, code, at)
}

// MemberStatement returns what moved an asset of a member of the downline; NOT_FOUND for anyone else.
func (a *Agent) MemberStatement(ctx context.Context, id account.ID, q StatementQuery, page Page) (Statement, error) {
	m, err := a.Member(ctx, id)
	if err != nil {
		return Statement{}, err
	}
	return a.x.asMember(m).Statement(ctx, q, page)
}

// MemberBalanceAsOf returns what a member of the downline had of an asset at a time; NOT_FOUND for
// anyone else.
func (a *Agent) MemberBalanceAsOf(ctx context.Context, id account.ID, code string, at time.Time) (Balance, error) {
	m, err := a.Member(ctx, id)
	if err != nil {
		return Balance{}, err
	}
	return a.x.asMember(m).BalanceAsOf(ctx, code, at)
}

func (x *Exchange) assetByCode(code string) (ledger.AssetID, money.Asset, error) {
	for i, asset := range x.catalogue.Load().assets {
		if asset.Code == code {
			return ledger.AssetID(i + 1), asset, nil
		}
	}
	return 0, money.Asset{}, fault.New(fault.UnknownAsset, "the exchange has no such asset")
}

func (x *Exchange) balanceAt(ctx context.Context, viewer, owner account.ID, code string, at postgres.Moment) (Balance, error) {
	id, asset, err := x.assetByCode(code)
	if err != nil {
		return Balance{}, err
	}
	if err := x.reachProjected(ctx); err != nil {
		return Balance{}, err
	}
	b, err := x.db.BalanceAt(ctx, viewer, owner, id, at)
	if err != nil {
		return Balance{}, refusal(err)
	}
	return balanceOf(venue.Balance{Asset: asset, Available: b.Available, Held: b.Held}), nil
}

func (x *Exchange) statement(ctx context.Context, viewer, owner account.ID, q StatementQuery, page Page) (Statement, error) {
	if err := page.check(); err != nil {
		return Statement{}, err
	}
	behind, err := decodePlace(page.After)
	if err != nil {
		return Statement{}, err
	}
	id, asset, err := x.assetByCode(q.Asset)
	if err != nil {
		return Statement{}, err
	}
	if q.To.IsZero() {
		q.To = x.now()
	}
	if q.To.Before(q.From) {
		return Statement{}, badArgument("to", "must not lie before from")
	}
	if err := x.reachProjected(ctx); err != nil {
		return Statement{}, err
	}
	ask := postgres.StatementQuery{Owner: owner, Asset: id, To: justBefore(q.To), Behind: behind, Limit: page.First + 1}
	if !q.From.IsZero() {
		ask.From = justBefore(q.From)
	}
	st, err := x.db.Statement(ctx, viewer, ask)
	if err != nil {
		return Statement{}, refusal(err)
	}
	return statementOf(asset, &st, page.First), nil
}

func justBefore(t time.Time) postgres.Moment { return postgres.AtTime(stampOf(t) - 1) }

// stampOf is a time as the venue counts it; what it cannot count stands at its ends.
func stampOf(t time.Time) venue.Time {
	switch {
	case t.Before(time.Unix(0, 0)):
		return 0
	case t.After(time.Unix(0, math.MaxInt64)):
		return math.MaxInt64
	}
	return venue.Time(t.UnixNano())
}

func statementOf(asset money.Asset, st *postgres.Statement, first int) Statement {
	total := func(b ledger.Balance) money.Decimal { return amountOf(asset, b.Available+b.Held) }
	result := Statement{
		Asset: asset, Opening: total(st.Opening), Closing: total(st.Closing), HasNext: len(st.Lines) > first,
	}
	for _, l := range st.Lines[:min(len(st.Lines), first)] {
		result.Items = append(result.Items, StatementLine{
			At: timeOf(l.Time), Sequence: l.Sequence, Reason: l.Reason, Reference: l.Reference,
			Available: amountOf(asset, l.Change.Available), Held: amountOf(asset, l.Change.Held), Balance: total(l.After),
			cursor: encodePlace(l.StatementPlace),
		})
	}
	if n := len(result.Items); n > 0 {
		result.Next = result.Items[n-1].cursor
	}
	return result
}

// The cursor of a statement has three numbers, and so an envelope of its own.
func encodePlace(p postgres.StatementPlace) string {
	raw := binary.BigEndian.AppendUint64([]byte{cursorVersion, listStatement}, uint64(p.Time))
	raw = binary.BigEndian.AppendUint64(raw, uint64(p.Sequence))
	raw = binary.BigEndian.AppendUint32(raw, uint32(p.Line))
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decodePlace(cursor string) (postgres.StatementPlace, error) {
	if cursor == "" {
		return postgres.StatementPlace{}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) != 22 || raw[0] != cursorVersion || raw[1] != listStatement {
		return postgres.StatementPlace{}, fault.New(fault.InvalidArgument, "the cursor is not one of this list")
	}
	return postgres.StatementPlace{
		Time:     venue.Time(binary.BigEndian.Uint64(raw[2:])),
		Sequence: venue.Sequence(binary.BigEndian.Uint64(raw[10:])),
		Line:     int32(binary.BigEndian.Uint32(raw[18:])),
	}, nil
}
