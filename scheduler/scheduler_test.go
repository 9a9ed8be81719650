package scheduler

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// parse reads sequences written as "name:tokens@computed/output": what is left out is 10 tokens, all but one
// computed (running) or none (waiting), and 4 tokens of output.
func parse(spec string, running bool) (seqs []Sequence, names []string) {
	for _, f := range strings.Fields(spec) {
		q := Sequence{Tokens: 10, Output: 4}
		f, output, ok := strings.Cut(f, "/")
		if ok {
			q.Output, _ = strconv.Atoi(output)
		}
		f, computed, hasComputed := strings.Cut(f, "@")
		name, tokens, ok := strings.Cut(f, ":")
		if ok {
			q.Tokens, _ = strconv.Atoi(tokens)
		}
		if running {
			q.Computed = q.Tokens - 1
		}
		if hasComputed {
			q.Computed, _ = strconv.Atoi(computed)
		}
		if running {
			q.Held = q.Computed
		}
		seqs, names = append(seqs, q), append(names, name)
	}
	return seqs, names
}

func show(p *Plan, s *State, running, waiting []string) string {
	var out []string
	for _, i := range p.Pause {
		out = append(out, "pause "+running[i])
	}
	for _, i := range p.Decode {
		out = append(out, "decode "+running[i])
	}
	for _, w := range p.Prefill {
		c := s.Running[w.Index].Computed
		out = append(out, fmt.Sprintf("prefill %s[%d:%d]", running[w.Index], c, c+w.N))
	}
	for _, w := range p.Admit {
		c := s.Waiting[w.Index].Computed
		out = append(out, fmt.Sprintf("admit %s[%d:%d]", waiting[w.Index], c, c+w.N))
	}
	return strings.Join(out, "; ")
}

func TestPlan(t *testing.T) {
	for _, c := range []struct {
		rule             string
		running, waiting string
		tokens, free     int
		want             string
	}{
		{"running decodes go before prompts", "a", "c:6", 8, 40, "decode a; admit c[0:6]"},
		{"a long prompt is cut at the budget", "", "c:20", 8, 40, "admit c[0:8]"},
		{"a started prompt goes before a waiting one", "a:20@8", "c:6", 16, 40, "prefill a[8:20]; admit c[0:4]"},
		{"slices fill the budget exactly", "a b", "c:3 d:9", 8, 60, "decode a; decode b; admit c[0:3]; admit d[0:3]"},
		{"a cached prefix is not computed again", "", "c:20@12", 8, 40, "admit c[12:20]"},
		{"a request that has all its tokens computes no more", "a:10/0 b", "", 8, 40, "decode b"},
		{"a request that waits for its last sample computes nothing", "a:10@10", "", 8, 40, ""},
		{"a request that would overflow the pool later waits", "a:10/50", "c:20/30", 40, 70, "decode a"},
		{"and those behind it are not let past", "a:10/50", "c:20/30 d:2/1", 40, 70, "decode a"},
		{"out of slots pauses the newest request", "a b", "", 8, 1, "pause b; decode a"},
		{"nothing is admitted in a step that pauses", "a b", "c:2/1", 8, 1, "pause b; decode a"},
		{"the oldest request is never paused", "a", "", 8, 1, "decode a"},
		{"no more requests than rows", "a b c d", "e:2", 16, 60, "decode a; decode b; decode c; decode d"},
	} {
		running, rn := parse(c.running, true)
		waiting, wn := parse(c.waiting, false)
		s := &State{running, waiting}
		held := 0
		for _, q := range running {
			held += q.Held
		}
		var p Plan
		p.Make(s, Budget{Tokens: c.tokens, Requests: 4, Free: c.free, Total: 80, Cached: 100})
		if got := show(&p, s, rn, wn); got != c.want {
			t.Errorf("%s: Make() = %q, want %q", c.rule, got, c.want)
		}
	}
}

func TestPlan_LetsARequestWaitForAPrefixThatAnotherComputes(t *testing.T) {
	waiting := []Sequence{
		{Tokens: 40, Output: 1, Behind: true}, // a running one
		{Tokens: 9, Output: 1},
		{Tokens: 9, Output: 1, After: 2}, // the one before it
		{Tokens: 3, Output: 1, After: 3}, // one that is not admitted now
		{Tokens: 2, Output: 1},
	}
	var p Plan
	p.Make(&State{Waiting: waiting}, Budget{Tokens: 64, Requests: 8, Free: 100, Total: 100, Cached: 100})
	if got, want := show(&p, &State{Waiting: waiting}, nil, strings.Fields("a b c d e")), "admit b[0:9]; admit d[0:3]; admit e[0:2]"; got != want {
		t.Errorf("Make() = %q, want %q", got, want)
	}
}

