package server

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/valyala/fasthttp"

	"github.com/weft-llm/weft/engine"
)

// fields is the table of what a body may hold. A name that is not in it is a 400, and so is one whose entry says that
// this server does not do it: no parameter is ignored in silence. The few that have no effect are those by harmless.
type fields map[string]func(r *request, v jsontext.Value, param string) *apiError

// commonFields are the fields of both endpoints.
func commonFields() fields {
	return fields{
		"model":                      readModel,
		"max_tokens":                 intField(1, maxTokensCap, func(r *request, n int) { r.maxTokens = n }),
		"n":                          intField(1, maxN, func(r *request, n int) { r.n = n }),
		"temperature":                floatField(0, 2, func(r *request, f float32) { r.sampling.Temperature = f }),
		"top_p":                      readTopP,
		"top_k":                      intField(-1, 1<<31-1, func(r *request, n int) { r.sampling.TopK = max(0, n) }), // -1: all
		"min_p":                      floatField(0, 1, func(r *request, f float32) { r.sampling.MinP = f }),
		"repetition_penalty":         readRepetition,
		"presence_penalty":           floatField(-2, 2, func(r *request, f float32) { r.sampling.Presence = f }),
		"frequency_penalty":          floatField(-2, 2, func(r *request, f float32) { r.sampling.Frequency = f }),
		"logit_bias":                 readBias,
		"seed":                       readSeed,
		"stop":                       readStop,
		"stop_token_ids":             readStopIDs,
		"ignore_eos":                 boolField(func(r *request, b bool) { r.ignoreEOS = b }),
		"skip_special_tokens":        boolField(func(r *request, b bool) { r.keepSpecial = !b }),
		"cache_salt":                 readSalt,
		"stream":                     boolField(func(r *request, b bool) { r.stream = b }),
		"stream_options":             readStreamOptions,
		"user":                       readUser,
		"safety_identifier":          harmless('"'),                        // the same
		"prompt_cache_key":           harmless('"'),                        // a routing hint; there is one server
		"service_tier":               harmlessValue(`"auto"`, `"default"`), // there is one tier
		"min_tokens":                 harmlessValue("0"),                   // no minimum is what happens
		"priority":                   harmlessValue("0"),                   // nobody goes first
		"use_beam_search":            harmlessValue("false"),               //
		"length_penalty":             harmlessValue("1", "1.0"),            // beam search only
		"include_stop_str_in_output": boolField(func(r *request, b bool) { r.keepStop = b }),

		"bad_words":              notSupported("no words are banned here; use logit_bias"),
		"allowed_token_ids":      notSupported("use logit_bias"),
		"truncate_prompt_tokens": notSupported("prompts are never cut"),
		"prompt_logprobs":        notSupported("log-probabilities of the prompt are not computed"),
		"guided_json":            notSupported("structured output is not built yet"),
		"guided_regex":           notSupported("structured output is not built yet"),
		"guided_choice":          notSupported("structured output is not built yet"),
		"guided_grammar":         notSupported("structured output is not built yet"),
		"structured_outputs":     notSupported("structured output is not built yet"),
		"response_format":        readResponseFormat,
		"logits_processors":      notSupported("requests carry no code"),
		"return_token_ids":       harmlessValue("false"),
	}
}

// chatFields are those of POST /v1/chat/completions.
func chatFields() fields {
	t := commonFields()
	t["messages"] = readMessages
	t["max_completion_tokens"] = intField(1, maxTokensCap, func(r *request, n int) { r.maxCompletion = n })
	t["logprobs"] = boolField(func(r *request, b bool) {
		if b {
			r.logprobs = 0
		}
	})
	t["top_logprobs"] = intField(0, maxLogprobs, func(r *request, n int) { r.topLogprobs = n })
	t["add_generation_prompt"] = boolField(func(r *request, b bool) { r.noPrompt = !b })
	t["chat_template_kwargs"] = readKwargs
	t["metadata"] = harmless('{')       // labels for the operator
	t["store"] = harmlessValue("false") // nothing is stored
	t["modalities"] = readModalities    // text is all there is
	t["tool_choice"] = harmlessValue(`"none"`)
	t["continue_final_message"] = harmlessValue("false")
	t["echo"] = harmlessValue("false")
	for _, name := range []string{"tools", "functions", "function_call", "parallel_tool_calls"} {
		t[name] = notSupported("tool calls are not built yet")
	}
	for _, name := range []string{"audio", "prediction", "web_search_options", "reasoning_effort", "verbosity", "documents"} {
		t[name] = notSupported("text in, text out is all there is")
	}
	t["chat_template"] = notSupported("the template is the model's own")
	return t
}

