package tokenizer

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Patterns of well-known tokenizer.json files, by the model that made them known.
const (
	contractions   = `(?i:'s|'t|'re|'ve|'m|'ll|'d)`
	spaceTail      = `|\s*[\r\n]+|\s+(?!\S)|\s+`
	llama3Pattern  = contractions + `|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*` + spaceTail
	qwen2Pattern   = contractions + `|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*` + spaceTail
	qwen35Pattern  = contractions + `|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*` + spaceTail
	seedPattern    = contractions + `|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+` + spaceTail
	upper          = `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
	small          = `[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
	o200kPattern   = `[^\r\n\p{L}\p{N}]?` + upper + `*` + small + `+` + contractions + `?|[^\r\n\p{L}\p{N}]?` + upper + `+` + small + `*` + contractions + `?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*` + spaceTail
	tekkenPattern  = `[^\r\n\p{L}\p{N}]?` + upper + `*` + small + `+|[^\r\n\p{L}\p{N}]?` + upper + `+` + small + `*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*` + spaceTail
	hanPattern     = `[一-龥぀-ゟ゠-ヿ]+`
	deepseek3Words = `[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_` + "`" + `{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*` + spaceTail
	bloomPattern   = ` ?[^(\s|[.,!?…。，、।۔،])]+`
	bailingPattern = `'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+`
	kimiUpper      = `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]`
	kimiSmall      = `[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]`
	kimiPattern    = `[\p{Han}]+|[^\r\n\p{L}\p{N}]?` + kimiUpper + `*` + kimiSmall + `+` + contractions + `?|[^\r\n\p{L}\p{N}]?` + kimiUpper + `+` + kimiSmall + `*` + contractions + `?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*` + spaceTail
	// deepseekLatin lists letters that have a case.
	deepseekLatin = "\\s?[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373" +
		"\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f" +
		"\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-" +
		"\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-" +
		"\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-" +
		"\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-" +
		"\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-" +
		"\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a" +
		"\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2" +
		"\U000118a0-\U000118df\U0001e900-\U0001e943]+"
)

// pipeline is what a tokenizer.ggml.pre name stands for: the pipeline of the tokenizer.json that the model came with.
type pipeline struct {
	nfc          bool
	ignoreMerges bool
	addBOS       bool     // unless tokenizer.ggml.add_bos_token says otherwise
	steps        []string // patterns to split with, or digitsStep, punctuationStep
	words        bool     // and at the end GPT-2's own pattern
}

const (
	digitsStep      = "digits"
	digitRunsStep   = "digit runs"
	punctuationStep = "punctuation"
)

// pipelines lists the names of llama.cpp's converter. Names that share a pipeline stand on one line.
func pipelines() map[string]pipeline {
	table := map[string]pipeline{}
	set := func(names string, p pipeline) {
		for _, name := range strings.Fields(names) {
			table[name] = p
		}
	}
	set("gpt-2 gpt2 default phi-2 mpt olmo jais jina-v1-en jina-v2-code jina-v2-es jina-v2-de jina-es jina-de roberta-bpe gigachat a.x-4.0 mellum modern-bert exaone4 trillion granite-docling", pipeline{words: true})
	set("starcoder refact smollm codeshell exaone minerva-7b mellum2", pipeline{steps: []string{digitsStep}, words: true})
	set("command-r", pipeline{nfc: true, steps: []string{digitsStep}, words: true})
	set("falcon", pipeline{steps: []string{punctuationStep}, words: true})
	set("llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano", pipeline{ignoreMerges: true, addBOS: true, steps: []string{llama3Pattern}})
	set("dbrx smaug-bpe glm4 chatglm-bpe", pipeline{steps: []string{llama3Pattern}})
	set("qwen2 deepseek-r1-qwen kormo f2llmv2 megrez stablelm2", pipeline{nfc: true, steps: []string{qwen2Pattern}})
	set("hunyuan solar-open grok-2", pipeline{steps: []string{qwen2Pattern}})
	set("qwen35", pipeline{nfc: true, steps: []string{qwen35Pattern}})
	set("gpt-4o llama4 kanana2 minimax-m2", pipeline{steps: []string{o200kPattern}})
	set("tekken", pipeline{ignoreMerges: true, addBOS: true, steps: []string{tekkenPattern}})
	set("deepseek-v3 hunyuan-dense joyai-llm", pipeline{steps: []string{`\p{N}{1,3}`, hanPattern, deepseek3Words}})
	set("deepseek-llm", pipeline{steps: []string{`[\r\n]`, deepseekLatin, `\s?[!-/:-~！-／：-～‘-‟　-。]+`, `\s+$`, `[一-龥ࠀ-一가-퟿]+`, digitRunsStep}})
	set("deepseek-coder", pipeline{steps: []string{`[\r\n]`, `\s?\p{L}+`, `\s?\p{P}+`, `[一-龥ࠀ-一가-퟿]+`, digitsStep}})
	set("kimi-k2", pipeline{steps: []string{kimiPattern}})
	set("poro-chat bloom gpt3-finnish", pipeline{steps: []string{bloomPattern}})
	set("viking", pipeline{steps: []string{bloomPattern, digitsStep}})
	set("seed-coder", pipeline{steps: []string{seedPattern}})
	set("bailingmoe bailingmoe2 llada-moe", pipeline{steps: []string{bailingPattern}})
	return table
}

// findPipeline looks a name up.
func findPipeline(name string) (pipeline, error) {
	table := pipelines()
	if name == "" {
		name = "default"
	}
	if p, ok := table[name]; ok {
		return p, nil
	}
	known := slices.Sorted(maps.Keys(table))
	return pipeline{}, fmt.Errorf("tokenizer.ggml.pre is %q, known are %s", name, strings.Join(known, ", "))
}

// node writes the pre-tokenizer as tokenizer.json would.
func (p pipeline) node() node {
	var list []any
	for _, step := range p.steps {
		switch step {
		case digitsStep:
			list = append(list, node{"type": "Digits", "individual_digits": true})
		case digitRunsStep:
			list = append(list, node{"type": "Digits", "individual_digits": false})
		case punctuationStep:
			list = append(list, node{"type": "Punctuation", "behavior": "Contiguous"})
		default:
			list = append(list, node{"type": "Split", "behavior": "Isolated", "pattern": node{"Regex": step}})
		}
	}
	if len(p.steps) == 1 && p.steps[0] == punctuationStep { // Falcon: groups of three digits, after the words
		list = append(list, node{"type": "ByteLevel", "add_prefix_space": false, "use_regex": true})
		list = append(list, node{"type": "Digits", "individual_digits": false})
		list = append(list, node{"type": "Split", "behavior": "Isolated", "pattern": node{"Regex": "[0-9][0-9][0-9]"}})
		return node{"type": "Sequence", "pretokenizers": list}
	}
	list = append(list, node{"type": "ByteLevel", "add_prefix_space": false, "use_regex": p.words})
	return node{"type": "Sequence", "pretokenizers": list}
}
