package load

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)

// Disturbance describes a test of interference: Decoders requests generate, then a prompt of Long tokens arrives.
type Disturbance struct {
	Decoders int
	Prompt   int // tokens of a decoding request's prompt
	Output   int // tokens that it generates
	Warm     int // the long prompt is sent when each has generated this many
	Long     int
	Vocab    int
	Seed     uint64
}

// Interference is what the long prompt did to the others. Quiet is a run without it, over the tokens that come while
// all generate; During is over those that come between the long prompt and its first token; Whole is Quiet's in the run
// with it.
type Interference struct {
	Quiet    Spread        `json:"quiet"`
	During   Spread        `json:"during"`
	Whole    Spread        `json:"whole"`
	Ratio    float64       `json:"ratio"` // During's p99 over Quiet's
	LongTTFT time.Duration `json:"long_ttft_ns"`
}

// Interfere runs the test against t.
func Interfere(ctx context.Context, t *Target, d Disturbance) (*Interference, error) {
	quiet, _, err := d.run(ctx, t, d.Seed, false)
	if err != nil {
		return nil, err
	}
	loud, long, err := d.run(ctx, t, d.Seed+1, true)
	if err != nil {
		return nil, err
	}
	out := &Interference{LongTTFT: long.TTFT()}
	from, to := quiet.steady(d.Warm)
	if from >= to {
		return nil, fmt.Errorf("cannot measure interference: the decoding requests do not generate at the same time. Let them generate more than %d tokens", d.Output)
	}
	out.Quiet = spread(quiet.gapsBetween(from, to))
	from, to = loud.steady(d.Warm)
	out.Whole = spread(loud.gapsBetween(from, to))
	if long.First > to {
		return nil, fmt.Errorf("cannot measure interference: a decoding request ended before the long prompt had its first token, after %v. "+
			"Let them generate more than %d tokens", long.TTFT().Round(time.Millisecond), d.Output)
	}
	out.During = spread(loud.gapsBetween(long.Sent, long.First))
	if out.Quiet.P99 > 0 {
		out.Ratio = float64(out.During.P99) / float64(out.Quiet.P99)
	}
	return out, nil
}

// run lets the decoders run, with the long prompt or without.
func (d *Disturbance) run(ctx context.Context, t *Target, seed uint64, disturb bool) (*Report, *Result, error) {
	w := Synthetic(Shape{Users: d.Decoders, Turns: 1, Input: Range{d.Prompt, d.Prompt}, Output: Range{d.Output, d.Output}, Vocab: d.Vocab, Seed: seed})
	long := &Result{}
	o := Options{Vocab: d.Vocab, start: time.Now()}
	var sent sync.WaitGroup
	if disturb {
		pieces := make([]atomic.Int64, d.Decoders)
		var warm atomic.Int64
		o.on = func(i int) {
			if pieces[i].Add(1) == int64(d.Warm) && warm.Add(1) == int64(d.Decoders) {
				sent.Go(func() { d.disturb(ctx, t, o.start, seed, long) })
			}
		}
	}
	r := Run(ctx, t, w, o)
	sent.Wait()
	for i := range r.Results {
		if q := &r.Results[i]; q.Error != "" || len(q.Arrivals) < d.Warm {
			return nil, nil, fmt.Errorf("cannot measure interference: decoding request %d has %d pieces of %d: %s", i, len(q.Arrivals), d.Output, q.Detail)
		}
	}
	if disturb && long.Error != "" {
		return nil, nil, fmt.Errorf("cannot measure interference: the long prompt failed: %s", long.Detail)
	}
	return r, long, ctx.Err()
}

func (d *Disturbance) disturb(ctx context.Context, t *Target, start time.Time, seed uint64, long *Result) {
	w := Synthetic(Shape{Users: 1, Turns: 1, Input: Range{d.Long, d.Long}, Output: Range{1, 1}, Vocab: d.Vocab, Seed: ^seed})
	c := newConversation(t, nil, d.Decoders, d.Vocab)
	c.say("user", w.Sessions[0].Turns[0].Input)
	t.call(ctx, start, c.body(nil, 1), long, nil)
}

// steady returns the time in which every request of r generates: from the last one's warm-th piece to the first end.
func (r *Report) steady(warm int) (from, to time.Duration) {
	to = 1<<63 - 1
	for i := range r.Results {
		a := r.Results[i].Arrivals
		from, to = max(from, a[warm-1]), min(to, a[len(a)-1])
	}
	return from, to
}

// gapsBetween returns the times between pieces of which some part lies between from and to.
func (r *Report) gapsBetween(from, to time.Duration) []time.Duration {
	var out []time.Duration
	for i := range r.Results {
		a := r.Results[i].Arrivals
		for j := 1; j < len(a); j++ {
			if a[j] > from && a[j-1] < to {
				out = append(out, a[j]-a[j-1])
			}
		}
	}
	return out
}

// WriteText writes x as a table.
func (x *Interference) WriteText(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "inter-token ms\tmean\tp50\tp90\tp99\tmax\t")
	for _, row := range []struct {
		name string
		d    Spread
	}{{"quiet", x.Quiet}, {"while the long prompt is computed", x.During}, {"whole run with it", x.Whole}} {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t\n", row.name, ms(row.d.Mean), ms(row.d.P50), ms(row.d.P90), ms(row.d.P99), ms(row.d.Max))
	}
	t.Flush()
	fmt.Fprintf(w, "p99 with the long prompt: %.2f times the quiet one; its time to first token: %s ms\n", x.Ratio, ms(x.LongTTFT))
}
