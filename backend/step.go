package backend

import "github.com/weft-llm/weft/tensor"

// Step is one step's input as the engine planned it. The engine reuses its slices: Begin copies what it needs.
//
// The first Decodes requests compute one token each; the rest compute Start[b+1]-Start[b] tokens of their prompt.
type Step struct {
	IDs   []int32 // [T] token ids; FromDevice: the id at (row, position) of the device's token pool
	Pos   []int32 // [T] position in the request, from 0
	Slots []int32 // [T] KV slot to write

	Rows    []int32 // [B] the request's row in the page table and token pool
	Start   []int32 // [B+1] request b computes tokens Start[b] to Start[b+1]
	Context []int32 // [B] tokens in the cache after this step
	Decodes int

	Cached []Cached // tokens that other requests computed and an admitted request reuses

	Last     []int32    // [S] token whose logits are sampled: the last one of its request, at most once each
	Owner    []int32    // [S] the request, an index into Rows
	Sampling []Sampling // [S]
	Bias     []Bias     // logit biases, Sampling.Bias says whose
	Masks    []uint32   // grammar masks of (V+31)/32 words each, bit set: allowed; Sampling.Mask says whose
}

// FromDevice as a token id means: the id that an earlier step sampled for this row and position.
const FromDevice int32 = -1

// Cached is one entry of the page table and the token pool that no kernel of this step computes.
type Cached struct {
	Row, Pos, Slot, ID int32
}

// Bias adds Value to the logit of ID.
type Bias struct {
	ID    int32
	Value float32
}

// MaxTopLogprobs is the most alternatives that a Result holds for a sample.
const MaxTopLogprobs = 20

// Sampling says how to pick one request's next token. The order is: bias, penalties, mask, temperature, top-k, top-p,
// min-p, then the draw. The draw is the maximum of logit/temperature + Gumbel noise, with noise from Philox 4x32-10
// (Salmon et al. 2011) keyed by Seed at counter (token id, position): the same request draws the same tokens on
// every backend, alone or in a batch.
type Sampling struct {
	Temperature float32 // 0 picks the largest logit
	TopK        int32   // 0: all
	TopP        float32 // 1: all
	MinP        float32 // 0: all
	Repetition  float32 // divides (or multiplies, if negative) logits of tokens seen in prompt or output; 1: none
	Presence    float32 // subtracted from logits of tokens seen in the output
	Frequency   float32 // times the count in the output, subtracted
	Seed        uint64
	Prompt      int32    // tokens of the prompt: positions from here on are output
	Logprobs    int32    // alternatives to report, at most MaxTopLogprobs; -1: no log-probabilities at all
	Bias        [2]int32 // range of Step.Bias
	Mask        int32    // 1 + index of the mask in Step.Masks; 0: none
}

// Result is what one step sampled. The engine reuses its slices.
type Result struct {
	IDs         []int32   // [S]; -1: the row's logits held a NaN or an infinity, and no token was drawn
	Logprobs    []float32 // [S] log-probability of IDs under the model's own distribution (before bias and penalties)
	TopIDs      []int32   // [S,MaxTopLogprobs], most likely first; meaningful as far as Sampling.Logprobs asked
	TopLogprobs []float32 // [S,MaxTopLogprobs]
}

// AttendLast writes to a what Attend reads of a step, for the tokens of s.Last alone: each is a request of its own.
func (s *Step) AttendLast(a *Step) {
	a.Pos, a.Rows, a.Context, a.Start = a.Pos[:0], a.Rows[:0], a.Context[:0], append(a.Start[:0], 0)
	for i, t := range s.Last {
		a.Pos = append(a.Pos, s.Pos[t])
		a.Rows = append(a.Rows, s.Rows[s.Owner[i]])
		a.Context = append(a.Context, s.Pos[t]+1)
		a.Start = append(a.Start, int32(i+1))
	}
}

// Batch is a step on the device. Kernels read the views; host code reads the counts.
type Batch struct {
	IDs, Pos, Slots, Rows, Start, Context, Last tensor.View // i32, as in Step
	Tokens, Requests, Decodes, Samples          int         // T, B, leading one-token requests, S
	Sampled                                     *Batch      // the tokens that Kernels.Last gathers, for Attend: each is a request of its own
	Ticket                                      uint64      // step number, counted from 1
	State                                       any         // the backend's own
}
