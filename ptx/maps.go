package ptx

import (
	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// mapKey is a bf16 matrix and the box of one copy.
type mapKey struct {
	ptr              uintptr
	rows, cols       int
	boxRows, boxCols int
	halves           bool // as halfMap
}

// mapCache keeps the tensor maps of weights and of activations, whose addresses repeat from step to step.
type mapCache map[mapKey]driver.TensorMap

// maxMaps bounds the cache: a model has some hundred weights, and each number of tokens adds some maps a layer.
const maxMaps = 1 << 14

// tileMap describes the contiguous bf16 matrix v to the copy engine, for boxes of rows by cols, 32 or 64 columns wide
// and swizzled over their width. L2 fetches 128 bytes at a time: 256, which are no more in a matrix, took up to 8 % longer.
func (k *Kernels) tileMap(v tensor.View, rows, cols int) (driver.TensorMap, error) {
	swizzle := driver.Swizzle128
	if cols == 32 {
		swizzle = driver.Swizzle64
	}
	return k.encoded(mapKey{v.Ptr, v.Dim[0], v.Dim[1], rows, cols, false}, func() driver.Tile {
		return driver.Tile{
			Type: driver.TileBF16, Addr: v.Ptr, Dims: []int{v.Dim[1], v.Dim[0]}, Strides: []int64{2 * int64(v.Dim[1])},
			Box: []int{cols, rows}, Swizzle: swizzle, L2: driver.L2Fetch128,
		}
	})
}

// halfMap describes v for boxes of whole rows, of which 64 columns after the other are swizzled and lie together. A row's
// neighbours are not to be fetched with it: 256 bytes at a time read a KV cache 9 % slower than 128
// (bench/results/h200-copies.csv).
func (k *Kernels) halfMap(v tensor.View, rows int) (driver.TensorMap, error) {
	const cols = 64
	return k.encoded(mapKey{v.Ptr, v.Dim[0], v.Dim[1], rows, v.Dim[1], true}, func() driver.Tile {
		pitch, halves := 2*int64(v.Dim[1]), v.Dim[1]/cols
		return driver.Tile{
			Type: driver.TileBF16, Addr: v.Ptr, Dims: []int{cols, v.Dim[0], halves}, Strides: []int64{pitch, 2 * cols},
			Box: []int{cols, rows, halves}, Swizzle: driver.Swizzle128, L2: driver.L2Fetch128,
		}
	})
}

// encoded makes the map that tile tells of, or finds it under key.
func (k *Kernels) encoded(key mapKey, tile func() driver.Tile) (driver.TensorMap, error) {
	if m, ok := k.hop.maps[key]; ok {
		return m, nil
	}
	m, err := k.ctx.Library().EncodeTile(tile())
	if err != nil {
		return m, err
	}
	if k.hop.maps == nil || len(k.hop.maps) >= maxMaps {
		k.hop.maps = mapCache{}
	}
	k.hop.maps[key] = m
	return m, nil
}

// tokenMaps describes x for boxes of rows tokens, and for the tokens that are left behind the last whole one. A box that lies
// partly beyond x would do, but the copy engine takes longer over a row that is not there than over one that is.
func (k *Kernels) tokenMaps(x tensor.View, rows int) (whole, tail driver.TensorMap, err error) {
	if whole, err = k.tileMap(x, min(rows, x.Dim[0]), hopperStep); err != nil || x.Dim[0]%rows == 0 {
		return whole, whole, err
	}
	tail, err = k.tileMap(x, x.Dim[0]%rows, hopperStep)
	return whole, tail, err
}