// completionFields are those of POST /v1/completions.
func completionFields() fields {
	t := commonFields()
	t["prompt"] = readPrompt
	t["logprobs"] = intField(0, maxLogprobs, func(r *request, n int) { r.logprobs = n })
	t["echo"] = boolField(func(r *request, b bool) { r.echo = b })
	t["best_of"] = intField(1, maxN, func(r *request, n int) { r.bestOf = n })
	t["add_special_tokens"] = boolField(func(r *request, b bool) { r.noSpecial = !b })
	t["suffix"] = notSupported("text is only continued at its end")
	return t
}

// The makers of table entries.

func intField(lo, hi int64, set func(*request, int)) func(*request, jsontext.Value, string) *apiError {
	return func(r *request, v jsontext.Value, param string) *apiError {
		n, bad := asInt(v, param, lo, hi)
		if bad == nil {
			set(r, int(n))
		}
		return bad
	}
}

func floatField(lo, hi float64, set func(*request, float32)) func(*request, jsontext.Value, string) *apiError {
	return func(r *request, v jsontext.Value, param string) *apiError {
		f, bad := asFloat(v, param, lo, hi)
		if bad == nil {
			set(r, f)
		}
		return bad
	}
}

func boolField(set func(*request, bool)) func(*request, jsontext.Value, string) *apiError {
	return func(r *request, v jsontext.Value, param string) *apiError {
		b, bad := asBool(v, param)
		if bad == nil {
			set(r, b)
		}
		return bad
	}
}

// harmless accepts any value of one kind. The field has no effect, and none that a client could miss.
func harmless(kind jsontext.Kind) func(*request, jsontext.Value, string) *apiError {
	return func(_ *request, v jsontext.Value, param string) *apiError {
		if v.Kind() != kind {
			return invalid(param, "%s must be a %s.", param, map[jsontext.Kind]string{'"': "string", '{': "JSON object"}[kind])
		}
		return nil
	}
}

// harmlessValue accepts the values that ask for what happens anyway, and refuses the others.
func harmlessValue(accepted ...string) func(*request, jsontext.Value, string) *apiError {
	return func(_ *request, v jsontext.Value, param string) *apiError {
		for _, a := range accepted {
			if string(v) == a {
				return nil
			}
		}
		return unsupported(param, "only "+accepted[0]+" is")
	}
}

func notSupported(why string) func(*request, jsontext.Value, string) *apiError {
	return func(_ *request, _ jsontext.Value, param string) *apiError { return unsupported(param, why) }
}

// The fields that need more than a range.

func readModel(r *request, v jsontext.Value, param string) (bad *apiError) {
	r.model, bad = asString(v, param)
	return bad
}

func readTopP(r *request, v jsontext.Value, param string) *apiError {
	f, bad := asFloat(v, param, 0, 1)
	if bad == nil && f == 0 {
		bad = invalid(param, "top_p must be above 0 and at most 1. For the most likely token set temperature to 0.")
	}
	r.sampling.TopP = f
	return bad
}

func readRepetition(r *request, v jsontext.Value, param string) *apiError {
	f, bad := asFloat(v, param, 0, 100)
	if bad == nil && f == 0 {
		bad = invalid(param, "repetition_penalty must be above 0; 1 is none.")
	}
	r.sampling.Repetition = f
	return bad
}

// readSeed takes any 64-bit integer; a negative one is read as its two's complement.
func readSeed(r *request, v jsontext.Value, param string) *apiError {
	n, bad := asInt(v, param, -1<<63, 1<<63-1)
	r.sampling.Seed, r.seeded = uint64(n), true
	return bad
}

func readSalt(r *request, v jsontext.Value, param string) (bad *apiError) {
	r.salt, bad = asString(v, param)
	if bad == nil && (r.salt == "" || len(r.salt) > maxSaltBytes) {
		return invalid(param, "cache_salt must have 1 to %d bytes.", maxSaltBytes)
	}
	return bad
}

// readUser reads who asks: what a server with the fair-share policy counts by.
func readUser(r *request, v jsontext.Value, param string) (bad *apiError) {
	r.user, bad = asString(v, param)
	if bad == nil && len(r.user) > maxUserBytes {
		return invalid(param, "%s must have %d bytes or less.", param, maxUserBytes)
	}
	return bad
}

