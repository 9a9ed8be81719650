package bench

import (
	"slices"
	"testing"
)

// python3 -c 'import random; random.seed(0); print([random.randint(0, 10000) for _ in range(5)])'
func TestRandom_IsPythons(t *testing.T) {
	r := NewRandom(0)
	var got []int
	for range 5 {
		got = append(got, r.Int(0, 10000))
	}
	if want := []int{6311, 6890, 663, 4242, 8376}; !slices.Equal(got, want) {
		t.Fatalf("randint = %v, want %v", got, want)
	}
}

func TestNanoVLLM_HasTheSizeThatOthersReport(t *testing.T) {
	in, out := 0, 0
	for _, j := range NanoVLLM() {
		in, out = in+len(j.Prompt), out+j.Output
	}
	if in != 142827 || out != 133966 {
		t.Fatalf("%d tokens in, %d out, want 142827 and 133966", in, out)
	}
}
