package load

import (
	"bufio"
	"context"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// metrics reads t's Prometheus page: each series under its name and labels as they are written. Nil when there is none.
func (t *Target) metrics(ctx context.Context) map[string]float64 {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, t.URL+"/metrics", nil)
	if err != nil {
		return nil
	}
	t.authorize(q)
	a, err := t.client.Do(q)
	if err != nil {
		return nil
	}
	defer a.Body.Close()
	if a.StatusCode != http.StatusOK {
		return nil
	}
	all := map[string]float64{}
	for lines := bufio.NewScanner(a.Body); lines.Scan(); {
		at := strings.LastIndexByte(lines.Text(), ' ')
		if v, err := strconv.ParseFloat(lines.Text()[at+1:], 64); err == nil && at > 0 {
			all[lines.Text()[:at]] = v
		}
	}
	return all
}

// Inside is what weft itself measured of its refusals: from the last bytes of a request to the answer's write.
type Inside struct {
	Count int           `json:"count"`
	Mean  time.Duration `json:"mean_ns"`
	P99   time.Duration `json:"p99_ns"` // the bound of the bucket that it lies in

	sum     float64             // seconds
	buckets map[float64]float64 // by upper bound, each with those below it
}

// refusals reads weft's histogram; nil when t has none.
func (t *Target) refusals(ctx context.Context) *Inside {
	const name = "weft_refusal_seconds"
	all := t.metrics(ctx)
	count, ok := all[name+"_count"]
	if !ok {
		return nil
	}
	x := &Inside{Count: int(count), sum: all[name+"_sum"], buckets: map[float64]float64{}}
	for series, v := range all {
		bound, ok := strings.CutPrefix(series, name+`_bucket{le="`)
		if le, err := strconv.ParseFloat(strings.TrimSuffix(bound, `"}`), 64); ok && err == nil {
			x.buckets[le] = v
		}
	}
	return x
}

// refusalsSince reads what was counted since before: want refusals or more, unless they do not
// come. A server counts a refusal after it has written it, and the client may be here by then.
func (t *Target) refusalsSince(ctx context.Context, before *Inside, want int) *Inside {
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		x := t.refusals(ctx).since(before)
		if before == nil || want == 0 || x != nil && x.Count >= want || time.Now().After(end) || ctx.Err() != nil {
			return x
		}
	}
}

// since takes off what was counted before. It returns nil when nothing is left.
func (x *Inside) since(before *Inside) *Inside {
	if x == nil || before == nil || x.Count == before.Count {
		return nil
	}
	d := &Inside{Count: x.Count - before.Count}
	d.Mean = time.Duration((x.sum - before.sum) / float64(d.Count) * float64(time.Second))
	for _, le := range slices.Sorted(maps.Keys(x.buckets)) {
		if x.buckets[le]-before.buckets[le] >= 0.99*float64(d.Count) {
			d.P99 = time.Duration(math.Min(le, 3600) * float64(time.Second))
			break
		}
	}
	return d
}
