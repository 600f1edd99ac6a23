package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"bourse/cmd/bourse/internal/house"
	"bourse/engine"
	"bourse/engine/journal/archive"
)

func newJournal() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "journal",
		GroupID: "operate",
		Short:   "Archive the oldest part of the log, and look after it",
		Long: `Everything that the exchange is follows from its log. What a snapshot and the history have
taken in can leave the database for files: each record there carries its checksum and the
hash of the one before, so that replay proves the digest across files and database.`,
	}
	cmd.AddCommand(newJournalArchive(), newJournalVerify(), newJournalList())
	return cmd
}

func newJournalArchive() *cobra.Command {
	var c house.Config
	var before uint64
	var keep string
	var megabytes int64
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "archive --dir DIR (--before N | --keep AGE)",
		Short: "Move the oldest part of the log into files",
		Long: `Archive writes the oldest commands of the log into files, reads them back, and only then
deletes them from the database: a run that is cut off loses nothing, the next one goes on.
What a snapshot or the history still needs stays, as does the newest record. The house may
be serving. Copy the directory elsewhere as you do with backups: it holds the only copy.

A file that was cut or changed is never repaired or trimmed: what stands before the damage
can still be replayed with --to, and "bourse journal verify" says how far that is.`,
		Example: `  bourse journal archive --dir /var/backups/bourse/journal --keep 30d
  bourse journal archive --dir /var/backups/bourse/journal --before 1000000`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r := engine.Retention{Before: engine.Sequence(before), FileBytes: megabytes << 20}
			if cmd.Flags().Changed("keep") {
				age, err := parseAge(keep)
				if err != nil {
					return err
				}
				r.Keep = age
			}
			done, err := house.Archive(cmd.Context(), c, r)
			if asJSON {
				if failed := printJSON(cmd.OutOrStdout(), done); err == nil {
					err = failed
				}
				return err
			}
			printArchived(cmd.OutOrStdout(), c, done)
			return err
		},
	}
	databaseFlags(cmd, &c)
	archiveFlag(cmd, &c)
	flags := cmd.Flags()
	flags.Uint64Var(&before, "before", 0, "the first sequence to stay")
	flags.StringVar(&keep, "keep", "", "how much to keep, by age: 30d, 12h")
	flags.Int64Var(&megabytes, "file-size", archive.DefaultFileBytes>>20, "about how long a file gets, in MiB")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	_ = cmd.MarkFlagRequired("dir")
	cmd.MarkFlagsOneRequired("before", "keep")
	return cmd
}

// parseAge reads a duration that may be in days.
func parseAge(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err == nil && n > 0 && n < 100_000 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	} else if age, err := time.ParseDuration(text); err == nil && age > 0 {
		return age, nil
	}
	return 0, fmt.Errorf("--keep %q: write an age as 30d or 12h", text)
}

func printArchived(out io.Writer, c house.Config, done engine.Archived) {
	for _, f := range done.Files {
		fmt.Fprintf(out, "%s  %d to %d, %d records, %d bytes\n", f.Name, f.First, f.Last, f.Records, f.Bytes)
	}
	if len(done.Files) == 0 {
		fmt.Fprintln(out, "nothing was archived")
	}
	if done.Bound != "" {
		fmt.Fprintln(out, "  ·", done.Bound)
	}
	if done.Head > 0 {
		fmt.Fprintf(out, "the database holds %d to %d, %s what came before\n", done.Origin+1, done.Head, c.ArchiveDir)
	}
}

func newJournalVerify() *cobra.Command {
	var c house.Config
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check every record of the log and its archive",
		Long: `Verify reads each record of the database, and with --dir each file of the archive: the
checksums, the chain of hashes across them, the SHA-256 of the files. It does not replay what
they say; "bourse replay" does. Nothing is changed.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := house.VerifyChain(cmd.Context(), c)
			if err != nil {
				return err
			}
			return printJournal(cmd, r, asJSON, "every record is sound and follows the one before")
		},
	}
	databaseFlags(cmd, &c)
	archiveFlag(cmd, &c)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func newJournalList() *cobra.Command {
	var c house.Config
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Say what the log consists of: database, snapshots, files",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := house.ListJournal(cmd.Context(), c)
			if err != nil {
				return err
			}
			return printJournal(cmd, r, asJSON, "")
		},
	}
	databaseFlags(cmd, &c)
	archiveFlag(cmd, &c)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printJournal prints a report, and the sentence for one without faults.
func printJournal(cmd *cobra.Command, r engine.JournalReport, asJSON bool, sound string) error {
	out := cmd.OutOrStdout()
	if asJSON {
		if err := printJSON(out, r); err != nil {
			return err
		}
	} else {
		for _, f := range r.Files {
			fmt.Fprintf(out, "file       %d to %d  %d records, %d bytes  %s\n", f.First, f.Last, f.Records, f.Bytes, f.Name)
		}
		fmt.Fprintf(out, "database   %d to %d  %d records, %d bytes\n", r.Origin+1, r.Head, r.Batches, r.Bytes)
		fmt.Fprintf(out, "snapshots  at %s\n", strings.Trim(fmt.Sprint(r.Snapshots), "[]"))
		fmt.Fprintf(out, "history    up to %d\n", r.Projected)
		for _, fault := range r.Faults {
			fmt.Fprintln(out, "  !", fault)
		}
		if len(r.Faults) == 0 && sound != "" {
			fmt.Fprintln(out, sound)
		}
	}
	if len(r.Faults) > 0 {
		return errReported
	}
	return nil
}
