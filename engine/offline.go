package engine

import (
	"context"
	"errors"

	"bourse/engine/account"
)

// CreateAdmin makes a supervisor in a house that need not be running: it writes ordinary rows, and
// takes only DB, Argon, Clock and Rand from the options. Refusals: INVALID_ARGUMENT, WEAK_PASSWORD,
// USERNAME_TAKEN.
func CreateAdmin(ctx context.Context, opts Options, username, password, displayName string) error {
	x, err := offline(opts)
	if err != nil {
		return err
	}
	_, err = x.System().CreateAdmin(ctx, NewAdmin{
		Username: username, Password: password, DisplayName: displayName, Roles: []account.AdminRole{account.AdminSupervisor},
	})
	return err
}

// VerifyAudit walks the chain of the audit of a house that need not be running. It takes only DB from
// the options.
func VerifyAudit(ctx context.Context, opts Options) (AuditReport, error) {
	x, err := offline(opts)
	if err != nil {
		return AuditReport{}, err
	}
	return x.verifyAudit(ctx)
}

// offline is an exchange without a sequencer: good for what stands in ordinary rows.
func offline(opts Options) (*Exchange, error) {
	if opts.DB == nil {
		return nil, errors.New("engine: no database given")
	}
	return newExchange(opts)
}
