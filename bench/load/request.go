package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Result is one request as its client saw it. Times are since the run began.
type Result struct {
	Session int           `json:"session"`
	Turn    int           `json:"turn"`
	Due     time.Duration `json:"due_ns"`  // when it should have been sent
	Sent    time.Duration `json:"sent_ns"` // when it was
	First   time.Duration `json:"first_ns"`
	Done    time.Duration `json:"done_ns"`

	Error  string `json:"error,omitempty"` // "429", or what went wrong in a word; "": it was answered whole
	Detail string `json:"detail,omitempty"`
	Input  int    `json:"input_tokens"`
	Output int    `json:"output_tokens"`
	Cached int    `json:"cached_tokens"`
	Hash   uint64 `json:"answer_hash"` // of the answer's text

	Arrivals []time.Duration `json:"-"` // of the pieces of the answer
}

// TTFT returns the time to the first token, E2E the time to the last one.
func (r *Result) TTFT() time.Duration { return r.First - r.Sent }
func (r *Result) E2E() time.Duration  { return r.Done - r.Sent }

// TPOT returns the mean time of a token after the first; 0 when there is no second.
func (r *Result) TPOT() time.Duration {
	if r.Output < 2 || len(r.Arrivals) == 0 {
		return 0
	}
	return (r.Arrivals[len(r.Arrivals)-1] - r.First) / time.Duration(r.Output-1)
}

// gaps appends the times between the pieces of the answer.
func (r *Result) gaps(dst []time.Duration) []time.Duration {
	for i := 1; i < len(r.Arrivals); i++ {
		dst = append(dst, r.Arrivals[i]-r.Arrivals[i-1])
	}
	return dst
}

// call sends one request, fills r in and returns the answer's text. on, if not nil, is called for each piece.
func (t *Target) call(ctx context.Context, start time.Time, body []byte, r *Result, on func()) string {
	ctx, stop := context.WithTimeout(ctx, t.Timeout)
	defer stop()
	r.Sent = time.Since(start)
	text, err := t.stream(ctx, start, body, r, on)
	r.Done = time.Since(start)
	r.First = r.Done
	if n := len(r.Arrivals); n > 0 {
		r.First, r.Done = r.Arrivals[0], r.Arrivals[n-1]
	}
	if err != nil {
		r.Error, r.Detail = classify(err), err.Error()
		return ""
	}
	h := fnv.New64a()
	_, _ = io.WriteString(h, text)
	r.Hash = h.Sum64()
	return text
}

func (t *Target) stream(ctx context.Context, start time.Time, body []byte, r *Result, on func()) (string, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, t.path(), bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	q.Header.Set("Content-Type", "application/json")
	t.authorize(q)
	a, err := t.client.Do(q)
	if err != nil {
		return "", err
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(a.Body, 1<<10))
		return "", &statusError{a.StatusCode, string(b)}
	}
	var f frame
	var text strings.Builder
	pieces := 0
	err = readStream(bufio.NewReaderSize(a.Body, 4<<10), &f, func(f *frame) {
		if piece := f.text(); piece != "" {
			r.Arrivals = append(r.Arrivals, time.Since(start))
			text.WriteString(piece)
			pieces++
			if on != nil {
				on()
			}
		}
		if f.Usage != nil {
			r.Input, r.Output, r.Cached = f.Usage.Prompt, f.Usage.Completion, f.Usage.Details.Cached
		}
	})
	if r.Output == 0 { // the endpoint does not tell
		r.Output = pieces
	}
	_, _ = io.Copy(io.Discard, a.Body) // so that the connection is used again
	return text.String(), err
}

type statusError struct {
	status int
	body   string
}

func (e *statusError) Error() string { return fmt.Sprintf("status %d: %s", e.status, e.body) }

// classify names an error for the table.
func classify(err error) string {
	var status *statusError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &status):
		return strconv.Itoa(status.status)
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, errStream), errors.Is(err, errTruncated):
		return "stream"
	}
	return "connection"
}
