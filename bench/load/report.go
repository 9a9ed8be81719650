package load

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is a run: every request that was sent.
type Report struct {
	Results []Result
	Wall    time.Duration
	Open    bool // requests arrived at their own times
	Unsent  int  // turns behind one that failed
	Skipped int  // requests of a trace that were left out
}

// Spread is how times are distributed.
type Spread struct {
	Mean time.Duration `json:"mean_ns"`
	P50  time.Duration `json:"p50_ns"`
	P90  time.Duration `json:"p90_ns"`
	P99  time.Duration `json:"p99_ns"`
	Max  time.Duration `json:"max_ns"`
}

// spread sorts d.
func spread(d []time.Duration) Spread {
	if len(d) == 0 {
		return Spread{}
	}
	slices.Sort(d)
	var sum time.Duration
	for _, x := range d {
		sum += x
	}
	return Spread{Mean: sum / time.Duration(len(d)), P50: rank(d, 50), P90: rank(d, 90), P99: rank(d, 99), Max: d[len(d)-1]}
}

// rank returns the nearest-rank percentile of sorted d: the least value that p percent are not above.
func rank(d []time.Duration, p int) time.Duration { return d[max((len(d)*p+99)/100, 1)-1] }

// Summary is a report in figures. Throughput counts requests that were answered whole.
type Summary struct {
	Requests int            `json:"requests"`
	Answered int            `json:"answered"`
	Errors   map[string]int `json:"errors"`
	Unsent   int            `json:"unsent"`
	Skipped  int            `json:"skipped"`
	Wall     time.Duration  `json:"wall_ns"`
	Input    int            `json:"input_tokens"`
	Output   int            `json:"output_tokens"`
	Cached   int            `json:"cached_tokens"`

	RequestsPerSecond float64 `json:"requests_per_s"`
	InputPerSecond    float64 `json:"input_tokens_per_s"`
	OutputPerSecond   float64 `json:"output_tokens_per_s"`

	TTFT       Spread `json:"ttft"`
	InterToken Spread `json:"inter_token"` // between pieces of an answer, over all of them
	TPOT       Spread `json:"tpot"`        // of each request: mean time of a token after the first
	E2E        Spread `json:"e2e"`
	Late       Spread `json:"late"` // by how much the client sent requests later than due

	Goodput *Goodput `json:"goodput,omitempty"`
}

// Goodput is what was served within limits.
type Goodput struct {
	Limits    string  `json:"limits"`
	Met       int     `json:"met"` // requests answered whole within all limits
	Share     float64 `json:"share"`
	PerSecond float64 `json:"requests_per_s"`
}

// Summarize computes the figures of r. limits may be nil.
func (r *Report) Summarize(limits Limits) Summary {
	s := Summary{Requests: len(r.Results), Errors: map[string]int{}, Unsent: r.Unsent, Skipped: r.Skipped, Wall: r.Wall}
	var ttft, gaps, tpot, e2e, late []time.Duration
	met := 0
	for i := range r.Results {
		q := &r.Results[i]
		late = append(late, q.Sent-q.Due)
		if q.Error != "" {
			s.Errors[q.Error]++
			continue
		}
		s.Answered++
		s.Input, s.Output, s.Cached = s.Input+q.Input, s.Output+q.Output, s.Cached+q.Cached
		e2e = append(e2e, q.E2E())
		ttft = append(ttft, q.TTFT())
		gaps = q.gaps(gaps)
		if d := q.TPOT(); d > 0 {
			tpot = append(tpot, d)
		}
		if limits.met(q) {
			met++
		}
	}
	s.TTFT, s.InterToken, s.TPOT, s.E2E, s.Late = spread(ttft), spread(gaps), spread(tpot), spread(e2e), spread(late)
	seconds := r.Wall.Seconds()
	s.RequestsPerSecond = float64(s.Answered) / seconds
	s.InputPerSecond, s.OutputPerSecond = float64(s.Input)/seconds, float64(s.Output)/seconds
	if len(limits) > 0 {
		s.Goodput = &Goodput{Limits: limits.String(), Met: met, Share: float64(met) / float64(max(s.Requests+s.Unsent, 1)), PerSecond: float64(met) / seconds}
	}
	return s
}

// Behind is how late requests may be sent before a report says that the client is what limits the load.
const Behind = 10 * time.Millisecond

// WriteText writes s as a table.
func (s *Summary) WriteText(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%d requests, %d answered in %.2f s: %.2f requests/s, %.1f tokens/s in (%d, of which %d cached), %.1f tokens/s out (%d)\n",
		s.Requests, s.Answered, s.Wall.Seconds(), s.RequestsPerSecond, s.InputPerSecond, s.Input, s.Cached, s.OutputPerSecond, s.Output)
	fmt.Fprintln(t, "ms\tmean\tp50\tp90\tp99\tmax\t")
	for _, row := range []struct {
		name string
		d    Spread
	}{{"time to first token", s.TTFT}, {"inter-token", s.InterToken}, {"per output token", s.TPOT}, {"end to end", s.E2E}} {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t\n", row.name, ms(row.d.Mean), ms(row.d.P50), ms(row.d.P90), ms(row.d.P99), ms(row.d.Max))
	}
	t.Flush()
	if len(s.Errors) > 0 || s.Unsent > 0 {
		var list []string
		for _, k := range slices.Sorted(maps.Keys(s.Errors)) {
			list = append(list, fmt.Sprintf("%s: %d", k, s.Errors[k]))
		}
		fmt.Fprintf(w, "errors: %s; %d turns not sent after one\n", strings.Join(list, ", "), s.Unsent)
	}
	if s.Skipped > 0 {
		fmt.Fprintf(w, "%d requests of the trace are longer than the context and were left out\n", s.Skipped)
	}
	if g := s.Goodput; g != nil {
		fmt.Fprintf(w, "goodput within %s: %d requests, %.1f%%, %.2f requests/s\n", g.Limits, g.Met, 100*g.Share, g.PerSecond)
	}
	if s.Late.P99 > Behind {
		fmt.Fprintf(w, "the client fell behind: requests were sent %s ms (p99) after they were due\n", ms(s.Late.P99))
	}
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond)) }

// WriteJSON writes the summary with every request.
func (r *Report) WriteJSON(w io.Writer, command string, s Summary) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	err := e.Encode(struct {
		Command string   `json:"command"`
		Summary Summary  `json:"summary"`
		Results []Result `json:"results"`
	}{command, s, r.Results})
	if err != nil {
		return fmt.Errorf("cannot write results: %w", err)
	}
	return nil
}
