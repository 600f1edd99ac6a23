package engine

import (
	"context"
	"encoding/json"
	"errors"

	"bourse/engine/account"
	"bourse/engine/audit"
)

// Audit returns who did what, newest first; needs the duty audit.
func (a *Admin) Audit(ctx context.Context, page Page) (AuditPage, error) {
	if err := a.must(account.DutyAudit); err != nil {
		return AuditPage{}, err
	}
	before, err := page.after(listAudit)
	if err != nil {
		return AuditPage{}, err
	}
	rows, err := a.x.db.AuditBefore(ctx, before, page.First+1)
	if err != nil {
		return AuditPage{}, refusal(err)
	}
	var out AuditPage
	out.Items, out.Next, out.HasNext = cut(rows, page, func(r audit.Record) string { return AuditCursor(r.ID) })
	return out, nil
}

// AuditReport says whether the chain of the audit holds.
type AuditReport struct {
	// Rows is how many were checked, from the first.
	Rows uint64
	// Head is the newest link that was reached; note it elsewhere, and the loss of everything after
	// it can be shown.
	Head audit.Head
	// Break says where the chain is broken; nil when it is whole.
	Break *audit.Break
}

// VerifyAudit walks the whole chain; needs the duty audit.
func (a *Admin) VerifyAudit(ctx context.Context) (AuditReport, error) {
	if err := a.must(account.DutyAudit); err != nil {
		return AuditReport{}, err
	}
	return a.x.verifyAudit(ctx)
}

// VerifyAudit walks the whole chain.
func (s *System) VerifyAudit(ctx context.Context) (AuditReport, error) { return s.x.verifyAudit(ctx) }

func (x *Exchange) verifyAudit(ctx context.Context) (AuditReport, error) {
	want, err := x.db.AuditHead(ctx)
	if err != nil {
		return AuditReport{}, refusal(err)
	}
	reached, err := audit.Verify(audit.Head{}, x.db.AuditAfter(ctx, 0, want.ID), want)
	report := AuditReport{Rows: reached.ID, Head: reached}
	if errors.As(err, &report.Break) {
		return report, nil
	}
	return report, refusal(err)
}

// detail reads one of the details of a row; empty where there is none.
func detail(r audit.Record, name string) string {
	var all map[string]string
	if err := json.Unmarshal([]byte(r.Details), &all); err != nil {
		return ""
	}
	return all[name]
}
