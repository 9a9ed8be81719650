// Package load drives an OpenAI endpoint, ours or another's, with requests that arrive as given, and measures what its
// clients see: time to first token, between tokens and in all, throughput, errors, and goodput against stated limits.
package load

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Workload is what clients will ask, drawn before it starts: the same seed asks the same.
type Workload struct {
	System   []int32 // token ids that every prompt begins with
	Sessions []Session
	Skipped  int // requests of a trace that were left out, see Trace
}

// Session is one client's conversation: a turn is sent when the one before it has been answered.
type Session struct {
	At    time.Duration // when its first turn is due, in an open loop; 0 for all: a burst
	Turns []Turn
}

// Turn adds Input to the conversation so far and asks for Output tokens.
type Turn struct {
	Input  []int32
	Output int
}

// Requests returns how many requests w makes.
func (w *Workload) Requests() int {
	n := 0
	for i := range w.Sessions {
		n += len(w.Sessions[i].Turns)
	}
	return n
}

// Range is an inclusive range of sizes; it reads "128" or "100-1024".
type Range struct{ Lo, Hi int }

// UnmarshalText reads one number or two with a dash between.
func (r *Range) UnmarshalText(b []byte) error {
	lo, hi, two := strings.Cut(string(b), "-")
	if !two {
		hi = lo
	}
	var err [2]error
	r.Lo, err[0] = strconv.Atoi(lo)
	r.Hi, err[1] = strconv.Atoi(hi)
	if err[0] != nil || err[1] != nil || r.Lo < 0 || r.Hi < r.Lo {
		return fmt.Errorf("cannot read %q as a range: want 128 or 100-1024", b)
	}
	return nil
}

func (r Range) draw(from *rand.Rand) int { return r.Lo + from.IntN(r.Hi-r.Lo+1) }

// Shape describes a synthetic workload: Users conversations of Turns turns, which share a system prompt.
type Shape struct {
	Users, Turns  int
	System        int   // tokens of the common system prompt; 0: nothing is shared
	Input, Output Range // tokens of a turn
	Vocab         int   // ids are below it
	Seed          uint64
}

// Synthetic draws a workload of random token ids.
func Synthetic(s Shape) *Workload {
	from := rand.New(rand.NewPCG(s.Seed, 0x77656674))
	w := &Workload{System: randomIDs(from, s.System, s.Vocab)}
	for range s.Users {
		var one Session
		for range s.Turns {
			one.Turns = append(one.Turns, Turn{Input: randomIDs(from, max(s.Input.draw(from), 1), s.Vocab), Output: max(s.Output.draw(from), 1)})
		}
		w.Sessions = append(w.Sessions, one)
	}
	return w
}

func randomIDs(from *rand.Rand, n, vocab int) []int32 {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = from.Int32N(int32(vocab))
	}
	return ids
}

// Poisson makes sessions arrive at random with rate a second on average, independently of each other.
func (w *Workload) Poisson(rate float64, seed uint64) {
	from := rand.New(rand.NewPCG(seed, 0x706f6973))
	at := 0.0
	for i := range w.Sessions {
		at += from.ExpFloat64() / rate
		w.Sessions[i].At = time.Duration(at * float64(time.Second))
	}
}
