package sources

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const schemaQuery = `{"query":"query SubgraphSchema { _service { sdl } }","operationName":"SubgraphSchema"}`

// asker asks running subgraphs for their schemas.
type asker struct {
	client  *http.Client
	timeout time.Duration
}

func newAsker(timeout time.Duration) *asker {
	return &asker{&http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: timeout}).DialContext}}, timeout}
}

func (a *asker) close() { a.client.CloseIdleConnections() }

// sdl asks one subgraph. The error says what it answered instead.
func (a *asker) sdl(ctx context.Context, address string, headers http.Header) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%q is no http address", address)
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(schemaQuery))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", "bourse-compose")
	for name, values := range headers {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	response, err := a.client.Do(request)
	if err != nil {
		return "", a.explain(address, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxSchemaBytes+1))
	switch {
	case err != nil:
		return "", a.explain(address, err)
	case len(body) > maxSchemaBytes:
		return "", fmt.Errorf("%s answers with more than %d MiB", address, maxSchemaBytes>>20)
	}
	sdl, err := readAnswer(response, body)
	if err != nil {
		return "", fmt.Errorf("%s %w", address, err)
	}
	return sdl, nil
}

func (a *asker) explain(address string, err error) error {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("%s did not answer within %s", address, a.timeout)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fmt.Errorf("%s cannot be asked: %w", address, err)
}

func readAnswer(response *http.Response, body []byte) (string, error) {
	var answer struct {
		Data *struct {
			Service *struct {
				SDL string `json:"sdl"`
			} `json:"_service"`
		} `json:"data"`
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	err := json.Unmarshal(body, &answer)
	switch {
	case len(answer.Errors) > 0:
		return "", fmt.Errorf("refused { _service { sdl } }: %s", excerpt([]byte(answer.Errors[0].Message)))
	case response.StatusCode != http.StatusOK:
		return "", fmt.Errorf("answered with HTTP status %d: %s", response.StatusCode, excerpt(body))
	case err != nil:
		kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
		return "", fmt.Errorf("answered with %q and no GraphQL answer in JSON: %s", kind, excerpt(body))
	case answer.Data == nil || answer.Data.Service == nil || strings.TrimSpace(answer.Data.Service.SDL) == "":
		return "", errors.New("answered { _service { sdl } } with no schema: is it a subgraph?")
	}
	return answer.Data.Service.SDL, nil
}

// excerpt is the beginning of an answer, on one line and fit for a terminal.
func excerpt(body []byte) string {
	const most = 160
	text := strings.Join(strings.Fields(string(bytes.ToValidUTF8(body[:min(len(body), 4*most)], nil))), " ")
	text = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	if text == "" {
		return "(nothing)"
	}
	return text
}
