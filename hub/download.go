package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// download is one file on its way into the cache.
type download struct {
	File
	url     string // at the endpoint
	blob    string // its place in the model's directory
	partial *partial
	resumed bool         // it began with bytes of an earlier run
	left    atomic.Int32 // parts in flight or to come

	mu    sync.Mutex
	etag  string // of the server that the bytes come from; sent as If-Range
	whole bool   // one connection took over, since the server does not serve ranges of what was begun
}

// transfer downloads several files over a bounded number of connections.
type transfer struct {
	hub   *Hub
	root  *os.Root
	total int64
	files []*download

	mu   sync.Mutex
	done int64
	net  int64 // bytes that came over the network
}

// bufferSize is what a connection reads before it writes; also what a killed process loses of each.
const bufferSize = 128 << 10

// longCheck is the size from which reading a file again takes so long that one is told.
const longCheck = 4 << 30

// begin opens f's partial file.
func (t *transfer) begin(r Ref, commit string, f File) error {
	d := &download{File: f, blob: path.Join(blobsDir, f.ID)}
	d.url = "/" + r.ID() + "/resolve/" + commit + "/" + escapePath(f.Name)
	var err error
	if d.partial, err = openPartial(t.root, d.blob+partialSuffix, f.Size); err != nil {
		return fmt.Errorf("cannot download %s: %w", f.Name, err)
	}
	have := d.partial.have()
	d.resumed = have > 0
	d.left.Store(int32(max(1, len(d.partial.done))))
	t.done += have
	t.files = append(t.files, d)
	return nil
}

