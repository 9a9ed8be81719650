package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// attention is a batch over a KV cache of its own.
type attention struct {
	d, heads, kvHeads int
	context           []int // tokens of each request
	run               int   // slots of a request that follow each other; runs lie in random order
	fresh             int   // the last tokens of each context, computed as a prompt's; 0: one, as decode does
}

// prefillCases are one prompt, in a cache of runs as a busy server's becomes, and in one run as on an idle one.
func prefillCases() []Case {
	var out []Case
	for _, d := range []int{128, 64} {
		for _, run := range []int{16, math.MaxInt32} {
			for _, n := range []int{128, 256, 512, 1024, 2048, 4096, 8192, 16384} {
				name := fmt.Sprintf("hd%d", d)
				if run > n {
					name += " one run"
				}
				a := attention{d: d, heads: 32, kvHeads: 8, context: []int{n}, run: min(run, n), fresh: n}
				out = append(out, a.toCase("attend_prefill", name, fmt.Sprintf("n=%d D=%d heads=32 kv=8", n, d)))
			}
		}
	}
	// A slice of a prompt whose beginning is in the cache, as chunked prefill and a hit in the prefix tree leave it.
	for _, c := range []struct {
		name             string
		heads, n, before int
	}{{"0.6B slice", 16, 256, 16384}, {"8B slice", 32, 256, 16384}, {"0.6B slice", 16, 128, 4096}, {"8B slice", 32, 512, 16384}} {
		a := attention{d: 128, heads: c.heads, kvHeads: 8, context: []int{c.before + c.n}, run: 16, fresh: c.n}
		out = append(out, a.toCase("attend_prefill", c.name, fmt.Sprintf("n=%d context=%d D=128 heads=%d kv=8", c.n, c.before+c.n, c.heads)))
	}
	return out
}

func decodeCases() []Case {
	var out []Case
	for _, c := range []struct {
		name             string
		b, context, head int // heads of 8 KV heads
	}{
		{"0.6B", 1, 1024, 16}, {"0.6B", 16, 640, 16}, {"0.6B", 64, 640, 16}, {"0.6B", 256, 640, 16},
		{"8B", 1, 1024, 32}, {"8B", 1, 8192, 32}, {"8B", 1, 32768, 32}, {"8B", 16, 1024, 32}, {"8B", 64, 1024, 32}, {"8B", 64, 4096, 32},
		{"8B", 256, 640, 32}, {"8B", 256, 1024, 32}, {"8B", 256, 2048, 32},
	} {
		a := attention{d: 128, heads: c.head, kvHeads: 8, run: 16}
		for range c.b {
			a.context = append(a.context, c.context)
		}
		dims := fmt.Sprintf("B=%d context=%d D=128 heads=%d kv=8", c.b, c.context, c.head)
		out = append(out, a.toCase("attend_decode", c.name, dims))
		if c.context == 640 && c.b >= 64 && c.head == 16 { // keys of a prompt alone, and of generated tokens alone
			a.run = c.context
			out = append(out, a.toCase("attend_decode", c.name+" one run", dims))
			a.run = 1
			out = append(out, a.toCase("attend_decode", c.name+" no runs", dims))
		}
	}
	ragged := attention{d: 128, heads: 32, kvHeads: 8, run: 16}
	rng := rand.New(rand.NewPCG(4, 4))
	for range 64 {
		ragged.context = append(ragged.context, 1+rng.IntN(4096))
	}
	return append(out, ragged.toCase("attend_decode", "8B", "B=64 context=1-4096 D=128 heads=32 kv=8"))
}

// tokens is how many are computed; slots, how many the cache holds.
func (a *attention) tokens() int {
	return len(a.context) * max(a.fresh, 1)
}

func (a *attention) slots() (n int) {
	for _, c := range a.context {
		n += (c + a.run - 1) / a.run * a.run
	}
	return n
}

func sum(v []int) (n int) {
	for _, x := range v {
		n += x
	}
	return n
}

func (a attention) toCase(kernel, name, dims string) Case {
	q := 2 * a.tokens() * a.heads * a.d
	kv := 4 * a.slots() * a.kvHeads * a.d
	pairs := 0.0 // visible: a token sees those before it and itself
	for _, c := range a.context {
		pairs += float64(a.fresh) * float64(2*c+1-a.fresh) / 2
	}
	return Case{
		Kernel: kernel, Name: name, Dims: dims, op: kernel, Ops: 4 * pairs * float64(a.heads*a.d),
		Bytes: float64(2*q + 4*sum(a.context)*a.kvHeads*a.d), m: a.tokens(), room: sizes{hot: q, cold: kv, out: q},
		make: func(g *machine) (call, error) { return g.attend(&a) },
	}
}

// attend makes the page table of a. The cache takes turns, as the layers of a model do.
func (g *machine) attend(a *attention) (call, error) {
	t, width := a.tokens(), a.heads*a.d
	q, y := tensor.Of(g.hot.base, tensor.BF16, t, width), tensor.Of(g.out.base, tensor.BF16, t, width)
	plane := 2 * a.slots() * a.kvHeads * a.d
	cache := g.turns(g.cold, 2*plane)
	pages, r, err := g.requests(a)
	if err != nil {
		return nil, err
	}
	kv := func(i int) ptx.KV {
		at := func(p uintptr) tensor.View { return tensor.Of(p, tensor.BF16, a.kvHeads, a.slots(), a.d) }
		return ptx.KV{K: at(cache(i)), V: at(cache(i) + uintptr(plane)), Pages: pages}
	}
	f := ptx.Scores{Scale: float32(1 / math.Sqrt(float64(a.d)))}
	if err := g.k.ReserveDecode(g.s, a.d, a.kvHeads, len(a.context)); err != nil {
		return nil, err
	}
	if a.fresh > 0 {
		return func(i int) error { return g.k.AttendPrefill(g.s, y, q, kv(i), r, f) }, nil
	}
	return func(i int) error { return g.k.AttendDecode(g.s, y, q, kv(i), r, f) }, nil
}

// requests uploads what says where the tokens of a lie.
func (g *machine) requests(a *attention) (pages tensor.View, r ptx.Requests, err error) {
	b, longest := len(a.context), 0
	for _, c := range a.context {
		longest = max(longest, c)
	}
	table, rows, start, context := make([]int32, b*longest), make([]int32, b), make([]int32, b+1), make([]int32, b)
	runs, at := rand.New(rand.NewPCG(2, 2)).Perm(a.slots()/a.run), 0
	for i, c := range a.context {
		rows[i], context[i], start[i+1] = int32(i), int32(c), start[i]+int32(max(a.fresh, 1))
		for p := range c {
			table[i*longest+p] = int32(a.run*runs[at+p/a.run] + p%a.run)
		}
		at += (c + a.run - 1) / a.run
	}
	r.Tokens = a.tokens()
	if a.fresh == 0 {
		r.Decodes = b
	}
	for _, v := range []struct {
		to   *tensor.View
		data []int32
	}{{&pages, table}, {&r.Rows, rows}, {&r.Start, start}, {&r.Context, context}} {
		if *v.to, err = g.ints(v.data); err != nil {
			return pages, r, err
		}
	}
	return tensor.Of(pages.Ptr, tensor.I32, b, longest), r, nil
}
