package cuda

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// Check is the outcome of one kernel's self-test.
type Check struct {
	Name string // the kernel, and the variant where there are several
	Err  error  // nil: its results are those of the host
}

// SelfTest runs every kernel on small random data and compares the results with plain loops on the host. It needs no
// model and no Plan, some MiB of memory, and seconds where the driver has to compile the kernels.
func (b *Backend) SelfTest() []Check {
	t := &selfTest{b: b, memory: memory{ctx: b.ctx}, rng: rand.New(rand.NewPCG(1, 2))}
	if err := b.k.LoadAll(); err != nil {
		t.report("loading", err)
	}
	t.norms()
	t.gather()
	t.linears()
	t.fused()
	t.rope()
	t.conversions()
	t.books()
	t.attention()
	t.sampling()
	if err := errors.Join(b.stream.Sync(), t.memory.close()); err != nil {
		t.checks = append(t.checks, Check{"memory of the self-test", err})
	}
	return t.checks
}

// selfTest is one run. Inputs keep their values on the host as the device holds them.
type selfTest struct {
	b      *Backend
	memory memory
	rng    *rand.Rand
	checks []Check
	err    error // of memory and copies, since the last report
}

// operand is a tensor on both sides.
type operand struct {
	tensor.View
	host []float32
}

// report ends one check.
func (t *selfTest) report(name string, err error) {
	if t.err != nil {
		err = t.err
	}
	t.err = nil
	t.checks = append(t.checks, Check{name, err})
}

// upload puts raw bytes on the device.
func (t *selfTest) upload(raw []byte) driver.DevicePtr {
	p, err := t.memory.device(int64(len(raw)) + chunkSlack)
	if err == nil {
		err = errors.Join(driver.CopyHtoD(t.b.stream, p, raw), t.b.stream.Sync())
	}
	if t.err == nil {
		t.err = err
	}
	return p
}

// random makes an operand of normal values.
func (t *selfTest) random(typ tensor.DType, dims ...int) operand {
	v := tensor.Of(0, typ, dims...)
	host := make([]float32, v.Len())
	for i := range host {
		host[i] = float32(t.rng.NormFloat64())
	}
	return t.put(typ, host, dims...)
}

// put makes an operand of given values.
func (t *selfTest) put(typ tensor.DType, host []float32, dims ...int) operand {
	var raw []byte
	for i, x := range host {
		switch typ {
		case tensor.BF16, tensor.F16:
			u := narrow(typ, x)
			host[i] = widen(typ, u)
			raw = binary.LittleEndian.AppendUint16(raw, u)
		case tensor.I32:
			raw = binary.LittleEndian.AppendUint32(raw, uint32(int32(x)))
		default:
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
	}
	return operand{tensor.Of(t.upload(raw), typ, dims...), host}
}

// poisoned makes an operand of NaN, for results: what a kernel leaves out is seen.
func (t *selfTest) poisoned(typ tensor.DType, dims ...int) operand {
	v := tensor.Of(0, typ, dims...)
	host := make([]float32, v.Len())
	for i := range host {
		host[i] = float32(math.NaN())
	}
	return t.put(typ, host, dims...)
}

// expect compares v with want: an element may differ by tolerance times its magnitude in mag, or of itself without mag.
func (t *selfTest) expect(v tensor.View, want, mag []float64, tolerance float64) error {
	got, err := t.b.Get(v)
	if err != nil {
		return err
	}
	for i, w := range want {
		m := math.Abs(w)
		if mag != nil {
			m = mag[i]
		}
		limit := tolerance * m
		if v.Type == tensor.F16 {
			limit += 0x1p-25 // half of its smallest step
		}
		if d := math.Abs(float64(got[i]) - w); !(d <= limit) && float64(got[i]) != w { // also where both are infinite
			return fmt.Errorf("element %d of %s is %v, want %v within %.2g", i, v, got[i], w, limit)
		}
	}
	return nil
}

// sumF32 is the tolerance of a sum in f32 of products that are exact.
const sumF32 = 4e-6

func (t *selfTest) elem() tensor.DType { return t.b.opts.Elem }

// round is the tolerance of one rounding to elem.
func (t *selfTest) round() float64 {
	if t.elem() == tensor.F16 {
		return 0x1p-11
	}
	return 0x1p-8
}

// rounded is v as elem holds it.
func (t *selfTest) rounded(v float32) float32 { return widen(t.elem(), narrow(t.elem(), v)) }
