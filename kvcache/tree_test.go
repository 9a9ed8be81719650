package kvcache

import (
	"encoding/binary"
	"fmt"
	"hash"
	"hash/adler32"
	"hash/crc32"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func filled(t *testing.T, p *Pool, tree *Tree, tokens ...int32) *Node {
	t.Helper()
	slots, err := p.Take(nil, len(tokens))
	if err != nil {
		t.Fatal(err)
	}
	had, end := tree.Insert("", tokens, slots)
	p.Put(slots[:had])
	return end
}

func TestTree_MatchesTheLongestPrefixAndSplitsThere(t *testing.T) {
	p := NewPool(20)
	tree := NewTree(p)
	filled(t, p, tree, 1, 2, 3, 4)
	slots, n := tree.Match(nil, "", []int32{1, 2, 9})
	if !slices.Equal(slots, []int32{1, 2}) || n == nil || len(n.children) != 1 {
		t.Fatalf("Match = %v, %+v, want slots 1 2 and a split node", slots, n)
	}
	if err := Verify(p, tree, nil); err != nil {
		t.Fatal(err)
	}
}

func TestTree_EvictsOldestUnlockedLeafFirst(t *testing.T) {
	p := NewPool(20)
	tree := NewTree(p)
	filled(t, p, tree, 1, 2)
	old := filled(t, p, tree, 3, 4)
	filled(t, p, tree, 5, 6)
	tree.Match(nil, "", []int32{1, 2})
	tree.Lock(old)
	if n := tree.Evict(2); n != 2 || tree.Peek("", []int32{5, 6}) != 0 || tree.Peek("", []int32{1, 2}) != 2 {
		t.Fatalf("Evict(2) = %d, want 5 6 gone: 3 4 is locked, 1 2 was used", n)
	}
	tree.Unlock(old)
	if n := tree.Evict(100); n != 4 || p.Free() != 20 {
		t.Fatalf("Evict(100) = %d with %d free, want all", n, p.Free())
	}
}

func TestTree_EvictsOnlyTheTailThatIsNeeded(t *testing.T) {
	p := NewPool(20)
	tree := NewTree(p)
	filled(t, p, tree, 1, 2, 3, 4, 5)
	if n := tree.Evict(2); n != 2 || tree.Peek("", []int32{1, 2, 3, 4, 5}) != 3 {
		t.Fatalf("Evict(2) = %d, leaving %d, want 3 left", n, tree.Peek("", []int32{1, 2, 3, 4, 5}))
	}
}

func TestTree_SaltsShareNothing(t *testing.T) {
	p := NewPool(20)
	tree := NewTree(p)
	filled(t, p, tree, 1, 2, 3)
	if slots, n := tree.Match(nil, "tenant", []int32{1, 2, 3}); n != nil || len(slots) != 0 {
		t.Fatalf("Match under another salt = %v, %v, want nothing", slots, n)
	}
}

// model is the plain counterpart of a tree: the set of all cached prefixes of each salt.
type model map[string]map[string]bool

func (m model) longest(salt string, tokens []int32) int {
	for k := len(tokens); k > 0; k-- {
		if m[salt][fmt.Sprint(tokens[:k])] {
			return k
		}
	}
	return 0
}

func TestTree_AnswersLikeASetOfPrefixes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := NewPool(60)
		tree := NewTree(p)
		plain := model{}
		byPrefix := map[string]int32{} // salt and prefix → slot that computed it
		var held []*Node
		tokens := rapid.SliceOfN(rapid.Int32Range(0, 2), 1, 12)
		salts := rapid.SampledFrom([]string{"", "a"})
		rt.Repeat(map[string]func(*rapid.T){
			"insert": func(rt *rapid.T) {
				seq, salt := tokens.Draw(rt, "seq"), salts.Draw(rt, "salt")
				if p.Free() < len(seq) {
					return
				}
				slots, _ := p.Take(nil, len(seq))
				had, _ := tree.Insert(salt, seq, slots)
				if want := plain.longest(salt, seq); had != want {
					rt.Fatalf("Insert had %d, want %d", had, want)
				}
				p.Put(slots[:had])
				if plain[salt] == nil {
					plain[salt] = map[string]bool{}
				}
				for k := had + 1; k <= len(seq); k++ {
					plain[salt][fmt.Sprint(seq[:k])] = true
					byPrefix[salt+fmt.Sprint(seq[:k])] = slots[k-1]
				}
			},
			"match": func(rt *rapid.T) {
				seq, salt := tokens.Draw(rt, "seq"), salts.Draw(rt, "salt")
				slots, n := tree.Match(nil, salt, seq)
				if want := plain.longest(salt, seq); len(slots) != want || (n == nil) != (want == 0) {
					rt.Fatalf("Match = %v, want %d slots", slots, want)
				}
				for k, s := range slots {
					if want := byPrefix[salt+fmt.Sprint(seq[:k+1])]; s != want {
						rt.Fatalf("slot of prefix %v is %d, want %d", seq[:k+1], s, want)
					}
				}
				if !slices.Equal(tree.Slots(nil, n), slots) {
					rt.Fatalf("Slots = %v, want %v", tree.Slots(nil, n), slots)
				}
				if n != nil && rapid.Bool().Draw(rt, "lock") {
					tree.Lock(n)
					held = append(held, n)
				}
			},
			"unlock": func(rt *rapid.T) {
				if len(held) > 0 {
					tree.Unlock(held[0])
					held = held[1:]
				}
			},
			"evict": func(rt *rapid.T) {
				want := rapid.IntRange(1, 20).Draw(rt, "want")
				could := tree.Evictable()
				if got := tree.Evict(want); got != min(want, could) {
					rt.Fatalf("Evict(%d) = %d with %d evictable", want, got, could)
				}
				for salt, set := range plain { // what is left is what the tree says; every prefix of it must be left too
					for prefix := range set {
						seq := parse(prefix)
						if tree.Peek(salt, seq) < len(seq) {
							delete(set, prefix)
						}
					}
				}
				for _, n := range held {
					if n.parent == nil {
						rt.Fatal("a locked node was evicted")
					}
				}
			},
			"": func(rt *rapid.T) {
				if err := Verify(p, tree, nil); err != nil {
					rt.Fatal(err)
				}
			},
		})
	})
}

