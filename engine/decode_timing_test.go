package engine

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// instant is a backend that does nothing and is never waited for: what a step costs with it is the engine's own work.
type instant struct {
	chain
	batch [2]backend.Batch
	steps int
}

func (b *instant) Begin(s *backend.Step) (*backend.Batch, error) {
	b.steps++
	batch := &b.batch[b.steps%2]
	batch.Samples = len(s.Last)
	return batch, nil
}

func (b *instant) Run(*backend.Batch, func(*backend.Batch) tensor.View) error { return nil }

func (b *instant) Collect(batch *backend.Batch, r *backend.Result) error {
	r.IDs = r.IDs[:0]
	for range batch.Samples {
		r.IDs = append(r.IDs, 1)
	}
	return nil
}

// decoding is an engine without its goroutine, in the middle of decoding n requests that are read as fast as they come.
type decoding struct {
	l       *loop
	flying  *flight
	gens    []*Generation
	read    atomic.Int64 // tokens that readers took
	readers sync.WaitGroup
}

func startDecoding(t testing.TB, n int) *decoding {
	t.Helper()
	e := newEngine(Options{MaxContext: 8192, MaxRequests: n, KVTokens: n * 8192, StepTokens: 16 * n})
	b := &instant{chain: chain{vocab: vocab, async: true}}
	if err := e.prepare(b, chainModel{vocab, 8192}); err != nil {
		t.Fatal(err)
	}
	d := &decoding{l: e.loop}
	go e.loop.waker.run(e.done)
	for i := range n {
		g, err := e.Submit(request([]int32{int32(i % vocab), int32(i / vocab), 7, 7, 7, 7}, 8000))
		if err != nil {
			t.Fatal(err)
		}
		d.gens = append(d.gens, g)
		d.readers.Go(func() {
			tokens := make([]Token, 0, 1024)
			for err := error(nil); err == nil; {
				tokens, err = g.Next(context.Background(), tokens[:0])
				d.read.Add(int64(len(tokens)))
			}
		})
	}
	for range 20 {
		d.step(t)
	}
	if len(d.l.running) != n {
		t.Fatalf("%d requests decode, want %d", len(d.l.running), n)
	}
	return d
}

func (d *decoding) step(t testing.TB) {
	d.l.receive(true)
	next, err := d.l.launch()
	if err == nil && d.flying != nil {
		err = d.l.land(d.flying)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.flying = next
	d.l.publish()
}

// settle waits until the readers have taken all tokens: each waits for its next one then, as it does between steps on
// a device.
func (d *decoding) settle() {
	for d.read.Load() < int64(d.l.count.OutputTokens) {
		runtime.Gosched()
	}
}

func (d *decoding) stop() {
	for _, g := range d.gens {
		g.Cancel()
	}
	d.l.receive(true)
	d.readers.Wait()
	d.l.e.halt()
}

// BenchmarkStep_Decode256 reports the engine goroutine's work for a decode step of 256 requests as host-µs/step. Its
// time per operation is larger: it has the work of the readers, which wait for their token before each step.
func BenchmarkStep_Decode256(b *testing.B) {
	d := startDecoding(b, 256)
	b.ReportAllocs()
	var host []time.Duration
	for b.Loop() {
		if len(d.gens) == 0 || d.l.count.Steps%7000 == 0 {
			b.StopTimer()
			d.stop()
			d = startDecoding(b, 256)
			b.StartTimer()
		}
		d.step(b)
		d.settle()
	}
	for _, r := range d.l.recorder.list() {
		host = append(host, r.Host())
	}
	slices.Sort(host)
	b.ReportMetric(float64(host[len(host)/2])/1e3, "host-µs/step")
	b.ReportMetric(float64(host[len(host)*99/100])/1e3, "p99-host-µs/step")
	d.stop()
}
