package server

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/valyala/fasthttp"
)

// tokenizeFields are those of POST /tokenize: a prompt or messages, as vLLM has it.
func tokenizeFields() fields {
	return fields{
		"model":    readModel,
		"messages": readMessages,
		"prompt": func(r *request, v jsontext.Value, param string) *apiError {
			text, bad := asString(v, param)
			r.prompts = []prompt{{text: text}}
			return bad
		},
		"add_special_tokens":    boolField(func(r *request, b bool) { r.noSpecial = !b }),
		"add_generation_prompt": boolField(func(r *request, b bool) { r.noPrompt = !b }),
		"chat_template_kwargs":  readKwargs,
	}
}

// detokenizeFields are those of POST /detokenize.
func detokenizeFields() fields {
	return fields{
		"model": readModel,
		"tokens": func(r *request, v jsontext.Value, param string) *apiError {
			ids, bad := r.tokenIDs(v, param)
			r.prompts = []prompt{{ids: ids}}
			return bad
		},
	}
}

// tokenize serves POST /tokenize: the ids of a text or of a rendered conversation.
func (s *Server) tokenize(ctx *fasthttp.RequestCtx) {
	r := s.newRequest(false)
	bad := r.read(ctx.PostBody(), s.tokenizeFields)
	if bad == nil {
		bad = s.checkModel(r.model)
	}
	if bad == nil && (r.messages == nil) == (r.prompts == nil) {
		bad = invalid("prompt", "Give either prompt or messages.")
	}
	var ids []int32
	switch {
	case bad != nil:
	case r.messages != nil:
		ids, bad = s.chatIDs(r)
	default:
		ids, bad = s.encode(r, r.prompts[0].text)
	}
	if bad != nil {
		writeError(ctx, bad)
		return
	}
	b := strconv.AppendInt([]byte(`{"count":`), int64(len(ids)), 10)
	b = strconv.AppendInt(append(b, `,"max_model_len":`...), int64(s.model.MaxContext), 10)
	b = append(b, `,"tokens":[`...)
	for i, id := range ids {
		b = strconv.AppendInt(comma(b, i), int64(id), 10)
	}
	ctx.SetContentType("application/json")
	ctx.SetBody(append(b, `],"token_strs":null}`...))
}

// detokenize serves POST /detokenize: the text of ids, special tokens included.
func (s *Server) detokenize(ctx *fasthttp.RequestCtx) {
	r := s.newRequest(false)
	bad := r.read(ctx.PostBody(), s.detokenizeFields)
	if bad == nil {
		bad = s.checkModel(r.model)
	}
	if bad == nil && r.prompts == nil {
		bad = invalid("tokens", "tokens is missing.")
	}
	if bad != nil {
		writeError(ctx, bad)
		return
	}
	b := appendString([]byte(`{"prompt":`), s.tokenizer.Decode(r.prompts[0].ids, true))
	ctx.SetContentType("application/json")
	ctx.SetBody(append(b, '}'))
}
