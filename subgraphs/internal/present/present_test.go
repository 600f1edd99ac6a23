package present_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"bourse/engine"
	"bourse/engine/fault"
	"bourse/subgraphs/internal/present"
)

func TestEveryRefusalHasItsRow(t *testing.T) {
	shown := presenter(t, &bytes.Buffer{})
	for _, described := range fault.Codes() {
		err := shown(context.Background(), fault.New(described.Code, "no", "limit", "5"))
		code := err.Extensions["code"]
		if code == present.Internal {
			t.Errorf("%s (%s) has no row in the table", described.Code, described.Sentence)
		}
		if described.Code != fault.ClockWentBack && code != string(described.Code) {
			t.Errorf("%s is shown as %s", described.Code, code)
		}
		if err.Message != "no" {
			t.Errorf("%s: message %q", described.Code, err.Message)
		}
		if details, ok := err.Extensions["details"].(map[string]string); !ok || details["limit"] != "5" {
			t.Errorf("%s: details %v", described.Code, err.Extensions["details"])
		}
	}
}

func TestWrappedRefusalKeepsPath(t *testing.T) {
	refusal := fmt.Errorf("resolving Entity: %w", fault.New(fault.OrderNotFound, "no such order"))
	path := ast.Path{ast.PathName("_entities"), ast.PathIndex(3)}
	err := presenter(t, &bytes.Buffer{})(context.Background(), gqlerror.WrapPath(path, refusal))
	if err.Extensions["code"] != "ORDER_NOT_FOUND" || err.Message != "no such order" {
		t.Errorf("%v %v", err.Message, err.Extensions)
	}
	if err.Path.String() != path.String() {
		t.Errorf("path %s", err.Path)
	}
}

func TestTheEndsOfAWatchAreTold(t *testing.T) {
	for err, code := range map[error]string{
		engine.ErrLagged:  "SUBSCRIPTION_LAGGED",
		engine.ErrClosing: "UNAVAILABLE",
	} {
		if shown := presenter(t, &bytes.Buffer{})(context.Background(), err); shown.Extensions["code"] != code {
			t.Errorf("%v is shown as %v", err, shown.Extensions)
		}
	}
}

func TestWhatIsUnavailableIsLoggedWithItsCause(t *testing.T) {
	var log bytes.Buffer
	err := errors.Join(fault.New(fault.Unavailable, "ask again"), errors.New("disk on fire"))
	shown := presenter(t, &log)(context.Background(), err)
	if shown.Message != "ask again" || shown.Extensions["code"] != "UNAVAILABLE" {
		t.Error(shown)
	}
	if !strings.Contains(log.String(), "disk on fire") {
		t.Error(log.String())
	}
}

func TestACallerWhoHasGoneIsNoAlarm(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, err := range []error{
		fmt.Errorf("query: %w", context.Canceled),
		errors.Join(fault.New(fault.Unavailable, "ask again"), context.Canceled),
	} {
		var log bytes.Buffer
		_ = presenter(t, &log)(ctx, err)
		if log.Len() > 0 {
			t.Error(log.String())
		}
		_ = presenter(t, &log)(context.Background(), err)
		if log.Len() == 0 {
			t.Errorf("%v of a caller who waits is not logged", err)
		}
	}
}

func TestUnknownErrorsAreHiddenAndLogged(t *testing.T) {
	for name, err := range map[string]error{
		"plain":           errors.New("password=hunter2 at 10.0.0.1"),
		"panic":           present.Panics(slog.New(slog.DiscardHandler))(context.Background(), "hunter2"),
		"unknown refusal": fault.New("HUNTER2", "hunter2"),
		"gqlgen's own":    gqlerror.Errorf("hunter2 must not be null"),
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			shown := presenter(t, &log)(context.Background(), err)
			if shown.Extensions["code"] != present.Internal {
				t.Errorf("code %v", shown.Extensions["code"])
			}
			if strings.Contains(strings.ToLower(shown.Message), "hunter2") {
				t.Errorf("shows the inside: %s", shown.Message)
			}
			if !strings.Contains(strings.ToLower(log.String()), "hunter2") {
				t.Errorf("the log lacks it: %s", log.String())
			}
		})
	}
}

func TestTransportErrorsStay(t *testing.T) {
	var log bytes.Buffer
	err := gqlerror.Errorf(`Cannot query field "x"`)
	err.Extensions = map[string]any{"code": "GRAPHQL_VALIDATION_FAILED"}
	shown := presenter(t, &log)(context.Background(), err)
	if shown.Extensions["code"] != "GRAPHQL_VALIDATION_FAILED" || shown.Message != err.Message || log.Len() > 0 {
		t.Errorf("%v, log %q", shown, log.String())
	}
}

func TestPanicsAreLoggedWithTheirStack(t *testing.T) {
	var log bytes.Buffer
	if err := present.Panics(slog.New(slog.NewTextHandler(&log, nil)))(context.Background(), "boom"); err == nil {
		t.Fatal("no error")
	}
	if text := log.String(); !strings.Contains(text, "boom") || !strings.Contains(text, "present_test.go") {
		t.Error(text)
	}
}

func presenter(t *testing.T, log *bytes.Buffer) graphql.ErrorPresenterFunc {
	t.Helper()
	return present.Errors(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelInfo})))
}
