package cpu

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// random fills p with n values of a normal distribution, the i-th from seed and i alone.
func (b *Backend) random(p part, s backend.Source, n int) (part, error) {
	put, ok := encoders[s.Type]
	if !ok {
		return p, fmt.Errorf("cannot load %s: no random values of type %s", s.Name, s.Type)
	}
	size := s.Type.Bytes(n)
	if size == 0 {
		return p, nil
	}
	if p.data = b.weights.take(size); p.data == nil {
		var err error
		if p.data, err = b.reserveBytes(size); err != nil {
			return p, fmt.Errorf("cannot load %s: %w", s.Name, err)
		}
	}
	fill := randomFill{p.data, s.Seed, s.Std, s.Type, put}
	b.pool.do(&fill, n/s.Type.Block(), 4096)
	return p, nil
}

type randomFill struct {
	data []byte
	seed uint64
	std  float32
	typ  tensor.DType
	put  func(dst []byte, v []float32)
}

func (f *randomFill) run(_, lo, hi int) {
	var v [32]float32
	block, size := f.typ.Block(), f.typ.Size()
	for i := lo; i < hi; i++ {
		for j := range v[:block] {
			v[j] = f.std * normal(f.seed, uint64(i*block+j))
		}
		f.put(f.data[i*size:], v[:block])
	}
}

// normal returns the i-th value of a seeded standard normal sequence (Box and Muller 1958 over splitmix64).
func normal(seed, i uint64) float32 {
	z := seed + (i+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	u := (float64(z>>32) + 0.5) / (1 << 32)
	angle := 2 * math.Pi * float64(uint32(z)) / (1 << 32)
	return float32(math.Sqrt(-2*math.Log(u)) * math.Cos(angle))
}

// encoders round a block of values to the types that dummy weights come in.
var encoders = map[tensor.DType]func(dst []byte, v []float32){
	tensor.F32: func(dst []byte, v []float32) {
		binary.LittleEndian.PutUint32(dst, math.Float32bits(v[0]))
	},
	tensor.F16: func(dst []byte, v []float32) {
		binary.LittleEndian.PutUint16(dst, f16bits(v[0]))
	},
	tensor.BF16: func(dst []byte, v []float32) {
		u := math.Float32bits(v[0])
		binary.LittleEndian.PutUint16(dst, uint16((u+0x7fff+u>>16&1)>>16))
	},
	tensor.Q8_0: func(dst []byte, v []float32) {
		top := float32(0)
		for _, x := range v {
			top = max(top, x, -x)
		}
		d := top / 127
		binary.LittleEndian.PutUint16(dst, f16bits(d))
		for i, x := range v {
			dst[2+i] = 0
			if d > 0 {
				dst[2+i] = byte(int8(math.RoundToEven(float64(x / d))))
			}
		}
	},
}
