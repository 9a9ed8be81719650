package golden

import (
	"math"
	"testing"

	"github.com/weft-llm/weft/backend"
)

// maxContext covers prompt and output; the longrope models have their border here.
const maxContext = 64

// Run compares every model with its reference on the backends that open gives, one for each case: logits differ by at
// most tol (they lie within about ±2), and so the largest one is the same wherever it leads by more than twice that.
// With names, only those are compared.
func Run(t *testing.T, open Open, tol float64, names ...string) {
	if names == nil {
		names = Names(t)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			ref := readReference(t, name)
			path := Copy(t, name)
			for _, c := range cases {
				t.Run(c.name, func(t *testing.T) {
					_, s := load(t, open, path, maxContext, backend.Limits{Tokens: maxContext, Requests: 4})
					c.run(&check{t: t, s: s, ref: ref, tol: tol})
				})
			}
		})
	}
}

var cases = []struct {
	name string
	run  func(c *check)
}{
	{"prompt at once, then token by token from the device", func(c *check) {
		n := len(c.ref.prompt)
		c.step(part{row: 2, ids: c.ref.prompt})
		for i := range len(c.ref.tokens) - 1 {
			c.step(part{row: 2, from: n + i, ids: []int32{backend.FromDevice}})
		}
	}},
	{"prompt in chunks", func(c *check) {
		ids := c.ref.sequence()
		at := 0
		for _, n := range []int{7, 1, 1, 8, 4, 1, 11, 1} {
			c.step(part{row: 0, from: at, ids: ids[at : at+n]})
			at += n
		}
	}},
	{"requests of different lengths in one batch", func(c *check) {
		ids := c.ref.sequence()
		c.step(part{row: 0, ids: ids[:13]}, part{row: 3, ids: ids[:5]})
		c.step(part{row: 3, from: 5, ids: ids[5:6]}, part{row: 0, from: 13, ids: ids[13:14]}, part{row: 1, ids: ids[:21]})
		c.step(part{row: 0, from: 14, ids: ids[14:15]}, part{row: 1, from: 21, ids: ids[21:30]}, part{row: 3, from: 6, ids: ids[6:9]})
		c.step(part{row: 1, from: 30, ids: ids[30:31]}, part{row: 3, from: 9, ids: ids[9:10]}, part{row: 0, from: 15, ids: ids[15:16]})
	}},
}

// check compares steps with a reference.
type check struct {
	t   *testing.T
	s   *session
	ref *reference
	tol float64
}

func (c *check) step(parts ...part) {
	c.t.Helper()
	ids, logprobs, logits := c.s.step(parts...)
	for i, p := range parts {
		pos := p.from + len(p.ids) - 1
		if logits != nil {
			c.logits(p.row, pos, logits[i])
		}
		c.token(p.row, pos, ids[i])
		c.logprob(p.row, pos, ids[i], float64(logprobs[i]))
	}
}

// logprob checks the log-probability of the chosen token, which a replayed step gives too: logit and normaliser are each
// off by at most tol.
func (c *check) logprob(row, pos int, id int32, got float64) {
	c.t.Helper()
	sum := 0.0
	for _, v := range c.ref.logits[pos] {
		sum += math.Exp(float64(v))
	}
	if want := float64(c.ref.logits[pos][id]) - math.Log(sum); !(math.Abs(got-want) <= 2*c.tol) {
		c.t.Fatalf("request %d, position %d: the log-probability of %d is %v, want %v ± %v", row, pos, id, got, want, 2*c.tol)
	}
}

func (c *check) logits(row, pos int, got []float32) {
	c.t.Helper()
	for id, want := range c.ref.logits[pos] {
		if d := math.Abs(float64(got[id] - want)); !(d <= c.tol) {
			c.t.Fatalf("request %d, position %d: the logit of %d is %v, want %v ± %v", row, pos, id, got[id], want, c.tol)
		}
	}
}

// token checks the greedy choice after position pos, where the reference has made one.
func (c *check) token(row, pos int, got int32) {
	c.t.Helper()
	i := pos + 1 - len(c.ref.prompt)
	if i < 0 || i >= len(c.ref.tokens) {
		return
	}
	if want := c.ref.tokens[i]; got != want && float64(c.ref.gaps[i]) > 2*c.tol {
		c.t.Fatalf("request %d, position %d: the token is %d, want %d, which leads by %v", row, pos, got, want, c.ref.gaps[i])
	}
}