// readBias reads {"id": bias}: the ids are names, so they come as strings.
func readBias(r *request, v jsontext.Value, param string) *apiError {
	return eachField(v, param, func(name string, v jsontext.Value) *apiError {
		id, err := strconv.ParseUint(name, 10, 31)
		if err != nil || int(id) >= r.vocabulary {
			return invalid(param, "logit_bias has the token id %s: ids go from 0 to %d.", quote(name), r.vocabulary-1)
		}
		f, bad := asFloat(v, param, -100, 100)
		if bad != nil {
			return bad
		}
		if len(r.sampling.Bias) == engine.MaxBias {
			return invalid(param, "logit_bias has more than %d entries.", engine.MaxBias)
		}
		r.sampling.Bias = append(r.sampling.Bias, engine.Bias{ID: int32(id), Value: f})
		return nil
	})
}

// readStop takes a string or an array of strings.
func readStop(r *request, v jsontext.Value, param string) *apiError {
	one := func(v jsontext.Value) *apiError {
		s, bad := asString(v, param)
		switch {
		case bad != nil:
			return bad
		case s == "":
			return invalid(param, "stop must not hold an empty string.")
		case len(s) > maxStopBytes:
			return invalid(param, "stop has a string of %d bytes, limit %d.", len(s), maxStopBytes)
		case len(r.stop) == maxStops:
			return invalid(param, "stop has more than %d strings.", maxStops)
		}
		r.stop = append(r.stop, s)
		return nil
	}
	if v.Kind() != '[' {
		return one(v)
	}
	return eachItem(v, param, func(_ int, v jsontext.Value) *apiError { return one(v) })
}

func readStopIDs(r *request, v jsontext.Value, param string) *apiError {
	ids, bad := r.tokenIDs(v, param)
	if bad == nil && len(ids) > maxStops {
		return invalid(param, "stop_token_ids has %d ids, limit %d.", len(ids), maxStops)
	}
	r.stopIDs = ids
	return bad
}

// tokenIDs reads an array of token ids, each in the vocabulary. The result is not nil.
func (r *request) tokenIDs(v jsontext.Value, param string) ([]int32, *apiError) {
	ids := []int32{}
	bad := eachItem(v, param, func(i int, v jsontext.Value) *apiError {
		id, bad := asInt(v, "", 0, int64(r.vocabulary-1))
		if bad != nil {
			param := fmt.Sprintf("%s[%d]", param, i)
			return invalid(param, "%s must be a token id: an integer from 0 to %d.", param, r.vocabulary-1)
		}
		ids = append(ids, int32(id))
		return nil
	})
	return ids, bad
}

func readStreamOptions(r *request, v jsontext.Value, param string) *apiError {
	r.streamOptions = true
	return eachField(v, param, func(name string, v jsontext.Value) *apiError {
		name = param + "." + name
		switch {
		case name != "stream_options.include_usage" && name != "stream_options.include_obfuscation":
			return unknownField(name)
		case isNull(v):
			return nil
		}
		on, bad := asBool(v, name)
		switch {
		case bad != nil:
			return bad
		case name == "stream_options.include_usage":
			r.usage = on
		case on:
			return unsupported(name, "frames are not padded")
		}
		return nil
	})
}

func readResponseFormat(_ *request, v jsontext.Value, param string) *apiError {
	return eachField(v, param, func(name string, v jsontext.Value) *apiError {
		switch {
		case name != "type":
			return unsupported(param+"."+name, "only the type text is")
		case string(v) != `"text"`:
			return unsupported(param+".type", "only text is")
		}
		return nil
	})
}

func readModalities(_ *request, v jsontext.Value, param string) *apiError {
	return eachItem(v, param, func(_ int, v jsontext.Value) *apiError {
		if string(v) != `"text"` {
			return unsupported(param, "only text is")
		}
		return nil
	})
}

// reservedKwargs are names of the template's own variables: a request may not set them through chat_template_kwargs.
var reservedKwargs = []string{
	"messages", "tools", "documents", "add_generation_prompt", "continue_final_message", "chat_template", "tokenize",
	"bos_token", "eos_token", "strftime_now", "raise_exception",
}

func readKwargs(r *request, v jsontext.Value, param string) *apiError {
	if len(v) > 64<<10 {
		return refused(fasthttp.StatusBadRequest, "invalid_value", "chat_template_kwargs has %d bytes, limit %d.", len(v), 64<<10)
	}
	r.kwargs = append([]byte(nil), v...)
	return eachField(v, param, func(name string, _ jsontext.Value) *apiError {
		for _, taken := range reservedKwargs {
			if name == taken {
				return invalid(param, "chat_template_kwargs must not set %s.", name)
			}
		}
		return nil
	})
}
