package weights

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// settings is one object of config.json while it is being read. Each getter marks its key as known; what is left
// over at the end is refused by name. The first bad value sticks in err.
type settings struct {
	path, under string
	raw         map[string]jsontext.Value
	defaults    map[string]any // of the architecture
	known       map[string]bool
	err         *error
}

func parseSettings(path string, b []byte) (*settings, error) {
	s := &settings{path: path, known: map[string]bool{}, err: new(error)}
	if err := json.Unmarshal(b, &s.raw); err != nil {
		return nil, &FormatError{path, -1, "JSON", err.Error()}
	}
	if s.raw == nil {
		return nil, &FormatError{path, -1, "JSON", "want an object, got null"}
	}
	return s, nil
}

func (s *settings) fail(key, why string, args ...any) {
	if *s.err == nil {
		*s.err = &FormatError{s.path, -1, s.under + key, fmt.Sprintf(why, args...)}
	}
}

// has reports whether key is set and not null, and marks it known.
func (s *settings) has(key string) bool {
	s.known[key] = true
	v, ok := s.raw[key]
	return ok && string(v) != "null"
}

// object returns the object under key, nil if there is none.
func (s *settings) object(key string) *settings {
	if !s.has(key) {
		return nil
	}
	o := &settings{path: s.path, under: s.under + key + ".", known: map[string]bool{}, err: s.err}
	if err := json.Unmarshal(s.raw[key], &o.raw); err != nil {
		s.fail(key, "want an object, got %s", short(s.raw[key]))
	}
	return o
}

// get decodes key into a T. An absent key takes the architecture's default, a null one and the rest take def.
func get[T any](s *settings, key string, def T) T {
	if !s.has(key) {
		if v, ok := s.defaults[key].(T); ok && s.raw[key] == nil {
			return v
		}
		return def
	}
	var v T
	if err := json.Unmarshal(s.raw[key], &v); err != nil {
		s.fail(key, "want %T, got %s", v, short(s.raw[key]))
		return def
	}
	return v
}

// size reads a whole number in [1,most]; def 0 makes it mandatory.
func (s *settings) size(key string, def, most int) int {
	v := s.number(key, float64(def))
	if v != math.Trunc(v) || v < 1 || v > float64(most) {
		if s.has(key) {
			s.fail(key, "%v, want a whole number from 1 to %d", v, most)
		} else {
			s.fail(key, "it is missing")
		}
		return 1
	}
	return int(v)
}

func (s *settings) number(key string, def float64) float64 { return get(s, key, def) }

// leastPositive is the smallest normal f32: neither it nor its inverse vanishes or overflows in an f32.
const leastPositive = 0x1p-126

// positive reads a number above 0 that an f32 can hold.
func (s *settings) positive(key string, def float64) float64 {
	v := s.number(key, def)
	if !(v >= leastPositive && v <= math.MaxFloat32) {
		s.fail(key, "%v, want a number above 0 that float32 can hold", v)
		return 1
	}
	return v
}

// softcap reads a bound of logits; absent, null or 0 is none.
func (s *settings) softcap(key string) float32 {
	if s.number(key, 0) == 0 {
		return 0
	}
	return float32(s.positive(key, 0))
}

func (s *settings) flag(key string, def bool) bool { return get(s, key, def) }

func (s *settings) text(key, def string) string { return get(s, key, def) }

// ids reads one token id or a list of them.
func (s *settings) ids(key string) []int32 {
	if !s.has(key) {
		return nil
	}
	var list []int32
	if json.Unmarshal(s.raw[key], &list) == nil {
		return list
	}
	return []int32{get[int32](s, key, -1)}
}

// unknown returns the settings that nothing has read and that say something: not null, false, empty or ignorable.
func (s *settings) unknown() []string {
	var out []string
	for key, v := range s.raw {
		if !s.known[key] && !ignorable[key] && !slices.Contains([]string{"null", "false", "{}", "[]", `""`}, string(v)) {
			out = append(out, fmt.Sprintf("%s%s = %s", s.under, key, short(v)))
		}
	}
	sort.Strings(out)
	return out
}

func short(v jsontext.Value) string {
	if len(v) > 60 {
		return string(v[:57]) + "..."
	}
	return string(v)
}

// ignorable are settings that do not change what a forward pass computes: bookkeeping, training, text generation
// defaults of transformers' PretrainedConfig, special token ids that the tokenizer's own files tell, and a few that
// transformers does not read either.
var ignorable = setOf(
	"_name_or_path", "_attn_implementation", "_attn_implementation_autoset", "_commit_hash", "_from_model_config",
	"transformers_version", "model_type", "architectures", "auto_map", "torchscript", "use_bfloat16", "use_cache",
	"return_dict", "output_attentions", "output_hidden_states", "return_dict_in_generate", "output_scores",
	"initializer_range", "initializer_factor", "attention_dropout", "hidden_dropout", "hidden_dropout_prob",
	"dropout", "embd_pdrop", "resid_pdrop", "attn_pdrop", "embedding_dropout", "residual_dropout", "classifier_dropout",
	"pretraining_tp", "gradient_checkpointing", "problem_type", "id2label", "label2id", "num_labels", "finetuning_task",
	"task_specific_params", "tokenizer_class", "prefix", "decoder_start_token_id", "sep_token_id", "cls_token_id",
	"mask_token_id", "unk_token_id", "bad_words_ids", "begin_suppress_tokens", "forced_bos_token_id",
	"forced_eos_token_id", "suppress_tokens", "exponential_decay_length_penalty", "chunk_size_feed_forward",
	"do_sample", "max_length", "min_length", "temperature", "top_k", "top_p", "typical_p", "num_beams",
	"num_beam_groups", "num_return_sequences", "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
	"encoder_no_repeat_ngram_size", "diversity_penalty", "early_stopping", "remove_invalid_values", "tf_legacy_loss",
	"is_decoder", "is_llama_config", "max_window_layers", "full_attn_mod", "interpolate_factor", "sliding_window_size", "unsloth_fixed", "unsloth_version", "cache_implementation",
	"transformers.js_config", "use_reentrant", "image_token_index", "image_token_id",
	"boi_token_index", "eoi_token_index", "boi_token_id", "eoi_token_id", "mm_tokens_per_image", "vision_config",
)

func setOf(keys ...string) map[string]bool {
	m := make(map[string]bool, len(keys))
	for _, k := range keys {
		m[k] = true
	}
	return m
}
