package server

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/valyala/fasthttp"
)

// readPrompt takes a string, an array of strings, an array of token ids or an array of such arrays.
func readPrompt(r *request, v jsontext.Value, param string) *apiError {
	if v.Kind() == '"' {
		text, bad := asString(v, param)
		r.prompts = []prompt{{text: text}}
		return bad
	}
	if v.Kind() != '[' {
		return invalid(param, "prompt must be a string, an array of strings, an array of token ids or an array of those.")
	}
	if firstKind(v) == '0' {
		ids, bad := r.tokenIDs(v, param)
		r.prompts = []prompt{{ids: ids}}
		return bad
	}
	bad := eachItem(v, param, func(i int, v jsontext.Value) (bad *apiError) {
		var p prompt
		if name := fmt.Sprintf("%s[%d]", param, i); v.Kind() == '"' {
			p.text, bad = asString(v, name)
		} else {
			p.ids, bad = r.tokenIDs(v, name)
		}
		if bad == nil && len(r.prompts) == maxChoices {
			return invalid(param, "prompt has more than %d entries.", maxChoices)
		}
		r.prompts = append(r.prompts, p)
		return bad
	})
	if bad == nil && len(r.prompts) == 0 {
		return invalid(param, "prompt must not be empty.")
	}
	return bad
}

// firstKind is the kind of the first element of the array v.
func firstKind(v jsontext.Value) jsontext.Kind {
	d := jsontext.NewDecoder(bytes.NewBuffer(v))
	_, _ = d.ReadToken() // the opening bracket: v was parsed before
	return d.PeekKind()
}

// promptIDs turns a prompt into token ids; none is a 400.
func (s *Server) promptIDs(r *request, p prompt) ([]int32, *apiError) {
	ids := p.ids
	if ids == nil {
		var bad *apiError
		if ids, bad = s.encode(r, p.text); bad != nil {
			return nil, bad
		}
	}
	if len(ids) == 0 {
		return nil, invalid("prompt", "The prompt has no tokens.")
	}
	return ids, nil
}

func (s *Server) encode(r *request, text string) ([]int32, *apiError) {
	ids, err := s.tokenizer.Encode(text, true, !r.noSpecial)
	if err != nil {
		return nil, invalid("prompt", "The prompt cannot be turned into tokens.")
	}
	return ids, nil
}

// chatIDs renders a conversation and turns it into token ids.
func (s *Server) chatIDs(r *request) ([]int32, *apiError) {
	if s.template == nil {
		return nil, refused(fasthttp.StatusBadRequest, "no_chat_template", "The model has no chat template. Use /v1/completions.")
	}
	text, err := s.template.Render(r.messages, r.kwargs, !r.noPrompt)
	if err != nil {
		return nil, invalid("messages", "The model's chat template refused the conversation: %s.", cut(err.Error(), maxCauseBytes))
	}
	ids, err := s.tokenizer.Encode(text, true, false) // the template writes BOS where the model wants it
	if err != nil || len(ids) == 0 {
		return nil, invalid("messages", "The conversation cannot be turned into tokens.")
	}
	return ids, nil
}
