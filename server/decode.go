package server

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/valyala/fasthttp"
)

// maxDepth is how deep the arrays and objects of a request may nest. The depth is counted before anything recurses.
const maxDepth = 64

// parseBody checks body as a whole: depth, syntax, UTF-8, duplicate names, one object and nothing after it.
func parseBody(body []byte) *apiError {
	if depth(body) > maxDepth {
		return refused(fasthttp.StatusBadRequest, "too_deep", "The body nests deeper than %d levels.", maxDepth)
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	v, err := d.ReadValue()
	if err == nil && v.Kind() != '{' {
		return refused(fasthttp.StatusBadRequest, "invalid_json", "The body must be a JSON object.")
	}
	if err == nil {
		_, err = d.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			return refused(fasthttp.StatusBadRequest, "invalid_json", "The body has more than one JSON value.")
		}
	}
	return refused(fasthttp.StatusBadRequest, "invalid_json", "The body is not valid JSON: %s.", syntax(err))
}

// syntax is what a decoder found wrong, without its package's name.
func syntax(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends too early"
	}
	return cut(strings.TrimPrefix(err.Error(), "jsontext: "), maxCauseBytes)
}

// depth returns how deep brackets nest in b. It needs no valid JSON.
func depth(b []byte) int {
	var level, deepest int
	for i, inString := 0, false; i < len(b); i++ {
		switch c := b[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{', c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}', c == ']':
			level--
		}
	}
	return deepest
}

// eachField calls f for every member of the object v, in order. The value f gets is only good during the call.
func eachField(v jsontext.Value, param string, f func(name string, v jsontext.Value) *apiError) *apiError {
	if v.Kind() != '{' {
		return invalid(param, "%s must be an object.", param)
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(v))
	_, err := d.ReadToken()
	for err == nil && d.PeekKind() == '"' {
		var name jsontext.Token
		var value jsontext.Value
		if name, err = d.ReadToken(); err != nil {
			break
		}
		key := name.String()
		if value, err = d.ReadValue(); err != nil {
			break
		}
		if bad := f(key, value); bad != nil {
			return bad
		}
	}
	return syntaxError(param, err)
}

// eachItem calls f for every element of the array v, in order. The value f gets is only good during the call.
func eachItem(v jsontext.Value, param string, f func(i int, v jsontext.Value) *apiError) *apiError {
	if v.Kind() != '[' {
		return invalid(param, "%s must be an array.", param)
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(v))
	_, err := d.ReadToken()
	for i := 0; err == nil && d.PeekKind() != ']'; i++ {
		var value jsontext.Value
		if value, err = d.ReadValue(); err != nil {
			break
		}
		if bad := f(i, value); bad != nil {
			return bad
		}
	}
	return syntaxError(param, err)
}

func syntaxError(param string, err error) *apiError {
	if err == nil {
		return nil
	}
	return invalid(param, "%s is not valid JSON: %s.", param, syntax(err))
}

func isNull(v jsontext.Value) bool { return v.Kind() == 'n' }

// asInt reads an integer between lo and hi. A number with a fraction or an exponent, a string and a bool are refused.
func asInt(v jsontext.Value, param string, lo, hi int64) (int64, *apiError) {
	if v.Kind() == '0' {
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil && lo <= n && n <= hi {
			return n, nil
		}
	}
	return 0, invalid(param, "%s must be an integer from %d to %d.", param, lo, hi)
}

// asFloat reads a number between lo and hi.
func asFloat(v jsontext.Value, param string, lo, hi float64) (float32, *apiError) {
	if v.Kind() == '0' {
		if f, err := strconv.ParseFloat(string(v), 64); err == nil && lo <= f && f <= hi {
			return float32(f), nil
		}
	}
	return 0, invalid(param, "%s must be a number from %g to %g.", param, lo, hi)
}

func asBool(v jsontext.Value, param string) (bool, *apiError) {
	switch v.Kind() {
	case 't':
		return true, nil
	case 'f':
		return false, nil
	}
	return false, invalid(param, "%s must be true or false.", param)
}

func asString(v jsontext.Value, param string) (string, *apiError) {
	if v.Kind() != '"' {
		return "", invalid(param, "%s must be a string.", param)
	}
	s, err := jsontext.AppendUnquote(nil, v)
	if err != nil {
		return "", invalid(param, "%s is not a valid string: %s.", param, syntax(err))
	}
	return string(s), nil
}
