package ptx

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/tensor"
)

//go:embed gen/test/mechanisms_sm90.ptx
var mechanismsPTX []byte

const mechanismShared = 1024 + 32768 + 8

// mechanism runs one kernel of src/mechanisms_sm90.cu and returns what it wrote to y, n bytes.
type mechanism struct {
	*checker
	module *driver.Module
	a, b   *guarded // [128,128] and [192,64] bf16
}

func openMechanisms(t *testing.T, d drivertest.Device) *mechanism {
	m := &mechanism{checker: newChecker(t, d)}
	if !m.k.Hopper() {
		t.Skip("skipped: the device has none of these mechanisms")
	}
	var err error
	m.module, err = m.ctx.LoadModule("mechanisms", mechanismsPTX)
	m.must(err)
	t.Cleanup(func() { m.must(m.module.Unload()) })
	m.a, m.b = m.random(tensor.BF16, 128, 128), m.random(tensor.BF16, 192, 64)
	return m
}

func (m *mechanism) tile(v tensor.View, rows int) driver.TensorMap {
	t, err := m.ctx.Library().EncodeTile(driver.Tile{Type: driver.TileBF16, Addr: v.Ptr, Dims: []int{v.Dim[1], v.Dim[0]},
		Strides: []int64{2 * int64(v.Dim[1])}, Box: []int{64, rows}, Swizzle: driver.Swizzle128})
	m.must(err)
	return t
}

// run gives the kernel maps of a and y, and a and b by address; blocks is the grid and the cluster.
func (m *mechanism) run(name string, blocks int, y *guarded, a, b tensor.View) {
	m.t.Helper()
	f, err := m.module.Function(name)
	m.must(err)
	amap, bmap, ymap := m.tile(m.a.View, 64), m.tile(m.a.View, 32), driver.TensorMap{}
	if y.Type == tensor.BF16 && y.Dim[1] <= 64 {
		ymap = m.tile(y.View, 64)
	}
	var args driver.Args
	args.Bytes(amap[:], 64).Bytes(bmap[:], 64).Bytes(ymap[:], 64).Ptr(a.Ptr).Ptr(b.Ptr).Ptr(y.Ptr)
	l := driver.Launch{Grid: driver.Dim{X: blocks}, Block: driver.Dim{X: 128}, Shared: mechanismShared, Stream: m.s, Cluster: driver.Dim{X: blocks}}
	m.must(errors.Join(f.Launch(&l, &args), m.s.Sync()))
}

// bits are the bytes of g as 16-bit integers.
func (m *mechanism) bits(g *guarded) []uint16 {
	m.t.Helper()
	raw := make([]byte, g.Bytes())
	m.must(errors.Join(driver.CopyDtoH(m.s, raw, g.Ptr), m.s.Sync()))
	out := make([]uint16, len(raw)/2)
	for i := range out {
		out[i] = binary.LittleEndian.Uint16(raw[2*i:])
	}
	return out
}

