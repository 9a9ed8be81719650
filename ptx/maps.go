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
	fetch            driver.L2Fetch
}

// mapCache keeps the tensor maps of weights and of activations, whose addresses repeat from step to step.
type mapCache map[mapKey]driver.TensorMap

// maxMaps bounds the cache: a model has some hundred weights, and each number of tokens adds some maps a layer.
const maxMaps = 1 << 14

// tileMap describes the contiguous bf16 matrix v to the copy engine, for boxes of rows by cols, 32 or 64 columns wide
// and swizzled over their width.
func (k *Kernels) tileMap(v tensor.View, rows, cols int) (driver.TensorMap, error) {
	return k.tileMapBy(driver.L2Fetch256, v, rows, cols)
}

// tileMapBy is tileMap for copies that bring so much at a time into the L2: where rows are no longer than 256 bytes and
// their neighbours another request's, 128 reads 9 % faster.
func (k *Kernels) tileMapBy(fetch driver.L2Fetch, v tensor.View, rows, cols int) (driver.TensorMap, error) {
	key := mapKey{v.Ptr, v.Dim[0], v.Dim[1], rows, cols, fetch}
	if m, ok := k.hop.maps[key]; ok {
		return m, nil
	}
	swizzle := driver.Swizzle128
	if cols == 32 {
		swizzle = driver.Swizzle64
	}
	m, err := k.ctx.Library().EncodeTile(driver.Tile{
		Type: driver.TileBF16, Addr: v.Ptr, Dims: []int{v.Dim[1], v.Dim[0]}, Strides: []int64{2 * int64(v.Dim[1])},
		Box: []int{cols, rows}, Swizzle: swizzle, L2: fetch,
	})
	if err != nil {
		return m, err
	}
	if k.hop.maps == nil || len(k.hop.maps) >= maxMaps {
		k.hop.maps = mapCache{}
	}
	k.hop.maps[key] = m
	return m, nil
}
