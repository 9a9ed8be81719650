package load

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// Flood describes a test of overload: requests that are sent at the same moment, each on a connection that is open
// already and stays open.
type Flood struct {
	Requests int
	Prompt   int // tokens of each prompt
	Output   int // tokens of each answer
	Rounds   int // floods, one after the other
	Probes   int // single requests before and after them
	Vocab    int
	Seed     uint64
}

// Overload is what floods did. Before and After are times to the first token of single requests.
type Overload struct {
	Rounds []FloodRound `json:"rounds"`
	Before Spread       `json:"ttft_before"`
	After  Spread       `json:"ttft_after"`
	Inside *Inside      `json:"inside,omitempty"` // nil: the endpoint is not weft
}

// FloodRound is one flood as its clients saw it. A refusal takes from just before its request is written to its last
// byte; Last is when the last one had been read, from the start of the flood.
type FloodRound struct {
	Answered int            `json:"answered"`
	Refused  int            `json:"refused"` // 429
	Unfit    int            `json:"unfit"`   // of these, without Retry-After or OpenAI's form of an error
	Errors   map[string]int `json:"errors"`
	Refusal  Spread         `json:"refusal"`
	Last     time.Duration  `json:"last_refusal_ns"`
	Resident int64          `json:"resident_bytes"` // memory of weft's process afterwards; 0: the endpoint does not tell
}

// Run plays f against t, which must be reached without TLS.
func (f *Flood) Run(ctx context.Context, t *Target) (*Overload, error) {
	out := &Overload{}
	var err error
	if out.Before, err = f.probe(ctx, t, f.Seed); err != nil {
		return nil, err
	}
	inside := t.refusals(ctx)
	refused := 0
	for range f.Rounds {
		r, err := f.round(ctx, t)
		if err != nil {
			return nil, err
		}
		r.Resident = int64(t.metrics(ctx)["process_resident_memory_bytes"])
		out.Rounds = append(out.Rounds, *r)
		refused += r.Refused
	}
	out.Inside = t.refusalsSince(ctx, inside, refused)
	if out.After, err = f.probe(ctx, t, f.Seed+1); err != nil { // other prompts: those before are cached
		return nil, err
	}
	return out, nil
}

// probe sends single requests, one after the other.
func (f *Flood) probe(ctx context.Context, t *Target, seed uint64) (Spread, error) {
	w := Synthetic(Shape{Users: f.Probes, Turns: 1, Input: Range{f.Prompt, f.Prompt}, Output: Range{2, 2}, Vocab: f.Vocab, Seed: seed})
	r := Run(ctx, t, w, Options{Concurrency: 1, Vocab: f.Vocab})
	if s := r.Summarize(nil); s.Answered == f.Probes {
		return s.TTFT, ctx.Err()
	}
	for _, q := range r.Results {
		if q.Error != "" {
			return Spread{}, fmt.Errorf("cannot measure overload: a single request failed: %s", q.Detail)
		}
	}
	return Spread{}, fmt.Errorf("cannot measure overload: %w", ctx.Err())
}

// client is one connection of a flood.
type client struct {
	conn  net.Conn
	r     *bufio.Reader
	took  time.Duration
	end   time.Time
	kind  string // "answered", "429" or an error
	body  []byte // of a 429; it is looked at when all is over, since clients share a machine with the server
	after string // its Retry-After
}

func (f *Flood) round(ctx context.Context, t *Target) (*FloodRound, error) {
	text, addr, err := f.request(t)
	if err != nil {
		return nil, err
	}
	clients := make([]client, f.Requests)
	defer func() {
		for i := range clients {
			if clients[i].conn != nil {
				clients[i].conn.Close()
			}
		}
	}()
	var dial net.Dialer
	for i := range clients {
		c := &clients[i]
		if c.conn, err = dial.DialContext(ctx, "tcp", addr); err != nil {
			return nil, fmt.Errorf("cannot open connection %d of %d: %w", i+1, f.Requests, err)
		}
		_ = c.conn.SetDeadline(time.Now().Add(t.Timeout))
		c.r = bufio.NewReaderSize(c.conn, 1<<10)
	}
	stop := context.AfterFunc(ctx, func() {
		for i := range clients {
			_ = clients[i].conn.SetDeadline(time.Unix(1, 0))
		}
	})
	defer stop()
	var all, ready sync.WaitGroup
	start := make(chan struct{})
	for i := range clients {
		ready.Add(1)
		all.Go(func() {
			ready.Done()
			<-start
			clients[i].send(text)
		})
	}
	ready.Wait()
	time.Sleep(50 * time.Millisecond) // for the server to have taken the last connections in
	began := time.Now()
	close(start)
	all.Wait()
	return summarize(clients, began), ctx.Err()
}

