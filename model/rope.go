package model

import (
	"math"

	"github.com/weft-llm/weft/model/weights"
)

// ropeTable returns cos and sin of every position, [positions,Dim] f32 as backend.Rope wants them. Frequencies and
// angles are rounded to f32 where transformers rounds them (modeling_rope_utils.py), since an angle of thousands of
// radians shows every bit of its frequency.
func ropeTable(r weights.Rope, positions int) []float32 {
	freq := frequencies(r, positions)
	half := len(freq)
	scale := float32(r.Attention)
	table := make([]float32, positions*r.Dim)
	for p := range positions {
		row := table[p*r.Dim : (p+1)*r.Dim]
		for i, f := range freq {
			sin, cos := math.Sincos(float64(float32(p) * f))
			row[i], row[half+i] = float32(cos)*scale, float32(sin)*scale
		}
	}
	return table
}

// frequencies returns the Dim/2 angles per position.
func frequencies(r weights.Rope, positions int) []float32 {
	freq := make([]float32, r.Dim/2)
	for i := range freq {
		freq[i] = 1 / power(r.Base, 2*i, r.Dim)
	}
	switch r.Kind {
	case "linear":
		for i := range freq {
			freq[i] /= float32(r.Factor)
		}
	case "llama3":
		llama3(r, freq)
	case "yarn":
		yarn(r, freq)
	case "longrope":
		// Keys stay in the cache as they were rotated, so the list is chosen once: by the longest context that is
		// served, not by each request's length.
		list := r.Short
		if positions > r.OrigMax {
			list = r.Long
		}
		for i := range freq {
			freq[i] = 1 / (float32(list[i]) * power(r.Base, 2*i, r.Dim))
		}
	}
	for i, f := range r.Frequencies {
		freq[i] /= f
	}
	return freq
}

// power is base^(i/dim) in f32.
func power(base float64, i, dim int) float32 {
	return float32(math.Pow(base, float64(float32(i)/float32(dim))))
}

// llama3 slows long wavelengths down by the factor, keeps short ones and blends between (Llama 3.1).
func llama3(r weights.Rope, freq []float32) {
	orig, low, high, factor := float32(r.OrigMax), float32(r.LowFreq), float32(r.HighFreq), float32(r.Factor)
	for i, f := range freq {
		length := float32(2*math.Pi) / f
		switch {
		case length > orig/low:
			freq[i] = f / factor
		case length >= orig/high:
			smooth := (orig/length - low) / (high - low)
			freq[i] = (1-smooth)*f/factor + smooth*f
		}
	}
}

// yarn interpolates dimensions that turn rarely and keeps those that turn often (Peng et al. 2023, arXiv:2309.00071).
func yarn(r weights.Rope, freq []float32) {
	turns := func(n float64) float64 { // the dimension that turns n times in the original context
		return float64(r.Dim) * math.Log(float64(r.OrigMax)/(n*2*math.Pi)) / (2 * math.Log(r.Base))
	}
	low, high := turns(r.BetaFast), turns(r.BetaSlow)
	if !r.NoTruncate {
		low, high = math.Floor(low), math.Ceil(high)
	}
	low, high = max(low, 0), min(high, float64(r.Dim-1))
	if low == high {
		high += 0.001
	}
	for i := range freq {
		p := power(r.Base, 2*i, r.Dim)
		ramp := min(max((float32(i)-float32(low))/float32(high-low), 0), 1)
		keep := 1 - ramp
		freq[i] = 1/(float32(r.Factor)*p)*(1-keep) + 1/p*keep
	}
}