// parse reads what fmt.Sprint printed of a slice.
func parse(s string) []int32 {
	var out []int32
	for i := 1; i < len(s); i += 2 {
		out = append(out, int32(s[i]-'0'))
	}
	return out
}

// collisions returns pairs of different sequences of n tokens that h takes for the same, each under a salt of its own.
func collisions(t *testing.T, h hash.Hash32, n int) (pairs [][2]salted) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, uint64(n)))
	seen := map[uint32]salted{}
	for tries := 0; len(pairs) < 5; tries++ {
		if tries == 2_000_000 {
			t.Fatalf("%T: %d collisions in %d tries", h, len(pairs), tries)
		}
		s := salted{salt: []string{"", "tenant a", "tenant b"}[r.IntN(3)]}
		h.Reset()
		_, _ = io.WriteString(h, s.salt)
		for range n {
			s.tokens = append(s.tokens, r.Int32N(150_000))
		}
		_ = binary.Write(h, binary.LittleEndian, s.tokens)
		if other, ok := seen[h.Sum32()]; ok && !slices.Equal(other.tokens, s.tokens) {
			pairs = append(pairs, [2]salted{other, s})
			continue
		}
		seen[h.Sum32()] = s
	}
	return pairs
}

type salted struct {
	salt   string
	tokens []int32
}

// TestTree_FindsBySaltAndTokensNeverByHash forces collisions: sequences and salts that a hash of 32 bits takes for each
// other, and tokens that are equal in their low bits. One of each pair is in the tree, and the other must not be found.
func TestTree_FindsBySaltAndTokensNeverByHash(t *testing.T) {
	var pairs [][2]salted
	for _, h := range []hash.Hash32{fnv.New32a(), crc32.NewIEEE(), adler32.New()} { // as servers use that find prefixes by hash
		for _, n := range []int{3, 16} {
			pairs = append(pairs, collisions(t, h, n)...)
		}
	}
	for _, low := range []int32{1 << 8, 1 << 16, 1 << 24} {
		pairs = append(pairs, [2]salted{{"", []int32{7, 8, 9}}, {"", []int32{7 + low, 8, 9}}}, [2]salted{{"", []int32{3, 4, 5}}, {"", []int32{3, 4 + low, 5}}})
	}
	for i, p := range pairs {
		pool := NewPool(100)
		tree := NewTree(pool)
		slots, err := pool.Take(nil, len(p[0].tokens))
		if err != nil {
			t.Fatal(err)
		}
		tree.Insert(p[0].salt, p[0].tokens, slots)
		want := 0
		if p[0].salt == p[1].salt {
			want = common(p[0].tokens, p[1].tokens)
		}
		if want == len(p[1].tokens) {
			t.Fatalf("pair %d is the same twice", i)
		}
		if peek := tree.Peek(p[1].salt, p[1].tokens); peek != want {
			t.Errorf("pair %d: Peek(%q, %v) = %d with %q %v in the tree, want %d", i, p[1].salt, p[1].tokens, peek, p[0].salt, p[0].tokens, want)
		}
		if got, _ := tree.Match(nil, p[1].salt, p[1].tokens); len(got) != want {
			t.Errorf("pair %d: Match finds %d slots of %q %v for %q %v, want %d", i, len(got), p[0].salt, p[0].tokens, p[1].salt, p[1].tokens, want)
		}
	}
}
