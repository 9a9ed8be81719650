package tokenizer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// naiveBPE joins the pair with the lowest rank, leftmost first, looking at all pairs each time.
func naiveBPE(m *bpe, syms []int32) []int32 {
	for {
		best, at := noMerge, -1
		for i := range len(syms) - 1 {
			if c := m.pairs.get(syms[i], syms[i+1]); c != noMerge && (at < 0 || c>>32 < best>>32) {
				best, at = c, i
			}
		}
		if at < 0 {
			return syms
		}
		syms = slices.Replace(syms, at, at+2, best.id())
	}
}

func TestMerge_EqualsPlainBPEForEveryLength(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, name := range []string{"gpt2", "llama2", "spm-bpe", "subword"} {
		m := tiny(t, name).model.(*bpe)
		e := &encoder{}
		for _, alphabet := range []string{"a", "ab", "the ", "e th▁1 ", "aeiourstn the and of"} {
			for _, n := range []int{1, 2, 3, 39, 40, 41, 200, wordWindow - 1, wordWindow, wordWindow + 1, 3 * wordWindow} {
				word := randomText(rng, alphabet, n)
				want := naiveBPE(m, slices.Clone(m.symbols(e, word)))
				e.ids = e.ids[:0]
				m.merge(e, m.symbols(e, word))
				if !slices.Equal(e.ids, want) {
					t.Errorf("%s: merge of %d symbols of %q differs from plain BPE", name, n, alphabet)
				}
			}
		}
	}
}

func randomText(rng *rand.Rand, alphabet string, n int) string {
	runes := []rune(alphabet)
	var b strings.Builder
	for range n {
		b.WriteRune(runes[rng.IntN(len(runes))])
	}
	return b.String()
}

// chainModel is a model with merges made to carry decisions far: whether x joins depends on what stands right of it.
func chainModel(t *testing.T) *bpe {
	t.Helper()
	v := newVocab(false, 16)
	b := &bpe{vocab: v, unk: -1, pairs: newPairTable(16)}
	for i, s := range []string{"a", "b", "c", "ab", "bc", "ca", "abc", "bca", "aa", "aaaa"} {
		if err := v.add(int32(i), []byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	v.index()
	id := func(s string) int32 { id, _ := v.find(s); return id }
	for rank, pair := range []string{"c a", "b c", "a b", "ab c", "b ca", "aa aa", "a a"} {
		l, r, _ := strings.Cut(pair, " ")
		b.pairs.set(id(l), id(r), makeMerge(uint32(rank), id(l+r)))
	}
	b.init()
	return b
}

func TestMergeLong_EqualsPlainBPEWhereDecisionsTravel(t *testing.T) {
	m := chainModel(t)
	rng := rand.New(rand.NewPCG(3, 4))
	e := &encoder{}
	for i := range 30 {
		unit := randomText(rng, "abc", 1+rng.IntN(7))
		word := strings.Repeat(unit, 2*wordWindow/len(unit)+rng.IntN(5)) + randomText(rng, "abc", rng.IntN(20))
		want := naiveBPE(m, slices.Clone(m.symbols(e, word)))
		e.ids = e.ids[:0]
		m.mergeLong(e, m.symbols(e, word))
		if !slices.Equal(e.ids, want) {
			t.Errorf("case %d: mergeLong of %q repeated differs from plain BPE", i, unit)
		}
	}
}

func TestBPE_CutsOnlyWhereNoMergeReachesOver(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, name := range []string{"llama2", "mistral", "spm-bpe", "spm-gemma"} {
		m := tiny(t, name).model.(*bpe)
		if m.cut == "" && strings.HasPrefix(name, "spm") {
			t.Errorf("%s: text is not cut into words", name)
		}
		whole := *m
		whole.cut = ""
		for range 300 {
			word := randomText(rng, "the and▁▁of>.1é日", 60)
			a, b := &encoder{}, &encoder{}
			m.encode(a, word)
			whole.encode(b, word)
			if !slices.Equal(a.ids, b.ids) {
				t.Fatalf("%s: encode(%q) = %v cut, %v whole", name, word, a.ids, b.ids)
			}
		}
	}
}

func TestCutFinder_KeepsCharactersThatMergesJoinWithSpaces(t *testing.T) {
	var c cutFinder
	c.merge(">", "▁</")
	c.merge("▁", "▁")
	c.merge("a", "b")
	if got := fmt.Sprintf("%s %v", string(c.behind), c.nowhere); got != "> false" {
		t.Errorf("cutFinder = %s, want > false", got)
	}
	if c.merge("<0x0A>", "▁a"); !c.nowhere {
		t.Error("a byte token joined with ▁ leaves cutting allowed")
	}
}
