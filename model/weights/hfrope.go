package weights

import (
	"math"
	"slices"
)

// ropes reads rope_theta with rope_scaling, or rope_parameters as transformers 5 writes them, and gives each layer its
// rotary embedding. Gemma-3 has two: sliding layers rotate with a base of their own.
func (c *Config) ropes(s *settings) {
	base := s.positive("rope_theta", 10000)
	full := s.object("rope_parameters")
	if c.Arch == "Gemma3ForCausalLM" || c.Arch == "Gemma3ForConditionalGeneration" {
		local := s.positive("rope_local_base_freq", 10000)
		var sliding *settings
		if full != nil && (full.has("full_attention") || full.has("sliding_attention")) {
			full, sliding = full.object("full_attention"), full.object("sliding_attention")
		}
		c.assign(c.rope(s, scaling(s, full), base), c.rope(s, sliding, local))
		return
	}
	r := c.rope(s, scaling(s, full), base)
	c.stretch(r)
	c.assign(r, r)
	if c.Arch == "SmolLM3ForCausalLM" {
		rotates := s.rotates(c)
		for i := range c.Layer {
			if !rotates(i) {
				c.Layer[i].Rope = -1
			}
		}
	}
}

// scaling is rope_parameters, or rope_scaling as transformers 4 calls it.
func scaling(s, parameters *settings) *settings {
	if parameters != nil {
		return parameters
	}
	return s.object("rope_scaling")
}

// assign gives layers that see all, and those that see a window, their rotary embedding.
func (c *Config) assign(full, sliding Rope) {
	for i := range c.Layer {
		r := full
		if c.Layer[i].Window > 0 {
			r = sliding
		}
		c.Layer[i].Rope = c.ropeIndex(r)
	}
}

// turning returns how many dimensions of a head rotate. o, of rope_parameters, may be nil.
func (c *Config) turning(s, o *settings) int {
	share := s.number("partial_rotary_factor", 1)
	if o != nil {
		share = o.number("partial_rotary_factor", share)
	}
	d := int(float64(c.HeadDim) * share)
	if d < 2 || d > c.HeadDim || d%2 != 0 {
		s.fail("partial_rotary_factor", "%d of %d dimensions of a head would rotate", d, c.HeadDim)
		return 2
	}
	return d
}

func (c *Config) ropeIndex(r Rope) int {
	if i := slices.IndexFunc(c.Ropes, r.equal); i >= 0 {
		return i
	}
	c.Ropes = append(c.Ropes, r)
	return len(c.Ropes) - 1
}

func (r Rope) equal(o Rope) bool {
	same := slices.Equal(r.Short, o.Short) && slices.Equal(r.Long, o.Long) && slices.Equal(r.Frequencies, o.Frequencies)
	return same && r.Base == o.Base && r.Dim == o.Dim && r.Kind == o.Kind && r.Factor == o.Factor && r.OrigMax == o.OrigMax &&
		r.LowFreq == o.LowFreq && r.HighFreq == o.HighFreq && r.BetaFast == o.BetaFast && r.BetaSlow == o.BetaSlow &&
		r.NoTruncate == o.NoTruncate && r.Attention == o.Attention
}

// stretch raises MaxPositions by the scalings whose factor is not in max_position_embeddings already.
func (c *Config) stretch(r Rope) {
	n := 0.0
	switch r.Kind {
	case "linear":
		n = float64(c.MaxPositions) * r.Factor
	case "yarn":
		n = float64(r.OrigMax) * r.Factor
	}
	c.MaxPositions = max(c.MaxPositions, int(min(n, maxPositions)))
}

// rope reads one scaling. o may be nil: no scaling.
func (c *Config) rope(s, o *settings, base float64) Rope {
	r := Rope{Base: base, Dim: c.turning(s, o), Kind: "default", Attention: 1}
	if o == nil {
		return r
	}
	r.Base = o.positive("rope_theta", base)
	r.Kind = o.text("rope_type", o.text("type", "default"))
	orig := int(s.number("original_max_position_embeddings", float64(c.MaxPositions)))
	switch r.Kind {
	case "default":
	case "linear":
		r.Factor = o.positive("factor", 0)
	case "llama3":
		r.Factor = o.positive("factor", 0)
		r.LowFreq, r.HighFreq = o.positive("low_freq_factor", 0), o.positive("high_freq_factor", 0)
		r.OrigMax = o.size("original_max_position_embeddings", orig, maxPositions)
		if r.HighFreq <= r.LowFreq {
			o.fail("high_freq_factor", "%v, want more than low_freq_factor %v", r.HighFreq, r.LowFreq)
		}
	case "yarn":
		r.yarn(o, orig)
	case "longrope", "su":
		r.Kind = "longrope"
		c.longrope(&r, s, o, orig)
	default:
		c.refuse("rope_scaling.rope_type = " + r.Kind)
	}
	c.Unsupported = append(c.Unsupported, o.unknown()...)
	return r
}

func (r *Rope) yarn(o *settings, orig int) {
	r.Factor = o.positive("factor", 0)
	r.OrigMax = o.size("original_max_position_embeddings", orig, maxPositions)
	r.BetaFast, r.BetaSlow = o.positive("beta_fast", 32), o.positive("beta_slow", 1)
	r.NoTruncate = !o.flag("truncate", true)
	m, all := o.number("mscale", 0), o.number("mscale_all_dim", 0)
	r.Attention = yarnScale(r.Factor, 1)
	if m != 0 && all != 0 {
		r.Attention = yarnScale(r.Factor, m) / yarnScale(r.Factor, all)
	}
	if o.has("attention_factor") {
		r.Attention = o.positive("attention_factor", 1)
	}
}

func yarnScale(factor, m float64) float64 {
	if factor <= 1 {
		return 1
	}
	return 0.1*m*math.Log(factor) + 1
}

// longrope (Ding et al. 2024, arXiv:2402.13753): one divisor per frequency, one list up to the original context and
// one beyond it.
func (c *Config) longrope(r *Rope, s, o *settings, orig int) {
	r.Short, r.Long = get(o, "short_factor", []float64(nil)), get(o, "long_factor", []float64(nil))
	r.OrigMax = o.size("original_max_position_embeddings", orig, maxPositions)
	for name, list := range map[string][]float64{"short_factor": r.Short, "long_factor": r.Long} {
		if len(list) != r.Dim/2 {
			o.fail(name, "%d factors, want %d", len(list), r.Dim/2)
		} else if slices.Min(list) <= 0 {
			o.fail(name, "%v, want all above 0", slices.Min(list))
		}
	}
	factor := o.number("factor", float64(c.MaxPositions)/float64(r.OrigMax))
	if s.has("original_max_position_embeddings") {
		factor = float64(c.MaxPositions) / float64(r.OrigMax)
	}
	if factor > 1 {
		r.Attention = math.Sqrt(1 + math.Log(factor)/math.Log(float64(r.OrigMax)))
	}
	if o.has("attention_factor") {
		r.Attention = o.positive("attention_factor", 1)
	}
}
