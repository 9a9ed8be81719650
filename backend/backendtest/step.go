package backendtest

import (
	"testing"

	"github.com/weft-llm/weft/backend"
)

func testStep(t *testing.T, o suite) {
	t.Run("reuses cached tokens", func(t *testing.T) { testCached(t, o) })
	t.Run("counts cached tokens", func(t *testing.T) { testCachedPenalty(t, o) })
	t.Run("refuses a step beyond its limits", func(t *testing.T) { testLimits(t, o) })
}

// testCached lets a request attend to slots that another one filled.
func testCached(t *testing.T, o suite) {
	h := newAttender(t, o, attention{heads: 6, kvHeads: 2, dim: 64, ropeDim: 64})
	h.check("first", 0, work{0, 70})
	const shared, row = 33, 11
	h.keys[row] = append(h.keys[row], h.keys[0][:shared]...)
	h.values[row] = append(h.values[row], h.values[0][:shared]...)
	for p := range int32(shared) {
		h.cached = append(h.cached, backend.Cached{Row: row, Pos: p, Slot: h.slotOf[0][p], ID: 1})
	}
	h.check("after cached tokens", 0, work{row, 20}, work{3, 5})
	h.check("decode after cached tokens", 3, work{0, 1}, work{row, 1}, work{3, 1})
}

// testCachedPenalty checks that cached ids count as tokens of the prompt.
func testCachedPenalty(t *testing.T, o suite) {
	h := newDrawer(t, o, 1000)
	prompt := []int32{5, 9, 5, 4}
	top := ordered(h.logits[4])[0]
	prompt[0], prompt[2] = top, top
	p := greedy()
	p.Repetition = 100
	s := h.build([]request{{prompt: prompt, sampling: p}}, 0)
	for i := range int32(3) {
		s.Cached = append(s.Cached, backend.Cached{Row: 0, Pos: i, Slot: 1 + i, ID: prompt[i]})
	}
	s.IDs, s.Pos, s.Slots, s.Start, s.Last = s.IDs[3:], s.Pos[3:], s.Slots[3:], []int32{0, 1}, []int32{0}
	want := sample(h.logits[4], s.Sampling[0], prompt, nil, nil)
	if want == top {
		t.Fatal("BUG: the case does not penalise")
	}
	if got := h.step(s, h.forward).IDs[0]; got != want {
		t.Errorf("id %d, want %d", got, want)
	}
}

// testLimits checks that a step that does not fit is an error and harms nothing.
func testLimits(t *testing.T, o suite) {
	h := newDrawer(t, o, 1000)
	good := request{prompt: []int32{1, 2, 3}, sampling: greedy()}
	for name, spoil := range map[string]func(*backend.Step){
		"slot":    func(s *backend.Step) { s.Slots[0] = drawRows*drawLength + 1 },
		"row":     func(s *backend.Step) { s.Rows[0] = drawRows },
		"pos":     func(s *backend.Step) { s.Pos[0] = drawLength },
		"context": func(s *backend.Step) { s.Context[0] = drawLength + 1 },
		"last":    func(s *backend.Step) { s.Last[0] = 3 },
		"mask":    func(s *backend.Step) { s.Sampling[0].Mask = 1 },
		"lengths": func(s *backend.Step) { s.Pos = s.Pos[:2] },
	} {
		s := h.build([]request{good}, 0)
		spoil(s)
		if _, err := h.b.Begin(s); err == nil {
			t.Errorf("Begin with a bad %s: no error", name)
		}
	}
	want := ordered(h.logits[3])[0]
	if got := h.step(h.build([]request{good}, 0), h.forward).IDs[0]; got != want {
		t.Errorf("id after refused steps = %d, want %d", got, want)
	}
}