func escapePath(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// close closes the partial files and leaves them for the next run.
func (t *transfer) close() error {
	var err error
	for _, d := range t.files {
		if e := d.partial.f.Close(); !errors.Is(e, os.ErrClosed) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// run downloads everything. Parts are taken in order, so that the first files are whole first.
func (t *transfer) run(ctx context.Context) error {
	type job struct {
		d *download
		i int
	}
	jobs := make(chan job)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(jobs)
		for _, d := range t.files {
			for i := range max(1, len(d.partial.done)) {
				select {
				case jobs <- job{d, i}:
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
		}
		return nil
	})
	for range t.hub.o.Connections {
		g.Go(func() error {
			buf := make([]byte, bufferSize)
			for j := range jobs {
				if err := t.job(ctx, j.d, j.i, buf); err != nil {
					return fmt.Errorf("cannot download %s: %w", j.d.Name, err)
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// job downloads part i of d; the last job of a file puts it in its place.
func (t *transfer) job(ctx context.Context, d *download, i int, buf []byte) error {
	if d.Size > 0 {
		if err := t.part(ctx, d, i, buf); err != nil {
			return err
		}
	}
	if d.left.Add(-1) > 0 {
		return nil
	}
	if d.Size > longCheck {
		t.hub.notice("checking the hash of " + d.Name)
	}
	err := verify(ctx, d.File, d.partial.f)
	var bad *HashError
	if errors.As(err, &bad) && d.resumed {
		// What an earlier run left may have been damaged by a power cut: once more, from nothing.
		t.hub.notice(d.Name + " was damaged: downloading it again")
		if err = t.restart(ctx, d, buf); err == nil {
			err = verify(ctx, d.File, d.partial.f)
		}
	}
	if errors.As(err, &bad) {
		return errors.Join(err, d.partial.f.Close(), t.root.Remove(d.blob+partialSuffix)) // Windows deletes no open file
	}
	if err != nil {
		return err
	}
	return t.commit(d)
}

// commit moves a verified file to its place.
func (t *transfer) commit(d *download) error {
	if err := d.partial.finish(); err != nil {
		return err
	}
	if err := d.rename(t.root); err != nil {
		return onDisk(err)
	}
	return onDisk(syncDir(t.root, blobsDir))
}

// part downloads what part i lacks. A server may give less than it is asked for.
func (t *transfer) part(ctx context.Context, d *download, i int, buf []byte) error {
	for {
		from, to, _ := d.partial.rest(i)
		if from == to || d.isWhole() {
			return nil
		}
		err := t.hub.retry(ctx, func() (bool, error) {
			before, to, epoch := d.partial.rest(i)
			if d.isWhole() { // after rest: the epoch of the connection that took over is for it alone
				return false, errStale
			}
			err := t.request(ctx, d, i, before, to, epoch, buf)
			after, _, _ := d.partial.rest(i)
			return after > before, err
		})
		if err != nil && !errors.Is(err, errStale) {
			return err
		}
	}
}

func (d *download) isWhole() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.whole
}

// request asks for bytes [from, to) of d and writes what comes.
func (t *transfer) request(ctx context.Context, d *download, i int, from, to int64, epoch int, buf []byte) error {
	watched, stall := t.hub.watch(ctx)
	defer stall.stop()
	h := http.Header{}
	ranged := to-from < d.Size
	d.mu.Lock()
	etag := d.etag
	d.mu.Unlock()
	if ranged {
		h.Set("Range", fmt.Sprintf("bytes=%d-%d", from, to-1))
		if etag != "" {
			h.Set("If-Range", etag)
		}
	}
	resp, err := t.hub.client.get(watched, d.url, h, &d.File)
	if err != nil {
		return stall.explain(err)
	}
	defer resp.Body.Close()
	if !ranged && resp.StatusCode == http.StatusOK {
		to, err = d.Size, checkLength(resp, d.Size)
	} else if ranged && resp.StatusCode == http.StatusOK {
		return t.takeOver(ctx, d, buf)
	} else {
		to, err = checkRange(resp, from, to, d.Size)
	}
	if err == nil {
		err = d.sameObject(resp)
	}
	if err != nil {
		return err
	}
	return stall.explain(t.copy(d, i, epoch, io.LimitReader(stall.reader(resp.Body), to-from), to-from, buf))
}

// sameObject remembers the server's tag, and refuses bytes of another object than those before.
func (d *download) sameObject(resp *http.Response) error {
	tag := resp.Header.Get("ETag")
	if tag == "" || strings.HasPrefix(tag, "W/") {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.etag == "" {
		d.etag = tag
	}
	if d.etag != tag {
		d.etag = "" // the next answer counts; the hash decides in the end
		return &badAnswer{"the server's tag of the file changed"}
	}
	return nil
}

// checkLength refuses a whole file of another size than listed before a byte is read.
func checkLength(resp *http.Response, size int64) error {
	if resp.ContentLength >= 0 && resp.ContentLength != size {
		return &badAnswer{fmt.Sprintf("the server announced %d bytes, the Hub lists %d", resp.ContentLength, size)}
	}
	return nil
}

// checkRange returns where the bytes of a 206 end. They must begin where they were asked to.
func checkRange(resp *http.Response, from, to, size int64) (int64, error) {
	got := resp.Header.Get("Content-Range")
	bad := &badAnswer{fmt.Sprintf("the server answered range %.60q, want bytes %d-%d/%d", got, from, to-1, size)}
	spec, ok := strings.CutPrefix(got, "bytes ")
	span, total, ok2 := strings.Cut(spec, "/")
	first, last, ok3 := strings.Cut(span, "-")
	a, err1 := strconv.ParseInt(first, 10, 64)
	b, err2 := strconv.ParseInt(last, 10, 64)
	if !ok || !ok2 || !ok3 || err1 != nil || err2 != nil || total != "*" && total != strconv.FormatInt(size, 10) {
		return 0, bad
	}
	if a != from || b < a || b >= to || resp.ContentLength >= 0 && resp.ContentLength != b-a+1 {
		return 0, bad
	}
	return b + 1, nil
}

// copy writes want bytes of r, which continue part i of d, into it and the parts after it.
func (t *transfer) copy(d *download, i, epoch int, r io.Reader, want int64, buf []byte) error {
	for want > 0 {
		from, to, now := d.partial.rest(i)
		if now != epoch {
			return errStale
		}
		if from == to {
			i++
			continue
		}
		n, err := io.ReadFull(r, buf[:min(int64(len(buf)), to-from, want)])
		if n > 0 {
			if err := d.partial.write(i, epoch, buf[:n]); err != nil {
				return err
			}
			t.add(int64(n), int64(n))
			want -= int64(n)
		}
		if err != nil && want > 0 {
			return fmt.Errorf("the connection ended %d bytes early: %w", want, err)
		}
	}
	return nil
}

// takeOver goes on with d over one connection from its beginning: the server answered a range with the whole file, so it
// does not serve ranges, or has another file by now. A connection that comes second leaves d to the first.
func (t *transfer) takeOver(ctx context.Context, d *download, buf []byte) error {
	d.mu.Lock()
	taken := d.whole
	d.whole = true
	d.mu.Unlock()
	if taken {
		return errStale
	}
	if err := t.restart(ctx, d, buf); err != nil {
		return &finalError{err}
	}
	return nil
}

// finalError was retried already.
type finalError struct{ error }

func (e *finalError) Unwrap() error { return e.error }

// restart downloads all of d over one connection.
func (t *transfer) restart(ctx context.Context, d *download, buf []byte) error {
	return t.hub.retry(ctx, func() (bool, error) {
		dropped, epoch, err := d.partial.reset()
		if err != nil {
			return false, err
		}
		t.add(-dropped, 0)
		watched, stall := t.hub.watch(ctx)
		defer stall.stop()
		resp, err := t.hub.client.get(watched, d.url, nil, &d.File)
		if err != nil {
			return false, stall.explain(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return false, &badAnswer{"the server sent a part of the file, which was not asked for"}
		}
		if err := checkLength(resp, d.Size); err != nil {
			return false, err
		}
		return false, stall.explain(t.copy(d, 0, epoch, stall.reader(resp.Body), d.Size, buf))
	})
}

// add counts bytes of progress, and those that came over the network.
func (t *transfer) add(n, network int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done += n
	t.net += network
	t.hub.o.Progress(t.done, t.total)
}

// rename gives the file its name in the cache. It is closed first: Windows renames no open file.
func (d *download) rename(root *os.Root) error {
	if err := d.partial.f.Close(); err != nil {
		return err
	}
	return root.Rename(d.blob+partialSuffix, d.blob)
}

// watch returns a context that ends when its connection stalls.
func (h *Hub) watch(ctx context.Context) (context.Context, *stall) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stall{cancel: cancel, limit: h.pace.stall}
	s.err = &badAnswer{fmt.Sprintf("no byte came for %v", s.limit)}
	s.ctx = ctx
	return ctx, s
}

// stall cuts a connection that no longer brings bytes. Until the first byte, the transport's own limits hold.
type stall struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	limit  time.Duration
	timer  *time.Timer
	err    error
	body   io.Reader
}

func (s *stall) reader(body io.Reader) io.Reader {
	s.body = body
	s.timer = time.AfterFunc(s.limit, func() { s.cancel(s.err) })
	return s
}

func (s *stall) Read(b []byte) (int, error) {
	n, err := s.body.Read(b)
	s.timer.Reset(s.limit)
	return n, err
}

// explain returns the stall in the place of the error that cutting the connection led to.
func (s *stall) explain(err error) error {
	if err != nil && context.Cause(s.ctx) == s.err {
		return s.err
	}
	return err
}

func (s *stall) stop() {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.cancel(context.Canceled)
}