// same reports the first of n elements that differs.
func same[T comparable](t *testing.T, what string, n int, got, want func(i int) T) {
	t.Helper()
	wrong := 0
	for i := range n {
		if g, w := got(i), want(i); g != w {
			if wrong++; wrong <= 4 {
				t.Errorf("%s: element %d = %v, want %v", what, i, g, w)
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%s: %d of %d elements are wrong", what, wrong, n)
	}
}

// boxAt is element i of shared memory that holds the box of a at row, column 64, with the 128-byte swizzle; rows behind
// the last of a are zero.
func (m *mechanism) boxAt(i, row int) uint16 {
	r, cell := i/64, i%64/8
	row += r
	if row >= 128 {
		return 0
	}
	return roundBF16(m.a.host[row*128+64+(cell^r%8)*8+i%8])
}

func TestMechanism_ABoxIsCopiedSwizzledAndZeroBeyondTheEdge_GPU(t *testing.T) {
	drivertest.OnEach(t, mechanismABoxIsCopiedSwizzledAndZeroBeyondTheEdge)
}

func mechanismABoxIsCopiedSwizzledAndZeroBeyondTheEdge(t *testing.T, d drivertest.Device) {
	m := openMechanisms(t, d)
	y := m.poisoned(tensor.BF16, 1, 4096)
	m.run("mechanism_copy", 1, y, m.a.View, m.b.View)
	got := m.bits(y)
	same(t, "copy", 4096, func(i int) uint16 { return got[i] }, func(i int) uint16 { return m.boxAt(i, 96) })
}

func TestMechanism_AMulticastCopyReachesBothBlocks_GPU(t *testing.T) {
	drivertest.OnEach(t, mechanismAMulticastCopyReachesBothBlocks)
}

func mechanismAMulticastCopyReachesBothBlocks(t *testing.T, d drivertest.Device) {
	m := openMechanisms(t, d)
	y := m.poisoned(tensor.BF16, 2, 4096)
	m.run("mechanism_multicast", 2, y, m.a.View, m.b.View)
	got := m.bits(y)
	same(t, "multicast", 8192, func(i int) uint16 { return got[i] }, func(i int) uint16 { return m.boxAt(i%4096, 0) })
}

// checkProduct compares y [64,n] with tiles of 64 columns that begin at the given places of a and b.
func (m *mechanism) checkProduct(t *testing.T, what string, y *guarded, n int, a []float32, aPitch int, b []float32, bPitch int) {
	t.Helper()
	var want, mag []float64
	for i := range 64 {
		for j := range n {
			s, g := 0.0, 0.0
			for k := range 64 {
				p := float64(a[i*aPitch+k]) * float64(b[j*bPitch+k])
				s, g = s+p, g+math.Abs(p)
			}
			want, mag = append(want, s), append(mag, g)
		}
	}
	if err := m.expect(y, want, mag, f32Relative, sumRelative); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func TestMechanism_WgmmaMultipliesWhatStoresWrote_GPU(t *testing.T) {
	drivertest.OnEach(t, mechanismWgmmaMultipliesWhatStoresWrote)
}

func mechanismWgmmaMultipliesWhatStoresWrote(t *testing.T, d drivertest.Device) {
	m := openMechanisms(t, d)
	a := m.random(tensor.BF16, 64, 64)
	for name, n := range map[string]int{"mechanism_product8": 8, "mechanism_product64": 64, "mechanism_product192": 192} {
		y := m.poisoned(tensor.F32, 64, n)
		m.run(name, 1, y, a.View, m.b.View)
		m.checkProduct(t, name, y, n, a.host, 64, m.b.host, 64)
	}
}

func TestMechanism_WgmmaMultipliesWhatWasCopied_GPU(t *testing.T) {
	drivertest.OnEach(t, mechanismWgmmaMultipliesWhatWasCopied)
}

func mechanismWgmmaMultipliesWhatWasCopied(t *testing.T, d drivertest.Device) {
	m := openMechanisms(t, d)
	y := m.poisoned(tensor.F32, 64, 64)
	m.run("mechanism_copied_product", 1, y, m.a.View, m.b.View)
	m.checkProduct(t, "copied product", y, 64, m.a.host[64*128+64:], 128, m.a.host[64:], 128)
}

func TestMechanism_AStoredBoxIsCutAtTheEdge_GPU(t *testing.T) {
	drivertest.OnEach(t, mechanismAStoredBoxIsCutAtTheEdge)
}

func mechanismAStoredBoxIsCutAtTheEdge(t *testing.T, d drivertest.Device) {
	m := openMechanisms(t, d)
	y := m.poisoned(tensor.BF16, 60, 56)
	m.run("mechanism_store", 1, y, m.a.View, m.b.View)
	got := m.bits(y)
	same(t, "store", 60*56, func(i int) uint16 { return got[i] }, func(i int) uint16 { return uint16(i/56*64 + i%56) })
	if _, err := m.read(y); err != nil {
		t.Error(err)
	}
}

func TestMechanism_WordsSentInAClusterArrive_GPU(t *testing.T) {
	drivertest.OnEach(t, mechanismWordsSentInAClusterArrive)
}

func mechanismWordsSentInAClusterArrive(t *testing.T, d drivertest.Device) {
	m := openMechanisms(t, d)
	y := m.poisoned(tensor.F32, 4, 128)
	m.run("mechanism_send", 4, y, m.a.View, m.b.View)
	got, err := m.read(y)
	m.must(err)
	same(t, "send", 512, func(i int) float32 { return got[i] }, func(i int) float32 {
		block, from, word := i/128, i%128/32, i%32
		return float32(from*1000 + word*4 + block)
	})
}
