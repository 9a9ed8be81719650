package drivertest

import (
	"sort"

	"github.com/weft-llm/weft/driver"
)

const (
	spaceBase  = 0x7000_0000_0000 // far from host addresses, so that a mix-up is seen
	alignment  = 512
	guardBytes = 4096    // between blocks; never given out
	fillLimit  = 4 << 20 // blocks up to here start as 0xFF: NaN in every float type
)

// block is one allocation. Addresses are never used twice, so that a use after free is always seen.
type block struct {
	base   driver.DevicePtr
	size   int64
	data   []byte // nil when freed
	device int
	made   int
	freed  bool
}

// space is all device memory.
type space struct {
	blocks []block // by address
	next   driver.DevicePtr
	free   []int64 // by device
	total  int64
}

func newSpace(devices int, total int64) space {
	s := space{next: spaceBase, total: total, free: make([]int64, devices)}
	for i := range s.free {
		s.free[i] = total
	}
	return s
}

// cost is what n bytes take from the device.
func cost(n int64) int64 { return (n + alignment - 1) / alignment * alignment }

func (s *space) alloc(device int, n int64, made int) (driver.DevicePtr, driver.Result) {
	if n <= 0 {
		return 0, driver.InvalidValue
	}
	if cost(n) > s.free[device] {
		return 0, driver.OutOfMemory
	}
	s.free[device] -= cost(n)
	b := block{base: s.next, size: n, data: make([]byte, n), device: device, made: made}
	for i := 0; n <= fillLimit && i < len(b.data); i++ {
		b.data[i] = 0xFF
	}
	s.blocks = append(s.blocks, b)
	s.next += driver.DevicePtr(cost(n) + guardBytes)
	return b.base, driver.Success
}

// find is the index of the block that holds p, or -1.
func (s *space) find(p driver.DevicePtr) int {
	i := sort.Search(len(s.blocks), func(i int) bool { return s.blocks[i].base > p }) - 1
	if i < 0 || p >= s.blocks[i].base+driver.DevicePtr(cost(s.blocks[i].size)) {
		return -1
	}
	return i
}

// slice is n bytes at p, or why there are none.
func (s *space) slice(p driver.DevicePtr, n int64) (data []byte, why string) {
	i := s.find(p)
	if i < 0 {
		return nil, "was never allocated"
	}
	b := &s.blocks[i]
	if b.freed {
		return nil, "was freed"
	}
	at := int64(p - b.base)
	if n < 0 || at+n > int64(len(b.data)) {
		return nil, "goes past the end of its allocation"
	}
	return b.data[at : at+n : at+n], ""
}

// release frees the block at p, or says why it cannot.
func (s *space) release(p driver.DevicePtr) (why string) {
	i := s.find(p)
	if i < 0 || s.blocks[i].base != p {
		return "was never allocated"
	}
	if s.blocks[i].freed {
		return "was freed before"
	}
	b := &s.blocks[i]
	s.free[b.device] += cost(b.size)
	b.freed, b.data = true, nil
	return ""
}

func (s *space) live() []block {
	var live []block
	for _, b := range s.blocks {
		if !b.freed {
			live = append(live, b)
		}
	}
	return live
}
