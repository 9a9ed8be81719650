package simt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// memory is one allocation of words at base.
type memory struct{ data []byte }

const base = 0x10000

func (m *memory) Find(address uint64) (data []byte, at uint64, why string) {
	if address < base || address >= base+uint64(len(m.data)) {
		return nil, 0, "was never allocated"
	}
	return m.data, base, ""
}

func (m *memory) words() []uint32 {
	out := make([]uint32, len(m.data)/4)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(m.data[4*i:])
	}
	return out
}

// snippet is a kernel around code, which has the address of the words in %out and its own number in %t, and a thread's
// result in %r0, which is stored unless code ends by itself.
type snippet struct {
	code    string
	declare string // outside of the body
	block   int    // threads; 0 stands for 32
	cluster int    // blocks, all of the grid; 0 for none
	grid    int    // blocks without a cluster; 0 for one
	shared  int
	words   int // of memory; 0 for one a thread
	in      []uint32
	seed    uint64
	steps   int64
}

func (s snippet) ptx() string {
	return ".version 8.0\n.target sm_90a\n.address_size 64\n" + s.declare + `
.visible .entry k(.param .u64 k_param_0)
{
	.reg .pred %p<40>;
	.reg .b16 %rs<20>;
	.reg .b32 %r<200>;
	.reg .f32 %f<300>;
	.reg .b64 %rd<40>;
	.reg .f64 %fd<9>;
	.reg .b64 %out, %at;
	.reg .b32 %t;
	ld.param.u64 %out, [k_param_0];
	mov.u32 %t, %tid.x;
` + s.code + `
	mul.wide.u32 %at, %t, 4;
	add.s64 %at, %at, %out;
	st.global.u32 [%at], %r0;
	ret;
}
`
}

// run gives memory as words after the kernel, which begins as s.in and all ones behind.
func (s snippet) run() ([]uint32, error) {
	m, err := Parse(s.ptx())
	if err != nil {
		return nil, err
	}
	l := &Launch{Kernel: "k", Block: [3]int{max(s.block, 1)}, Shared: s.shared, Seed: s.seed, Steps: s.steps}
	if s.block == 0 {
		l.Block[0] = lanes
	}
	l.Grid[0] = s.grid
	if s.cluster > 0 {
		l.Grid[0], l.Cluster[0] = s.cluster, s.cluster
	}
	n := s.words
	if n == 0 {
		n = l.Block[0]
	}
	mem := &memory{make([]byte, 4*n)}
	for i := range n {
		v := uint32(all)
		if i < len(s.in) {
			v = s.in[i]
		}
		binary.LittleEndian.PutUint32(mem.data[4*i:], v)
	}
	l.Args, l.Memory = binary.LittleEndian.AppendUint64(nil, base), mem
	err = m.Run(l)
	return mem.words(), err
}

// wantWords runs s and compares the first words.
func (s snippet) wantWords(t *testing.T, want ...uint32) {
	t.Helper()
	got, err := s.run()
	if err != nil {
		t.Errorf("%s: %v", s.code, err)
		return
	}
	for i, w := range want {
		if got[i] != w {
			t.Errorf("%s: word %d is %#x, want %#x", s.code, i, got[i], w)
			return
		}
	}
}

// wantFault runs s and wants it to end as kind, with every one of texts.
func (s snippet) wantFault(t *testing.T, kind Kind, texts ...string) {
	t.Helper()
	_, err := s.run()
	var f *Fault
	if !errors.As(err, &f) || f.Kind != kind {
		t.Errorf("%s: Run() = %v, want a fault of kind %d", s.code, err, kind)
		return
	}
	for _, text := range texts {
		if !strings.Contains(f.Text, text) {
			t.Errorf("%s: fault %q does not say %q", s.code, f.Text, text)
		}
	}
}

// each is one word for each of n threads.
func each(n int, f func(i int) uint32) (out []uint32) {
	for i := range n {
		out = append(out, f(i))
	}
	return out
}

// u32 and f32 write operands.
func u32(v uint32) string { return fmt.Sprint(int32(v)) }

func f32(bits uint32) string { return fmt.Sprintf("0f%08X", bits) }

func wantText(t *testing.T, what string, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s: %v, want %q", what, err, want)
	}
}