// request is the bytes that each client sends, and where to.
func (f *Flood) request(t *Target) (text []byte, addr string, err error) {
	u, err := url.Parse(t.path())
	if err != nil || u.Scheme != "http" {
		return nil, "", fmt.Errorf("cannot flood %s: want an http:// address", t.URL)
	}
	addr = u.Host
	if u.Port() == "" {
		addr = net.JoinHostPort(u.Hostname(), "80")
	}
	c := newConversation(t, nil, 0, f.Vocab)
	c.say("user", Synthetic(Shape{Users: 1, Turns: 1, Input: Range{f.Prompt, f.Prompt}, Output: Range{1, 1}, Vocab: f.Vocab, Seed: f.Seed}).Sessions[0].Turns[0].Input)
	body := c.body(nil, f.Output)
	var b strings.Builder
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", u.Path, u.Host, len(body))
	if t.Key != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", t.Key)
	}
	b.WriteString("\r\n")
	b.Write(body)
	return []byte(b.String()), addr, nil
}

// send sends one request and reads its answer.
func (c *client) send(text []byte) {
	began := time.Now()
	defer func() { c.end = time.Now() }()
	if _, err := c.conn.Write(text); err != nil {
		c.kind = classify(err)
		return
	}
	a, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.kind = classify(err)
		return
	}
	defer a.Body.Close()
	switch a.StatusCode {
	case http.StatusOK:
		var f frame
		c.kind = "answered"
		if err := readStream(bufio.NewReader(a.Body), &f, func(*frame) {}); err != nil {
			c.kind = classify(err)
		}
	case http.StatusTooManyRequests:
		c.body, err = io.ReadAll(a.Body)
		c.took, c.kind, c.after = time.Since(began), "429", a.Header.Get("Retry-After")
		if err != nil {
			c.kind = classify(err)
		}
	default:
		c.kind = fmt.Sprint(a.StatusCode)
	}
}

// fit reports whether a 429 says when to come back, and why in OpenAI's form.
func (c *client) fit() bool {
	var e struct {
		Error struct{ Type, Message string }
	}
	return json.Unmarshal(c.body, &e) == nil && e.Error.Type != "" && e.Error.Message != "" && c.after != ""
}

func summarize(clients []client, began time.Time) *FloodRound {
	r := &FloodRound{Errors: map[string]int{}}
	var times []time.Duration
	for i := range clients {
		switch c := &clients[i]; c.kind {
		case "answered":
			r.Answered++
		case "429":
			r.Refused++
			if !c.fit() {
				r.Unfit++
			}
			times = append(times, c.took)
			r.Last = max(r.Last, c.end.Sub(began))
		default:
			r.Errors[c.kind]++
		}
	}
	r.Refusal = spread(times)
	return r
}

// WriteText writes x as a table.
func (x *Overload) WriteText(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "flood\tanswered\trefused\tunfit\terrors\t429 ms p50\tp90\tp99\tmax\tlast at\tserver MiB\t")
	for i, r := range x.Rounds {
		failed := 0
		for _, n := range r.Errors {
			failed += n
		}
		fmt.Fprintf(t, "%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%.1f\t\n", i+1, r.Answered, r.Refused, r.Unfit, failed,
			ms(r.Refusal.P50), ms(r.Refusal.P90), ms(r.Refusal.P99), ms(r.Refusal.Max), ms(r.Last), float64(r.Resident)/(1<<20))
	}
	t.Flush()
	if i := x.Inside; i != nil {
		fmt.Fprintf(w, "inside the server a refusal took %s ms on average, 99%% of %d at most %s ms\n", ms(i.Mean), i.Count, ms(i.P99))
	}
	fmt.Fprintf(w, "time to first token of single requests, ms: p50 %s before, %s after\n", ms(x.Before.P50), ms(x.After.P50))
}
