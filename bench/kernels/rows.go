package kernels

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weft-llm/weft/ptx"
	"github.com/weft-llm/weft/tensor"
)

// model is the part of a model's shape that the kernels over rows see.
type model struct {
	name                      string
	hidden, heads, kvHeads, d int
}

// rowCases are the kernels that read and write activations once: all of it comes from memory.
func rowCases() []Case {
	var out []Case
	for _, m := range []model{{"0.6B", 1024, 16, 8, 128}, {"8B", 4096, 32, 8, 128}} {
		for _, t := range []int{1, 64, 4096, 8192} {
			dims, row := fmt.Sprintf("T=%d H=%d", t, m.hidden), 2*t*m.hidden
			out = append(out,
				Case{Kernel: "rmsnorm", Name: m.name, Dims: dims, Bytes: float64(2 * row), m: t, room: sizes{cold: row, out: row},
					make: func(g *machine) (call, error) { return g.norm(t, m.hidden, false) }},
				Case{Kernel: "add_rmsnorm", Name: m.name, Dims: dims, Bytes: float64(4 * row), m: t, room: sizes{cold: 2 * row, out: row},
					make: func(g *machine) (call, error) { return g.norm(t, m.hidden, true) }},
				Case{Kernel: "embed", Name: m.name, Dims: dims + " V=151936", Bytes: float64(2 * row), m: t, room: sizes{cold: 2 * 151936 * m.hidden, out: row},
					make: func(g *machine) (call, error) { return g.embed(t, m.hidden, 151936) }},
				ropeCase(m, t))
		}
	}
	slices.SortStableFunc(out, func(a, b Case) int { return strings.Compare(a.Kernel, b.Kernel) })
	return out
}

func (g *machine) norm(t, h int, add bool) (call, error) {
	w, err := g.ints(make([]int32, h)) // zeros
	if err != nil {
		return nil, err
	}
	w.Type = tensor.F32
	y := g.matrices(g.out, t, h)
	if !add {
		x := g.matrices(g.cold, t, h)
		return func(i int) error { return g.k.RMSNorm(g.s, y(i), x(i), w, 1e-6) }, nil
	}
	both := g.turns(g.cold, 4*t*h) // x and the residual stream
	return func(i int) error {
		x := tensor.Of(both(i), tensor.BF16, t, h)
		return g.k.AddRMSNorm(g.s, y(i), tensor.Of(x.Ptr+uintptr(x.Bytes()), tensor.BF16, t, h), x, w, 1e-6)
	}, nil
}

func (g *machine) embed(t, h, vocab int) (call, error) {
	ids := make([]int32, t)
	for i := range ids {
		ids[i] = int32(i * 7919 % vocab)
	}
	index, err := g.ints(ids)
	if err != nil {
		return nil, err
	}
	y, tables := g.matrices(g.out, t, h), g.matrices(g.cold, vocab, h)
	return func(i int) error { return g.k.Rows(g.s, y(i), tables(i), index, 1) }, nil
}

// ropeCase has the norms of Qwen3's heads.
func ropeCase(m model, t int) Case {
	q, kv := 2*t*m.heads*m.d, 4*t*m.kvHeads*m.d
	return Case{
		Kernel: "rope_store", Name: m.name, Dims: fmt.Sprintf("T=%d D=%d heads=%d kv=%d", t, m.d, m.heads, m.kvHeads),
		op: "rope_store", Bytes: float64(2 * (q + kv)), m: t, room: sizes{cold: q + kv, out: q + kv},
		make: func(g *machine) (call, error) { return g.rope(m, t) },
	}
}

func (g *machine) rope(m model, t int) (call, error) {
	slots := make([]int32, t)
	for i := range slots {
		slots[i] = int32(i)
	}
	at, err := g.ints(slots)
	if err != nil {
		return nil, err
	}
	norm, err := g.ints(make([]int32, m.d))
	if err != nil {
		return nil, err
	}
	table, err := g.ints(make([]int32, t*m.d))
	if err != nil {
		return nil, err
	}
	norm.Type, table.Type = tensor.F32, tensor.F32
	q, kv := 2*t*m.heads*m.d, 2*t*m.kvHeads*m.d
	qkv, results := g.matrices(g.cold, t, (m.heads+2*m.kvHeads)*m.d), g.turns(g.out, q+2*kv)
	return func(i int) error {
		plane := func(offset int) tensor.View {
			return tensor.Of(results(i)+uintptr(offset), tensor.BF16, m.kvHeads, t, m.d)
		}
		return g.k.RopeStore(g.s, &ptx.RopeStore{
			Q: tensor.Of(results(i), tensor.BF16, t, m.heads*m.d), KCache: plane(q), VCache: plane(q + kv), QKV: qkv(i), Slots: at, Pos: at,
			QNorm: norm, KNorm: norm, Table: tensor.Of(table.Ptr, tensor.F32, t, m.d), Heads: m.heads, Eps: 1e-6,
		})
	}, nil
}

// convertCases are weights on their way to bf16 as a model loads.
func convertCases() []Case {
	var out []Case
	const rows, cols = 24576, 4096
	for _, t := range []tensor.DType{tensor.F16, tensor.F8E4M3, tensor.Q8_0, tensor.Q4_0, tensor.Q4_K, tensor.Q6_K} {
		src, dst := int(t.Bytes(rows*cols)), 2*rows*cols
		out = append(out, Case{
			Kernel: "convert", Name: t.String(), Dims: fmt.Sprintf("R=%d C=%d", rows, cols), Bytes: float64(src + dst), room: sizes{cold: src + 32, out: dst},
			make: func(g *machine) (call, error) {
				to := ptx.Place{Dst: tensor.Of(g.out.base, tensor.BF16, rows, cols), Cols: cols}
				return func(int) error { return g.k.Convert(g.s, to, g.cold.base, t, 0, rows*cols) }, nil
			},
		})
	}
	return out
}
