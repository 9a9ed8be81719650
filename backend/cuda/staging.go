package cuda

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/ptx"
)

// staging carries weights from the file to the GPU in chunks: page cache → pinned buffer → device buffer → converted.
// Two chunks are under way at a time. It is made with the first weight and given back by Plan.
type staging struct {
	ctx    *driver.Context
	chunks [2]chunk
	next   int
}

type chunk struct {
	host   []byte
	device driver.DevicePtr
	free   driver.Event // the work that reads this chunk
}

// chunkSlack is the bytes that a kernel may read behind a chunk.
const chunkSlack = 256

// openStaging makes the staging, once.
func (b *Backend) openStaging() error {
	if b.staging != nil {
		return nil
	}
	s := &staging{ctx: b.ctx}
	for i := range s.chunks {
		if err := s.chunks[i].open(b.ctx, b.opts.Chunk); err != nil {
			return errors.Join(err, s.close())
		}
	}
	b.staging = s
	return nil
}

func (c *chunk) open(ctx *driver.Context, n int) (err error) {
	if c.host, err = ctx.AllocHost(n); err != nil {
		return err
	}
	if c.device, err = ctx.Alloc(int64(n) + chunkSlack); err != nil {
		return err
	}
	c.free, err = ctx.NewEvent(false)
	return err
}

// close frees the buffers. Work that uses them must have ended.
func (s *staging) close() error {
	if s == nil {
		return nil
	}
	var errs []error
	for _, c := range s.chunks {
		errs = append(errs, s.ctx.FreeHost(c.host), s.ctx.Free(c.device), c.free.Destroy())
	}
	return errors.Join(errs...)
}

// closeStaging waits for the last chunks and gives the buffers back.
func (b *Backend) closeStaging() error {
	if b.staging == nil {
		return nil
	}
	s := b.staging
	b.staging = nil
	return errors.Join(b.stream.Sync(), s.close())
}

// place sends the n elements of s where to says, made up when s has no data.
func (b *Backend) place(s backend.Source, to ptx.Place, n int) error {
	var err error
	if s.Data == nil {
		err = b.k.Random(b.stream, to, n, s.Seed, s.Std)
	} else {
		err = b.send(s, to, n)
	}
	if err != nil {
		return fmt.Errorf("cannot load %s: %w", s.Name, err)
	}
	return nil
}

// send streams s through the chunks, a whole number of blocks and of eight elements each.
func (b *Backend) send(s backend.Source, to ptx.Place, n int) error {
	if err := b.openStaging(); err != nil {
		return err
	}
	per := b.opts.Chunk / s.Type.Size() / 8 * 8 * s.Type.Block()
	for first := 0; first < n; first += per {
		count := min(per, n-first)
		lo := s.Type.Bytes(first)
		if err := b.sendChunk(s.Data[lo:lo+s.Type.Bytes(count)], s, to, first, count); err != nil {
			return err
		}
	}
	return nil
}

func (b *Backend) sendChunk(data []byte, s backend.Source, to ptx.Place, first, n int) error {
	c := &b.staging.chunks[b.staging.next]
	b.staging.next = 1 - b.staging.next
	if err := c.free.Sync(); err != nil {
		return err
	}
	copyWide(c.host, data)
	if err := driver.CopyHtoD(b.stream, c.device, c.host[:len(data)]); err != nil {
		return err
	}
	if err := b.k.Convert(b.stream, to, c.device, s.Type, first, n); err != nil {
		return err
	}
	return c.free.Record(b.stream)
}

// copyWide copies by several cores: one cannot fill the host link.
func copyWide(dst, src []byte) {
	const piece = 1 << 20
	workers := min(8, runtime.GOMAXPROCS(0), len(src)/piece)
	if workers < 2 {
		copy(dst, src)
		return
	}
	var wg sync.WaitGroup
	each := (len(src) + workers - 1) / workers
	for lo := 0; lo < len(src); lo += each {
		hi := min(lo+each, len(src))
		wg.Go(func() { copy(dst[lo:hi], src[lo:hi]) })
	}
	wg.Wait()
}
