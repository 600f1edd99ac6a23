package telemetry

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// usedOperation is a line of the record. query, operationName and count are what schema checks read.
type usedOperation struct {
	Query         string       `json:"query"`
	OperationName string       `json:"operationName,omitempty"`
	Count         int64        `json:"count"`
	Errors        int64        `json:"errors"`
	First         time.Time    `json:"firstSeen"`
	Last          time.Time    `json:"lastSeen"`
	Clients       []usedClient `json:"clients"`
	Others        int64        `json:"otherClients,omitempty"` // requests of clients beyond those that are told apart
}

type usedClient struct {
	Name    string    `json:"name"`
	Version string    `json:"version,omitempty"`
	Count   int64     `json:"count"`
	Last    time.Time `json:"lastSeen"`
}

// usedSchema is the last line: what of the schema the operations above ask for, each element with the requests that did.
type usedSchema struct {
	Since      time.Time `json:"since"`
	Until      time.Time `json:"until"`
	Operations int       `json:"operations"`
	Unrecorded int64     `json:"unrecorded"` // requests of operations beyond those that are recorded
	uses
}

// write puts the record into its file at once, so that nobody reads half of it.
func (u *usage) write() (err error) {
	file, err := os.CreateTemp(filepath.Dir(u.o.File), "."+filepath.Base(u.o.File)+"-")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close(), os.Remove(file.Name()))
		}
	}()
	out := bufio.NewWriter(file)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	schema, used := u.schema.Load(), newUses()
	all := u.all()
	for _, c := range all {
		n := c.requests.Load()
		used.add(schema, c.signature, n)
		if err := lines.Encode(c.line(n)); err != nil {
			return err
		}
	}
	summary := usedSchema{Since: u.since.UTC(), Until: u.o.Now().UTC(), Operations: len(all), Unrecorded: u.unrecorded.Load(), uses: used}
	if err := lines.Encode(map[string]usedSchema{"summary": summary}); err != nil {
		return err
	}
	if err := errors.Join(out.Flush(), file.Chmod(0o644)); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return u.place(file.Name())
}

// place gives a written record its name. When another has taken that name meanwhile (this router's own successor, after a reload), it is
// set aside at once.
func (u *usage) place(written string) error {
	if stands, err := os.Stat(u.o.File); err == nil && u.mine != nil && !os.SameFile(stands, u.mine) {
		return os.Rename(written, u.aside(u.o.Now()))
	}
	if err := os.Rename(written, u.o.File); err != nil {
		return err
	}
	var err error
	u.mine, err = os.Stat(u.o.File)
	return err
}

func (c *counts) line(n int64) usedOperation {
	l := usedOperation{
		Query: c.signature, OperationName: c.name, Count: n, Errors: c.errors.Load(),
		First: moment(c.first.Load()), Last: moment(c.last.Load()), Clients: []usedClient{},
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for who, s := range c.clients {
		l.Clients = append(l.Clients, usedClient{who.name, who.version, s.requests.Load(), moment(s.last.Load())})
	}
	slices.SortFunc(l.Clients, func(a, b usedClient) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	l.Others = c.overflow.requests.Load()
	return l
}

func moment(milliseconds int64) time.Time { return time.UnixMilli(milliseconds).UTC() }
