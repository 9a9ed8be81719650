package server

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/valyala/fasthttp"

	"github.com/weft-llm/weft/engine"
)

// apiError is an error in OpenAI's form. Its message is the client's to read: it holds no path, pointer or Go error
// that was not written for a client.
type apiError struct {
	status     int
	kind       string // invalid_request_error, rate_limit_error, server_error
	code       string // "" is null
	param      string // the field at fault; "" is null
	message    string
	retryAfter time.Duration // 0: no Retry-After
}

func (e *apiError) Error() string { return e.message }

// errHungUp is the cause of a request's end when its client left. errShutdown is the cause when a drain cut it.
var (
	errHungUp   = errors.New("server: the client hung up")
	errShutdown = errors.New("server: the drain ended")
)

// invalid is a 400 about the field param.
func invalid(param, format string, args ...any) *apiError {
	return &apiError{
		status: fasthttp.StatusBadRequest, kind: "invalid_request_error", code: "invalid_value", param: param,
		message: fmt.Sprintf(format, args...),
	}
}

func unknownField(param string) *apiError {
	e := invalid(cut(param, maxNameBytes), "Unknown field %s.", quote(param))
	e.code = "unknown_parameter"
	return e
}

func unsupported(param, what string) *apiError {
	e := invalid(param, "%s is not supported by this server: %s. Leave it out.", quote(param), what)
	e.code = "unsupported_parameter"
	return e
}

func refused(status int, code, format string, args ...any) *apiError {
	return &apiError{status: status, kind: "invalid_request_error", code: code, message: fmt.Sprintf(format, args...)}
}

func broken(status int, code, message string) *apiError {
	return &apiError{status: status, kind: "server_error", code: code, message: message}
}

func draining() *apiError {
	e := broken(fasthttp.StatusServiceUnavailable, "shutting_down", "The server is shutting down.")
	e.retryAfter = 5 * time.Second
	return e
}

// tooLong says how a request goes over the context, in both numbers, and what would fit.
func tooLong(promptParam, maxParam string, prompt, maxTokens, limit int) *apiError {
	e := &apiError{
		status: fasthttp.StatusBadRequest, kind: "invalid_request_error", code: "context_length_exceeded", param: maxParam,
	}
	room := limit - prompt
	switch {
	case room >= 1:
		e.message = fmt.Sprintf("The prompt has %d tokens and %s is %d: %d in all, limit %d. "+
			"Set %s to %d or less, or shorten the prompt.",
			prompt, maxParam, maxTokens, prompt+maxTokens, limit, maxParam, room)
	default:
		e.param = promptParam
		e.message = fmt.Sprintf("The prompt has %d tokens, limit %d with at least 1 for the answer. "+
			"Shorten the prompt to %d tokens or less.", prompt, limit, limit-1)
	}
	return e
}

// engineError says in the client's words why the engine did not take r, or ended it. started tells whether tokens had
// come.
func engineError(err error, r *request, started bool) *apiError {
	var long *engine.TooLongError
	var field *engine.RequestError
	var device *engine.DeviceError
	switch {
	case errors.Is(err, engine.ErrQueueFull):
		return &apiError{
			status: fasthttp.StatusTooManyRequests, kind: "rate_limit_error", code: "queue_full",
			message: "Too many requests wait already. Try again later.", retryAfter: time.Second,
		}
	case errors.Is(err, engine.ErrDraining), errors.Is(err, errShutdown):
		return draining()
	case errors.Is(err, engine.ErrDeadline) && !started:
		e := broken(fasthttp.StatusServiceUnavailable, "queue_timeout", "The request waited too long for its turn.")
		e.retryAfter = time.Second
		return e
	case errors.Is(err, engine.ErrDeadline):
		return broken(fasthttp.StatusGatewayTimeout, "timeout", "The request took longer than this server allows.")
	case errors.Is(err, engine.ErrNumeric):
		return broken(fasthttp.StatusInternalServerError, "numeric_error",
			"The model produced a value that is not a number for this request.")
	case errors.As(err, &device):
		return broken(fasthttp.StatusServiceUnavailable, "device_error", "The device that runs the model failed.")
	case errors.As(err, &long):
		return tooLong(r.promptParam(), r.maxTokensParam(), long.Prompt, long.MaxTokens, long.Limit)
	case errors.As(err, &field):
		return invalid(field.Field, "%s %s.", field.Field, field.Problem)
	}
	return internal()
}

func internal() *apiError {
	return broken(fasthttp.StatusInternalServerError, "internal_error", "The server made an error. Its log has more.")
}

// writeError answers with e. Whatever the handler had put into the response is dropped.
func writeError(ctx *fasthttp.RequestCtx, e *apiError) {
	ctx.Response.ResetBody()
	ctx.SetStatusCode(e.status)
	ctx.SetContentType("application/json")
	if e.retryAfter > 0 {
		ctx.Response.Header.Set("Retry-After", strconv.Itoa(int(max(1, e.retryAfter.Round(time.Second)/time.Second))))
	}
	if c := connOf(ctx); c != nil {
		c.refuses = e.status == fasthttp.StatusTooManyRequests
	}
	if e.status == fasthttp.StatusUnauthorized {
		ctx.Response.Header.Set("WWW-Authenticate", "Bearer")
	}
	ctx.SetBody(appendError(nil, e))
}

// appendError appends {"error": {...}} in OpenAI's form.
func appendError(b []byte, e *apiError) []byte {
	b = append(b, `{"error":{"type":`...)
	b = appendString(b, e.kind)
	b = append(b, `,"code":`...)
	b = appendNullable(b, e.code)
	b = append(b, `,"param":`...)
	b = appendNullable(b, e.param)
	b = append(b, `,"message":`...)
	b = appendString(b, e.message)
	return append(b, `}}`...)
}

// appendString appends s as a JSON string. Bytes that are not UTF-8 become U+FFFD.
func appendString[T ~string | ~[]byte](b []byte, s T) []byte {
	b, _ = jsontext.AppendQuote(b, s) // the error says only that bytes were replaced
	return b
}

func appendNullable(b []byte, s string) []byte {
	if s == "" {
		return append(b, "null"...)
	}
	return appendString(b, s)
}

// What an error repeats of a request is cut to these lengths.
const (
	maxNameBytes  = 64
	maxCauseBytes = 300
)

// quote returns a name that a client sent, cut to a length that is good to read, in quotes.
func quote(name string) string { return strconv.Quote(cut(name, maxNameBytes)) }

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
