package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bourse/cmd/bourse/internal/house"
	"bourse/engine"
)

// databaseFlags say which house a tool looks at.
func databaseFlags(cmd *cobra.Command, c *house.Config) {
	cmd.Flags().StringVar(&c.DataDir, "data", ".bourse", "directory of the embedded servers' data")
	cmd.Flags().StringVar(&c.DatabaseURL, "database-url", "", "PostgreSQL to use instead of the embedded one (DATABASE_URL)")
}

// archiveFlag says where the beginning of the log is, when it was archived.
func archiveFlag(cmd *cobra.Command, c *house.Config) {
	cmd.Flags().StringVar(&c.ArchiveDir, "dir", "", "directory with what was archived of the log (see bourse journal archive)")
}

func newMigrate() *cobra.Command {
	var c house.Config
	cmd := &cobra.Command{
		Use:     "migrate",
		GroupID: "operate",
		Short:   "Bring the database to this version's schema",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := house.Migrate(cmd.Context(), c); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), "the database is up to date")
			return nil
		},
	}
	databaseFlags(cmd, &c)
	return cmd
}

func newDoctor() *cobra.Command {
	var c house.Config
	cmd := &cobra.Command{
		Use:     "doctor",
		GroupID: "operate",
		Short:   "Say what the exchange runs on and whether its log is sound",
		Long: `Doctor names the database and Redis that would be used and where they come from, reads
the whole log, checks every invariant after it and compares the balances that history
tells. It changes nothing and may run beside a serving house.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := house.Examine(cmd.Context(), c)
			for _, line := range d.Findings {
				fmt.Fprintln(cmd.OutOrStdout(), line)
			}
			if err != nil {
				return err
			}
			if !d.Healthy {
				return errReported
			}
			return nil
		},
	}
	databaseFlags(cmd, &c)
	archiveFlag(cmd, &c)
	return cmd
}

func newReplay() *cobra.Command {
	var c house.Config
	var to uint64
	var at string
	var digest, asJSON bool
	cmd := &cobra.Command{
		Use:     "replay",
		GroupID: "operate",
		Short:   "Replay the log from its beginning and print the state's digest",
		Long: `Replay reads the log from its first command, checks every invariant after the last one and
prints the digest of the state: the same log gives the same digest on any machine. With
--to or --at it stops there; without, it also compares the snapshots and the history.
Where the beginning of the log was archived, --dir names the archive; without it the
replay begins with the oldest snapshot that is kept, and says so.`,
		Example: `  bourse replay --to 480213 --digest
  bourse replay --at 2026-11-22T16:00:00Z --dir /var/backups/bourse/journal --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := replay(cmd, c, to, at)
			if err != nil {
				return err
			}
			return printReplay(cmd, v, digest, asJSON)
		},
	}
	databaseFlags(cmd, &c)
	archiveFlag(cmd, &c)
	cmd.Flags().Uint64Var(&to, "to", 0, "the sequence to stop at (default: the end of the log)")
	cmd.Flags().StringVar(&at, "at", "", "the time to stop at, as 2026-11-22T16:00:00Z: after the last command that was decided by then")
	cmd.Flags().BoolVar(&digest, "digest", false, "print the digest alone")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.MarkFlagsMutuallyExclusive("to", "at")
	cmd.MarkFlagsMutuallyExclusive("digest", "json")
	return cmd
}

func replay(cmd *cobra.Command, c house.Config, to uint64, at string) (engine.Verification, error) {
	switch {
	case cmd.Flags().Changed("to"):
		return house.Replay(cmd.Context(), c, to)
	case at != "":
		when, err := time.Parse(time.RFC3339Nano, at)
		if err != nil {
			return engine.Verification{}, fmt.Errorf("--at %q: write a time as 2026-11-22T16:00:00Z", at)
		}
		return house.ReplayAt(cmd.Context(), c, when)
	}
	return house.Verify(cmd.Context(), c)
}

