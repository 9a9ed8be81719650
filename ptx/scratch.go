package ptx

import (
	"errors"

	"github.com/weft-llm/weft/driver"
)

// What linear kernels need of the scratch memory for a multiprocessor.
const (
	tileSums   = 192 * 192 // of a tile, or of four of 64x64 before Hopper
	tileCounts = 12        // one of each warp of the tile, or of each of the four; attention has fewer
	keptSums   = 96 * 192  // of a tile whose sums are not counted
)

// scratch is memory where blocks leave sums for each other. All kernels have it in turns: none leaves there what a later launch
// would read, and those that start early touch it only once the kernels ahead have ended.
type scratch struct {
	sums   area // of blocks that are counted
	counts area // zero between launches
	kept   area // on Hopper, sums that are their own sign, absent between launches: see src/hopper.cuh
}

// area is memory of 4-byte words.
type area struct {
	ptr   driver.DevicePtr
	words int
}

func (k *Kernels) openScratch() error {
	s, err := k.ctx.NewStream()
	if err != nil {
		return err
	}
	return errors.Join(k.growScratch(s, 0, 0), s.Destroy())
}

// growScratch makes room for so many sums, of both kinds, and what linear kernels need. What no block has left is NaN.
func (k *Kernels) growScratch(s driver.Stream, sums, kept int) error {
	sums = max(sums, k.SMs()*tileSums)
	if k.ctx.Device.Arch() == 90 {
		kept = max(kept, k.SMs()*keptSums)
	}
	err := k.grow(s, &k.sums, sums, 0xff)
	if err == nil {
		err = k.grow(s, &k.counts, k.SMs()*tileCounts, 0)
	}
	if err == nil {
		err = k.grow(s, &k.kept, kept, 0xff)
	}
	return errors.Join(err, s.Sync())
}

// grow replaces an area that has too few words by one of such bytes. Where memory lacks it stays as large as it was.
func (k *Kernels) grow(s driver.Stream, a *area, words int, fill byte) (err error) {
	if words <= a.words {
		return nil
	}
	old := *a
	*a = area{}
	if err := k.ctx.Free(old.ptr); err != nil {
		return err
	}
	if a.ptr, err = k.ctx.Alloc(4 * int64(words)); err != nil {
		return errors.Join(err, k.grow(s, a, old.words, fill))
	}
	a.words = words
	return driver.Memset8(s, a.ptr, fill, 4*int64(words))
}

func (k *Kernels) closeScratch() error {
	err := errors.Join(k.ctx.Free(k.sums.ptr), k.ctx.Free(k.counts.ptr), k.ctx.Free(k.kept.ptr))
	k.scratch = scratch{}
	return err
}
