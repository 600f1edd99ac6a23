package house

import (
	"context"
	"fmt"
	"path/filepath"

	"bourse/cmd/embedded/postgres"
)

// Diagnosis is what the doctor says, a line a finding.
type Diagnosis struct {
	Healthy  bool
	Findings []string
}

func (d *Diagnosis) say(format string, args ...any) {
	d.Findings = append(d.Findings, fmt.Sprintf(format, args...))
}

// Examine says what a house runs on and whether its log is sound. It changes nothing.
func Examine(ctx context.Context, c Config) (Diagnosis, error) {
	d := Diagnosis{Healthy: true}
	source, err := databaseSource(ctx, c)
	if err != nil {
		return d, err
	}
	d.say("database    %s", source)
	v, err := Verify(ctx, c)
	if err != nil {
		return d, fmt.Errorf("read the log: %w", err)
	}
	d.say("log         %d commands, digest %s", v.Sequence, v.Digest)
	if v.From > 0 {
		d.say("archive     commands up to %d were archived; replayed from the snapshot there: name --dir to replay from the first", v.From)
	}
	if len(v.Violations) == 0 {
		d.say("invariants  all hold")
		return d, nil
	}
	d.Healthy = false
	for _, violation := range v.Violations {
		d.say("invariants  BROKEN: %s", violation)
	}
	return d, nil
}

func databaseSource(ctx context.Context, c Config) (string, error) {
	server, err := postgres.Attach(ctx, postgres.Options{URL: c.DatabaseURL, DataDir: filepath.Join(c.DataDir, "postgres")})
	if err == nil {
		defer func() { _ = server.Stop(ctx) }()
		return server.Source() + ", serving", nil
	}
	if _, missing := err.(*postgres.NotFoundError); missing {
		return "", err
	}
	return "embedded, not serving now; started for this examination", nil
}
