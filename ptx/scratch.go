package ptx

import (
	"errors"

	"github.com/weft-llm/weft/driver"
)

// What a multiprocessor needs of the scratch memory.
const (
	splitFloats   = 192 * 192                      // sums of a tile, or of four of 64x64 before Hopper
	splitCounters = 12                             // one of each warp of the tile, or of each of the four
	keptFloats    = decodeLeaves * 8 * 128 * 6 / 4 // leaves of 8 heads of 128 dimensions, or the sums of a tile that are not counted
)

// openScratch reserves the memory where blocks leave sums for each other.
func (k *Kernels) openScratch() error {
	sms := int64(k.SMs())
	areas := []struct {
		ptr   *driver.DevicePtr
		bytes int64
		fill  byte
	}{
		{&k.lin.work, sms * splitFloats * 4, 0},
		{&k.lin.arrived, sms * splitCounters * 4, 0},
		{&k.kept, sms * keptFloats * 4, 0xff},
	}
	if k.ctx.Device.Arch() != 90 {
		areas = areas[:2]
	}
	s, err := k.ctx.NewStream()
	if err != nil {
		return err
	}
	for _, a := range areas {
		if *a.ptr, err = k.ctx.Alloc(a.bytes); err == nil {
			err = driver.Memset8(s, *a.ptr, a.fill, a.bytes)
		}
		if err != nil {
			break
		}
	}
	return errors.Join(err, s.Sync(), s.Destroy())
}

func (k *Kernels) closeScratch() error {
	err := errors.Join(k.ctx.Free(k.lin.work), k.ctx.Free(k.lin.arrived), k.ctx.Free(k.kept))
	k.lin.work, k.lin.arrived, k.kept = 0, 0, 0
	return err
}
