package hub

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// StatusError is an answer of the Hub, or of a server that it redirects to, that is not the file asked for.
type StatusError struct {
	Code    int
	Message string        // what to do about it, or the server's own words
	Wait    time.Duration // what Retry-After asks for, 0 if nothing
	Foreign bool          // from another host than the endpoint
}

func (e *StatusError) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("the server answered %d %s: %s", e.Code, http.StatusText(e.Code), e.Message), ": ")
}

func (c *client) statusError(resp *http.Response) error {
	e := &StatusError{Code: resp.StatusCode, Message: clean(resp.Header.Get("X-Error-Message")), Wait: retryAfter(resp.Header.Get("Retry-After"))}
	e.Foreign = !sameOrigin(resp.Request.URL, c.endpoint)
	if e.Foreign {
		return e
	}
	switch resp.Header.Get("X-Error-Code") {
	case "GatedRepo":
		e.Message = "the model is gated: accept its terms on its page and set HF_TOKEN to a token of that account"
		return e
	case "RevisionNotFound":
		e.Message = "there is no such revision"
		return e
	}
	switch {
	case resp.StatusCode == http.StatusUnauthorized && c.token == "":
		e.Message = "there is no such model, or it is private: check the name, or set HF_TOKEN"
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		e.Message = "the token (HF_TOKEN) is not valid here, or may not read this model"
	case resp.StatusCode == http.StatusNotFound && e.Message == "":
		e.Message = "there is no such model, revision or file"
	}
	return e
}

// clean keeps a server's words to one short printable line.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "…"
	}
	return s
}

// retryAfter reads the header's two forms, seconds and a date.
func retryAfter(s string) time.Duration {
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, time.Until(t))
	}
	return 0
}

// passing reports whether the same request may succeed later.
func passing(err error) bool {
	var changed *changedError
	var hash *HashError
	var disk *diskError
	var final *finalError
	var status *StatusError
	switch {
	case errors.As(err, &changed), errors.As(err, &hash), errors.As(err, &disk), errors.As(err, &final), errors.Is(err, errStale):
		return false
	case errors.As(err, &status):
		// A signed address that has expired is answered with 403; the next try gets a fresh one from the Hub.
		return status.Code >= 500 || status.Code == http.StatusTooManyRequests || status.Code == http.StatusRequestTimeout ||
			status.Foreign && status.Code == http.StatusForbidden
	}
	return true
}

// retry calls try until it succeeds, fails for good, or fails pace.tries times running without progress.
func (h *Hub) retry(ctx context.Context, try func() (progress bool, err error)) error {
	for failures := 0; ; {
		progress, err := try()
		if err == nil || ctx.Err() != nil {
			return cmpErr(context.Cause(ctx), err)
		}
		if progress {
			failures = 0
		}
		if failures++; !passing(err) {
			return err
		} else if failures >= h.pace.tries {
			return fmt.Errorf("%w (%d tries)", err, failures)
		}
		wait := h.pace.backoff << (failures - 1)
		wait += rand.N(wait/2 + 1)
		var status *StatusError
		if errors.As(err, &status) && status.Wait > 0 {
			if wait = status.Wait; wait > h.pace.longest {
				return fmt.Errorf("%w (it asks to wait %v)", err, wait)
			}
			h.notice(fmt.Sprintf("the server is busy and asks to wait %v", wait))
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// cmpErr returns first, or second when there is no first.
func cmpErr(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
