package server

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// readMessages checks the conversation and rewrites it as templates expect it: every content is one string. Parts of
// type text are joined by a newline, as other servers do, and the role developer becomes system, for which templates
// have words. Tool calls and their results come with tools.
func readMessages(r *request, v jsontext.Value, param string) *apiError {
	out := []byte{'['}
	bad := eachItem(v, param, func(i int, v jsontext.Value) (bad *apiError) {
		if i > 0 {
			out = append(out, ',')
		}
		out, bad = appendMessage(out, v, fmt.Sprintf("%s[%d]", param, i))
		return bad
	})
	if bad != nil {
		return bad
	}
	if len(out) == 1 {
		return invalid(param, "messages must hold at least one message.")
	}
	r.messages = append(out, ']')
	return nil
}

// roles are what a message's role may be, and what the template is told.
var roles = map[string]string{"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}

func appendMessage(out []byte, v jsontext.Value, param string) ([]byte, *apiError) {
	var role, content, name string
	var hasContent, hasName bool
	bad := eachField(v, param, func(key string, v jsontext.Value) (bad *apiError) {
		field := param + "." + key
		switch key {
		case "role":
			role, bad = asString(v, field)
			return bad
		case "content":
			if isNull(v) {
				return nil
			}
			hasContent = true
			content, bad = readContent(v, field)
			return bad
		case "name":
			if isNull(v) {
				return nil
			}
			hasName = true
			name, bad = asString(v, field)
			return bad
		case "tool_calls", "tool_call_id", "function_call", "refusal", "audio", "annotations":
			if isNull(v) || string(v) == "[]" { // what the official clients send back with an answer that had none
				return nil
			}
			return unsupported(field, "only text goes into a conversation")
		}
		return unknownField(field)
	})
	known, ok := roles[role]
	switch {
	case bad != nil:
		return out, bad
	case role == "":
		return out, invalid(param+".role", "%s.role is missing.", param)
	case role == "tool", role == "function":
		return out, unsupported(param+".role", "tool calls are not built yet")
	case !ok:
		return out, invalid(param+".role", "%s.role is %s: it must be system, developer, user or assistant.", param, quote(role))
	case !hasContent:
		return out, invalid(param+".content", "%s.content is missing.", param)
	}
	out = appendString(append(out, `{"role":`...), known)
	out = appendString(append(out, `,"content":`...), content)
	if hasName {
		out = appendString(append(out, `,"name":`...), name)
	}
	return append(out, '}'), nil
}

// readContent takes a string or an array of parts.
func readContent(v jsontext.Value, param string) (string, *apiError) {
	if v.Kind() == '"' {
		return asString(v, param)
	}
	if v.Kind() != '[' {
		return "", invalid(param, "%s must be a string or an array of parts.", param)
	}
	var text []byte
	bad := eachItem(v, param, func(i int, v jsontext.Value) *apiError {
		if i > 0 {
			text = append(text, '\n')
		}
		part, bad := readPart(v, fmt.Sprintf("%s[%d]", param, i))
		text = append(text, part...)
		return bad
	})
	return string(text), bad
}

func readPart(v jsontext.Value, param string) (text string, bad *apiError) {
	kind, other, has := "", "", false
	bad = eachField(v, param, func(key string, v jsontext.Value) (bad *apiError) {
		switch key {
		case "type":
			kind, bad = asString(v, param+".type")
		case "text":
			has = true
			text, bad = asString(v, param+".text")
		default:
			other = key // told below, once the type is known: an image is named as one
		}
		return bad
	})
	switch {
	case bad != nil:
		return "", bad
	case kind == "":
		return "", invalid(param+".type", "%s.type is missing.", param)
	case kind != "text":
		return "", unsupported(param+".type", "the model reads text, not "+quote(kind))
	case other != "":
		return "", unknownField(param + "." + other)
	case !has:
		return "", invalid(param+".text", "%s.text is missing.", param)
	}
	return text, nil
}
