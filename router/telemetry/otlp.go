package telemetry

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// OTLP says where spans go: an OpenTelemetry collector, by OTLP over HTTP with protobuf.
//
// The module that ships with OpenTelemetry for this brings gRPC along, 7.5 MB of binary, for the name of one message. That message is the
// same on the wire as TracesData, so that the transport is this file.
type OTLP struct {
	Endpoint string            // such as http://localhost:4318; /v1/traces is added where there is no path
	Headers  map[string]string // such as an API key; never logged
	Timeout  time.Duration     // of one message with its retries; default 10 s
	Gzip     bool
}

const (
	otlpAttempts = 3
	otlpPause    = 500 * time.Millisecond // before the second attempt; doubles
	otlpComplain = time.Minute            // at most one complaint in this time
)

// otlpClient implements otlptrace.Client. It never reports an error upwards: the SDK would print it.
type otlpClient struct {
	url     string
	headers map[string]string
	timeout time.Duration
	gzip    bool
	http    *http.Client
	logger  *slog.Logger
	metrics *metrics

	mu         sync.Mutex
	complained time.Time
	lost       int // spans since the last complaint
}

func newOTLP(o OTLP, logger *slog.Logger, m *metrics) (*otlpClient, error) {
	u, err := url.Parse(cmp.Or(o.Endpoint, "http://localhost:4318"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the endpoint %q is no http URL", o.Endpoint)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/v1/traces"
	}
	return &otlpClient{
		url: u.String(), headers: o.Headers, timeout: cmp.Or(max(o.Timeout, 0), 10*time.Second), gzip: o.Gzip, logger: logger, metrics: m,
		http: &http.Client{
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // keys are for this address alone
		},
	}, nil
}

// Start implements otlptrace.Client.
func (c *otlpClient) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c *otlpClient) Stop(context.Context) error {
	c.http.CloseIdleConnections()
	return nil
}

// UploadTraces implements otlptrace.Client.
func (c *otlpClient) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	n := 0
	for _, r := range spans {
		for _, s := range r.GetScopeSpans() {
			n += len(s.GetSpans())
		}
	}
	if err := c.upload(ctx, spans); err != nil {
		c.metrics.exported(n, "failed")
		c.complain(err, n)
		return nil
	}
	c.metrics.exported(n, "ok")
	return nil
}

func (c *otlpClient) upload(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return err
	}
	if c.gzip {
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		_, _ = z.Write(body) // a buffer takes everything
		_ = z.Close()
		body = packed.Bytes()
	}
	pause := otlpPause
	for attempt := 1; ; attempt++ {
		again, err := c.post(ctx, body)
		if err == nil || !again || attempt == otlpAttempts {
			return err
		}
		select {
		case <-time.After(pause):
			pause *= 2
		case <-ctx.Done():
			return err
		}
	}
}

// post sends one message; again says that another attempt may help.
func (c *otlpClient) post(ctx context.Context, body []byte) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	for name, value := range c.headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	if c.gzip {
		r.Header.Set("Content-Encoding", "gzip")
	}
	res, err := c.http.Do(r)
	if err != nil {
		return true, err
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	switch res.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return false, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true, fmt.Errorf("HTTP status %d", res.StatusCode)
	default:
		return false, fmt.Errorf("HTTP status %d", res.StatusCode)
	}
}

// complain logs that spans are lost, but not all the time.
func (c *otlpClient) complain(err error, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost += n
	if time.Since(c.complained) < otlpComplain {
		return
	}
	c.logger.Warn("traces could not be handed to the collector", "spans", c.lost, "error", err)
	c.complained, c.lost = time.Now(), 0
}
