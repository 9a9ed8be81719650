package driver

import (
	"fmt"
	"unsafe"
)

// TensorMap describes a tensor in device memory to the bulk copy engine (TMA, sm_90 and later). It is opaque; pass it
// to a kernel by value: Args.Bytes(m[:], 64), for a const __grid_constant__ parameter.
type TensorMap [128]byte

// TileType is the element type of a TensorMap (CUtensorMapDataType).
type TileType uint32

const (
	TileU8   TileType = 0
	TileU16  TileType = 1
	TileU32  TileType = 2
	TileI32  TileType = 3
	TileF16  TileType = 6
	TileF32  TileType = 7
	TileBF16 TileType = 9
)

// Swizzle is how rows of a tile are shuffled in shared memory against bank conflicts (CUtensorMapSwizzle). A row of
// the tile is at most as long as the swizzle's bytes.
type Swizzle uint32

const (
	SwizzleNone Swizzle = 0
	Swizzle32   Swizzle = 1
	Swizzle64   Swizzle = 2
	Swizzle128  Swizzle = 3
)

// L2Fetch is how much of L2 a tile's read promotes (CUtensorMapL2promotion).
type L2Fetch uint32

const (
	L2FetchNone L2Fetch = 0
	L2Fetch64   L2Fetch = 1
	L2Fetch128  L2Fetch = 2
	L2Fetch256  L2Fetch = 3
)

// Tile is a tensor and the box that one copy moves. Dimensions go from the contiguous one outwards. Elements outside
// the tensor read as zero and are not written.
type Tile struct {
	Type    TileType
	Addr    DevicePtr // 16-byte aligned
	Dims    []int     // elements, 1 to 5 dimensions
	Strides []int64   // bytes between entries of Dims[1:], multiples of 16
	Box     []int     // elements, at most 256 each; Box[0] in bytes is a multiple of 16
	Swizzle Swizzle
	L2      L2Fetch
}

// maxTileRank is the most dimensions of a Tile.
const maxTileRank = 5

// tileArrays are the arguments of cuTensorMapEncodeTiled that go by address, with room to align the result to 64.
type tileArrays struct {
	out     [128 + 64]byte
	dims    [maxTileRank]uint64
	strides [maxTileRank]uint64
	box     [maxTileRank]uint32
	step    [maxTileRank]uint32
}

// EncodeTile makes the TensorMap of t. It runs on the host and is cheap, but allocates: make it once per tensor.
func (l *Library) EncodeTile(t Tile) (TensorMap, error) {
	var m TensorMap
	rank := len(t.Dims)
	e := &l.fn.tensorMapTiled
	if rank < 1 || rank > maxTileRank || len(t.Box) != rank || len(t.Strides) != rank-1 {
		return m, e.fail(InvalidValue, fmt.Sprintf("%d dims, %d strides and a box of %d: want 1 to 5 dims, one stride less, a box alike",
			rank, len(t.Strides), len(t.Box)))
	}
	a := newTileArrays(t)
	at := a.aligned()
	r := l.call(e, uintptr(unsafe.Pointer(&a.out[at])), uintptr(t.Type), uintptr(rank), t.Addr,
		uintptr(unsafe.Pointer(&a.dims)), uintptr(unsafe.Pointer(&a.strides)), uintptr(unsafe.Pointer(&a.box)),
		uintptr(unsafe.Pointer(&a.step)), 0, uintptr(t.Swizzle), uintptr(t.L2), 0)
	if r != Success {
		return m, e.fail(r, fmt.Sprintf("dims %v strides %v box %v at %#x", t.Dims, t.Strides, t.Box, t.Addr))
	}
	copy(m[:], a.out[at:])
	return m, nil
}

// newTileArrays is not inlined, so that what it makes is on the heap, where aligned stays true.
//
//go:noinline
func newTileArrays(t Tile) *tileArrays {
	a := new(tileArrays)
	for i, d := range t.Dims {
		a.dims[i], a.box[i], a.step[i] = uint64(d), uint32(t.Box[i]), 1
	}
	for i, s := range t.Strides {
		a.strides[i] = uint64(s)
	}
	return a
}

// aligned is the offset in out of a 64-byte aligned place.
func (a *tileArrays) aligned() int {
	return int(-uintptr(unsafe.Pointer(&a.out)) & 63)
}
