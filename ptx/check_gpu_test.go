package ptx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

// guardBytes lie before and behind each operand of a check, and are compared afterwards.
const guardBytes = 1024

const guardByte = 0xa5

// A guarded tensor has its own allocation between two guards.
type guarded struct {
	tensor.View
	host []float32 // values as the device holds them
	at   driver.DevicePtr
}

// checker allocates and compares. Its tensors live until the test ends.
type checker struct {
	*gpu
	t   testing.TB
	rng *rand.Rand
	all []*guarded
}

func newChecker(t testing.TB, on drivertest.Device) *checker {
	c := &checker{gpu: open(t, on), t: t, rng: rand.New(rand.NewPCG(7, 11))}
	t.Cleanup(c.free)
	return c
}

func (c *checker) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// free gives back the tensors of one shape.
func (c *checker) free() {
	c.t.Helper()
	c.must(c.s.Sync())
	for _, g := range c.all {
		c.must(c.ctx.Free(g.at))
	}
	c.all = nil
}

// random makes a tensor of normal values.
func (c *checker) random(typ tensor.DType, dims ...int) *guarded {
	v := tensor.Of(0, typ, dims...)
	host := make([]float32, v.Len())
	for i := range host {
		host[i] = float32(c.rng.NormFloat64())
	}
	raw := make([]byte, 0, v.Bytes())
	for i, x := range host {
		if typ == tensor.BF16 {
			u := roundBF16(x)
			host[i] = math.Float32frombits(uint32(u) << 16)
			raw = binary.LittleEndian.AppendUint16(raw, u)
		} else {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
	}
	g := c.alloc(v, host)
	c.must(errors.Join(driver.CopyHtoD(c.s, g.Ptr, raw), c.s.Sync()))
	return g
}

// poisoned makes a tensor of NaN.
func (c *checker) poisoned(typ tensor.DType, dims ...int) *guarded {
	g := c.alloc(tensor.Of(0, typ, dims...), nil)
	c.poison(g)
	return g
}

func (c *checker) poison(g *guarded) {
	c.must(driver.Memset8(c.s, g.Ptr, 0xff, g.Bytes()))
}

// ints makes a tensor of given values.
func (c *checker) ints(values []int32, dims ...int) *guarded {
	g := c.alloc(tensor.Of(0, tensor.I32, dims...), nil)
	raw := make([]byte, 0, 4*len(values))
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(v))
	}
	c.must(errors.Join(driver.CopyHtoD(c.s, g.Ptr, raw), c.s.Sync()))
	return g
}

// filled makes a tensor of bf16 values by the device.
func (c *checker) filled(planes, rows, cols int) *guarded {
	g := c.alloc(tensor.Of(0, tensor.BF16, planes, rows, cols), nil)
	c.must(c.k.Random(c.s, Place{Dst: tensor.Of(g.Ptr, tensor.BF16, planes*rows, cols), Cols: cols}, g.Len(), 3, 1))
	return g
}

// copy makes to hold what from does.
func (c *checker) copy(to, from *guarded) {
	raw := make([]byte, from.Bytes())
	c.must(errors.Join(driver.CopyDtoH(c.s, raw, from.Ptr), c.s.Sync(), driver.CopyHtoD(c.s, to.Ptr, raw), c.s.Sync()))
}

func (c *checker) alloc(v tensor.View, host []float32) *guarded {
	c.t.Helper()
	at, err := c.ctx.Alloc(v.Bytes() + 2*guardBytes)
	c.must(err)
	c.must(driver.Memset8(c.s, at, guardByte, v.Bytes()+2*guardBytes))
	v.Ptr = at + guardBytes
	g := &guarded{v, host, at}
	c.all = append(c.all, g)
	return g
}

// read returns the values of g and checks its guards.
func (c *checker) read(g *guarded) ([]float32, error) {
	raw := make([]byte, g.Bytes()+2*guardBytes)
	if err := errors.Join(driver.CopyDtoH(c.s, raw, g.at), c.s.Sync()); err != nil {
		return nil, err
	}
	for i := range guardBytes {
		for _, at := range []int{i, len(raw) - 1 - i} {
			if raw[at] != guardByte {
				return nil, fmt.Errorf("byte %d of %s with guards of %d was written", at, g.View, guardBytes)
			}
		}
	}
	raw = raw[guardBytes : len(raw)-guardBytes]
	out := make([]float32, g.Len())
	for i := range out {
		if g.Type == tensor.BF16 {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
		} else {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	}
	return out, nil
}

// expect compares g with want: each element within relative of its value and sums of its magnitude.
func (c *checker) expect(g *guarded, want, mag []float64, relative, sums float64) error {
	got, err := c.read(g)
	if err != nil {
		return err
	}
	first, wrong, nan := error(nil), 0, 0
	for i, w := range want {
		limit := relative*math.Abs(w) + sums*mag[i]
		if math.Abs(float64(got[i])-w) <= limit {
			continue
		}
		if wrong++; got[i] != got[i] {
			nan++
		}
		if cols := g.Dim[1]; first == nil {
			first = fmt.Errorf("element [%d,%d] of %s is %v, want %v within %.2g", i/cols, i%cols, g.View, got[i], w, limit)
		}
	}
	if first != nil {
		return fmt.Errorf("%w; of %d elements %d are wrong, %d of them NaN", first, len(want), wrong, nan)
	}
	return nil
}

// roundBF16 rounds to nearest even.
func roundBF16(x float32) uint16 {
	u := math.Float32bits(x)
	return uint16((u + 0x7fff + u>>16&1) >> 16)
}

// products returns x·wᵀ in float64, and the sums of the absolute products.
func products(x, w []float32, k int) (sum, mag []float64) {
	for i := 0; i < len(x); i += k {
		for j := 0; j < len(w); j += k {
			s, m := 0.0, 0.0
			for l, v := range x[i : i+k] {
				p := float64(v) * float64(w[j+l])
				s += p
				m += math.Abs(p)
			}
			sum, mag = append(sum, s), append(mag, m)
		}
	}
	return sum, mag
}
