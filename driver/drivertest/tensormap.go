package drivertest

import (
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest/simt"
)

// tensorMapTiled checks what the manual demands and writes all of it into the map.
func (f *Fake) tensorMapTiled(a args) driver.Result {
	out, rank, address := a[0], a[2], a[3]
	if out%64 != 0 || rank < 1 || rank > 5 || address%16 != 0 {
		return driver.InvalidValue
	}
	m := simt.TensorMap{Type: uint8(a[1]), Rank: uint8(rank), Address: uint64(address), Interleave: uint8(a[8]), Swizzle: uint8(a[9]), Fill: uint8(a[11])}
	for i := range rank {
		box := *at[uint32](a[6] + 4*i)
		step := *at[uint32](a[7] + 4*i)
		m.Dims[i], m.Box[i], m.Steps[i] = *at[uint64](a[4] + 8*i), uint16(box), uint8(step)
		if m.Dims[i] == 0 || box < 1 || box > 256 || step < 1 || step > 8 {
			return driver.InvalidValue
		}
		if i+1 == rank {
			break
		}
		if m.Strides[i] = *at[uint64](a[5] + 8*i); m.Strides[i]%16 != 0 {
			return driver.InvalidValue
		}
	}
	*at[[128]byte](out) = m.Encode()
	return driver.Success
}
