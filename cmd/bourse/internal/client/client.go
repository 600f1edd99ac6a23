// Package client talks to the exchange as any integrator would: GraphQL over
// HTTP, a bearer token that renews itself, and answers decoded into the caller's
// own structs. The simulator, the drill and the whole-system tests use it, so that
// what they prove holds for the public endpoint.
//
// It knows neither the engine nor the router.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxAnswer bounds what is read of one answer, in bytes.
const maxAnswer = 16 << 20

// Client is one caller's connection to an endpoint. It is safe for concurrent use.
type Client struct {
	endpoint string
	http     *http.Client

	mu      sync.Mutex // held while a session is renewed, so that one renewal serves all waiters
	session Session
	seen    atomic.Uint64 // the sequence that answers must show at least
}

// Saw makes every later answer show at least this sequence of the exchange's log.
func (c *Client) Saw(sequence uint64) {
	for {
		seen := c.seen.Load()
		if sequence <= seen || c.seen.CompareAndSwap(seen, sequence) {
			return
		}
	}
}

// Session is what a sign-in gives.
type Session struct {
	AccessToken  string `json:"accessToken"`
	RefreshToken string `json:"refreshToken"`
	Username     string `json:"username"`
	Role         string `json:"role"`
}

// Error is one error of a GraphQL answer.
type Error struct {
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
}

// Errors are the errors of one answer, never empty.
type Errors []Error

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Extensions.Code + ": " + one.Message
	}
	return strings.Join(lines, "; ")
}

// Code is the stable code of the first GraphQL error in err, or "" where err is none.
func Code(err error) string {
	var list Errors
	if errors.As(err, &list) {
		return list[0].Extensions.Code
	}
	return ""
}

// New makes a client of the endpoint, such as http://127.0.0.1:8080/graphql. Clients
// that share a transport share its connections; nil makes one of its own.
func New(endpoint string, transport http.RoundTripper) *Client {
	if transport == nil {
		transport = Transport(16)
	}
	return &Client{endpoint: endpoint, http: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
}

// Transport keeps up to idle connections open to one host.
func Transport(idle int) *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		MaxIdleConns:        idle,
		MaxIdleConnsPerHost: idle,
		IdleConnTimeout:     time.Minute,
	}
}

// Do runs one operation and decodes its data into out, which may be nil. A renewed
// access token is fetched once when the old one has expired. The error is Errors
// where the endpoint answered, anything else where it did not.
func (c *Client) Do(ctx context.Context, operation string, variables, out any) error {
	token := c.accessToken()
	err := c.send(ctx, operation, variables, out, token)
	if Code(err) != "TOKEN_EXPIRED" {
		return err
	}
	if err := c.renew(ctx, token); err != nil {
		return fmt.Errorf("renew the session: %w", err)
	}
	return c.send(ctx, operation, variables, out, c.accessToken())
}

const sessionFields = `{ accessToken refreshToken username role }`

// SignIn opens a session; later calls of Do carry it.
func (c *Client) SignIn(ctx context.Context, username, password string) error {
	var answer struct{ SignIn Session }
	err := c.send(ctx, `mutation SignIn($input: SignInInput!) { signIn(input: $input) `+sessionFields+` }`,
		map[string]any{"input": map[string]any{"username": username, "password": password}}, &answer, "")
	if err != nil {
		return err
	}
	c.setSession(answer.SignIn)
	return nil
}

// Register opens a member's account under an invite code and signs in.
func (c *Client) Register(ctx context.Context, inviteCode, username, password, displayName string) error {
	var answer struct{ Register Session }
	err := c.send(ctx, `mutation Register($input: RegisterInput!) { register(input: $input) `+sessionFields+` }`,
		map[string]any{"input": map[string]any{
			"inviteCode": inviteCode, "username": username, "password": password, "displayName": displayName,
		}}, &answer, "")
	if err != nil {
		return err
	}
	c.setSession(answer.Register)
	return nil
}

// Session is the current session; zero before a sign-in.
func (c *Client) Session() Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session
}

func (c *Client) accessToken() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.AccessToken
}

func (c *Client) setSession(s Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session = s
}

// renew swaps the refresh token for a new session, unless another caller already did.
func (c *Client) renew(ctx context.Context, expired string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session.AccessToken != expired {
		return nil
	}
	var answer struct{ RefreshSession Session }
	err := c.send(ctx, `mutation Refresh($token: String!) { refreshSession(refreshToken: $token) `+sessionFields+` }`,
		map[string]any{"token": c.session.RefreshToken}, &answer, "")
	if err != nil {
		return err
	}
	c.session = answer.RefreshSession
	return nil
}

func (c *Client) send(ctx context.Context, operation string, variables, out any, token string) error {
	body, err := json.Marshal(map[string]any{"query": operation, "variables": variables})
	if err != nil {
		return fmt.Errorf("encode the variables: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/graphql-response+json, application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if seen := c.seen.Load(); seen > 0 {
		request.Header.Set("Bourse-Min-Sequence", strconv.FormatUint(seen, 10))
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("reach the endpoint: %w", err)
	}
	defer response.Body.Close()
	return decode(response, out)
}

func decode(response *http.Response, out any) error {
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	var answer struct {
		Data   json.RawMessage `json:"data"`
		Errors Errors          `json:"errors"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return fmt.Errorf("the endpoint answered %s, not GraphQL", response.Status)
	}
	if len(answer.Errors) > 0 {
		return answer.Errors
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Data, out); err != nil {
		return fmt.Errorf("decode the answer: %w", err)
	}
	return nil
}

// On is a client of another endpoint with the same session, for a house that moved.
func (c *Client) On(endpoint string, transport http.RoundTripper) *Client {
	moved := New(endpoint, transport)
	moved.session = c.Session()
	moved.seen.Store(c.seen.Load())
	return moved
}
