package load

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Limits are what a request must keep to count as goodput. They read "ttft:500ms,itl:50ms"; the names are
//
//	ttft  time to first token
//	itl   99th percentile of the times between tokens of the request
//	tpot  mean time of a token after the first
//	e2e   time to the last token
type Limits []Limit

// Limit bounds one figure of a request.
type Limit struct {
	Name string
	Most time.Duration
}

var measures = map[string]func(*Result) time.Duration{
	"ttft": (*Result).TTFT,
	"tpot": (*Result).TPOT,
	"e2e":  (*Result).E2E,
	"itl": func(r *Result) time.Duration {
		d := r.gaps(nil)
		if len(d) == 0 {
			return 0
		}
		slices.Sort(d)
		return rank(d, 99)
	},
}

// UnmarshalText reads limits.
func (l *Limits) UnmarshalText(b []byte) error {
	*l = nil
	for part := range strings.SplitSeq(string(b), ",") {
		name, most, _ := strings.Cut(part, ":")
		d, err := time.ParseDuration(most)
		if err != nil || d <= 0 || measures[name] == nil {
			return fmt.Errorf("cannot read the limit %q: want ttft, itl, tpot or e2e with a time, such as ttft:500ms", part)
		}
		*l = append(*l, Limit{name, d})
	}
	return nil
}

func (l Limits) String() string {
	var parts []string
	for _, x := range l {
		parts = append(parts, x.Name+":"+x.Most.String())
	}
	return strings.Join(parts, ",")
}

func (l Limits) met(r *Result) bool {
	for _, x := range l {
		if measures[x.Name](r) > x.Most {
			return false
		}
	}
	return true
}