func printReplay(cmd *cobra.Command, v engine.Verification, digest, asJSON bool) error {
	out := cmd.OutOrStdout()
	switch {
	case asJSON:
		if err := printJSON(out, v); err != nil {
			return err
		}
	case digest:
		fmt.Fprintln(out, v.Digest)
		out = cmd.ErrOrStderr()
	default:
		fmt.Fprintf(out, "sequence %d, digest %s\n", v.Sequence, v.Digest)
		if v.From > 0 {
			fmt.Fprintf(out, "  · replayed from the snapshot at %d; name the archive with --dir to replay from the first command\n", v.From)
		}
	}
	if !asJSON {
		for _, violation := range v.Violations {
			fmt.Fprintln(out, "  !", violation)
		}
	}
	if len(v.Violations) > 0 {
		return errReported
	}
	return nil
}

func newProject() *cobra.Command {
	var c house.Config
	var rebuild bool
	cmd := &cobra.Command{
		Use:     "project --rebuild",
		GroupID: "operate",
		Short:   "Fill the history anew from the log",
		Long: `Project empties the projections (orders, trades, fills, postings, balances, candles) and
fills them again from the log. Nothing is lost by it: the log is the truth. A serving house
goes on; its history is short until the end. Where the beginning of the log was archived,
--dir must name the archive; otherwise nothing is emptied.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !rebuild {
				return fmt.Errorf("say --rebuild: it is the one thing that this command does")
			}
			reached, err := house.RebuildProjections(cmd.Context(), c)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "history is filled up to sequence %d\n", reached)
			return nil
		},
	}
	databaseFlags(cmd, &c)
	archiveFlag(cmd, &c)
	cmd.Flags().BoolVar(&rebuild, "rebuild", false, "empty the projections and fill them again")
	return cmd
}

func newAdmin() *cobra.Command {
	cmd := &cobra.Command{Use: "admin", GroupID: "operate", Short: "Manage the house's staff"}
	var c house.Config
	var name string
	create := &cobra.Command{
		Use:     "create USERNAME",
		Short:   "Create an admin; the password is read from BOURSE_PASSWORD",
		Example: `  BOURSE_PASSWORD=$(openssl rand -base64 18) bourse admin create maria --name "Maria Lopez"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			password := os.Getenv("BOURSE_PASSWORD")
			if password == "" {
				return fmt.Errorf("set BOURSE_PASSWORD to the new admin's password")
			}
			return createAdmin(cmd.Context(), cmd, c, args[0], password, name)
		},
	}
	databaseFlags(create, &c)
	create.Flags().StringVar(&name, "name", "", "display name (default: the username)")
	cmd.AddCommand(create)
	return cmd
}

func createAdmin(ctx context.Context, cmd *cobra.Command, c house.Config, username, password, name string) error {
	if strings.TrimSpace(name) == "" {
		name = username
	}
	c.Secret = []byte(os.Getenv("BOURSE_SECRET"))
	if err := house.CreateAdmin(ctx, c, username, password, name); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "admin %s created\n", username)
	return nil
}

func newAudit() *cobra.Command {
	cmd := &cobra.Command{Use: "audit", GroupID: "operate", Short: "Look at who did what"}
	var c house.Config
	verify := &cobra.Command{
		Use:   "verify",
		Short: "Walk the audit's hash chain and say where it is broken",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, err := house.VerifyAudit(cmd.Context(), c)
			if err != nil {
				return err
			}
			return printAudit(cmd, report)
		},
	}
	databaseFlags(verify, &c)
	cmd.AddCommand(verify)
	return cmd
}

func printAudit(cmd *cobra.Command, report engine.AuditReport) error {
	if report.Break != nil {
		fmt.Fprintf(cmd.OutOrStdout(), "the chain is BROKEN after %d rows: %v\n", report.Rows, report.Break)
		return errReported
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d rows, the chain is whole; its newest link is %d:%x\n", report.Rows, report.Head.ID, report.Head.Hash)
	return nil
}