func TestPlan_PausesTheNewestWhenToldTo(t *testing.T) {
	running, rn := parse("a b c:20@8", true)
	waiting, wn := parse("d:2", false)
	s := &State{running, waiting}
	var p Plan
	p.Make(s, Budget{Tokens: 16, Requests: 8, Free: 100, Total: 200, Cached: 100, Pause: true})
	if got, want := show(&p, s, rn, wn), "pause c; decode a; decode b"; got != want {
		t.Errorf("Make() = %q, want %q", got, want)
	}
}

func TestPlan_PolicyOrdersTheQueue(t *testing.T) {
	waiting := []Sequence{
		{Tokens: 4, Output: 1, Served: 9},
		{Tokens: 4, Output: 1, Priority: 3, Served: 5},
		{Tokens: 4, Output: 1, Computed: 2, Served: 7},
	}
	for policy, want := range map[Policy]int{FCFS: 0, LongestPrefix: 2, ByPriority: 1, FairShare: 1} {
		var p Plan
		p.Make(&State{Waiting: waiting}, Budget{Tokens: 8, Requests: 1, Free: 50, Total: 50, Cached: 50, Policy: policy})
		if len(p.Admit) != 1 || p.Admit[0].Index != want {
			t.Errorf("policy %d admits %v, want request %d", policy, p.Admit, want)
		}
	}
}

func TestPlan_ResumesPausedRequestsFirst(t *testing.T) {
	waiting := []Sequence{
		{Tokens: 9, Output: 1, Served: 9, Paused: true},
		{Tokens: 4, Output: 1, Priority: 3, Computed: 2},
		{Tokens: 7, Output: 1, Served: 3, Priority: 1, Paused: true},
	}
	for _, policy := range []Policy{LongestPrefix, ByPriority, FairShare} {
		var p Plan
		p.Make(&State{Waiting: waiting}, Budget{Tokens: 80, Requests: 8, Free: 50, Total: 50, Cached: 50, Policy: policy})
		if len(p.Admit) != 3 || p.Admit[0].Index != 0 || p.Admit[1].Index != 2 {
			t.Errorf("policy %d admits %v, want requests 0, 2, 1", policy, p.Admit)
		}
	}
}

func TestPlan_AdmitsByWhatIsExpected(t *testing.T) {
	waiting := []Sequence{{Tokens: 10, Output: 90, Expect: 20}, {Tokens: 10, Output: 90, Expect: 20}, {Tokens: 10, Output: 90, Expect: 20}}
	var p Plan
	p.Make(&State{Waiting: waiting}, Budget{Tokens: 80, Requests: 8, Free: 100, Total: 70, Cached: 50})
	if len(p.Admit) != 2 { // three would hold 90 at their expected end, two hold 60
		t.Errorf("%d requests are admitted, want 2", len(p.Admit))
	}
}

func TestPeak_IsTheMostEverHeldAtOnce(t *testing.T) {
	// a holds 10 and adds 50, b holds 20 and adds 20: with 20 added to both 30+40 = 70, then b leaves and a ends at 60.
	var d []demand
	d = insert(d, demand{left: 20, held: 20})
	d = insert(d, demand{left: 50, held: 10})
	if got := peak(d); got != 70 {
		t.Fatalf("peak = %d, want 70", got)
	}
}

func TestMake_AllocatesNothing(t *testing.T) {
	s := &State{Running: make([]Sequence, 200), Waiting: make([]Sequence, 100)}
	for i := range s.Running {
		s.Running[i] = Sequence{Tokens: 100, Computed: 99, Output: 100 + i%17, Held: 99}
	}
	for i := range s.Waiting {
		s.Waiting[i] = Sequence{Tokens: 100, Output: 100}
	}
	var p Plan
	b := Budget{Tokens: 8192, Requests: 256, Free: 1 << 20, Total: 1 << 20, Cached: 1 << 20}
	p.Make(s, b)
	if n := testing.AllocsPerRun(20, func() { p.Make(s, b) }); n != 0 {
		t.Fatalf("%v allocations, want 0", n)
	}
}

func TestPlan_PromptsBesideDecodesAreCutAtTheMixedBudget(t *testing.T) {
	running, _ := parse("a b:300@20", true)
	waiting, _ := parse("c:50", false)
	b := Budget{Tokens: 512, Mixed: 64, Requests: 4, Free: 1000, Total: 1000, Cached: 1000}
	var p Plan
	p.Make(&State{running, waiting}, b)
	if len(p.Decode) != 1 || len(p.Prefill) != 1 || p.Prefill[0].N != 64 || len(p.Admit) != 0 {
		t.Errorf("beside a decode: %+v, want 64 tokens of b", p)
	}
	p.Make(&State{running[1:], waiting}, b)
	if len(p.Prefill) != 1 || p.Prefill[0].N != 280 || len(p.Admit) != 1 {
		t.Errorf("with no decode: %+v, want all of b and c", p)
	}
}
