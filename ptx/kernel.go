package ptx

import (
	"reflect"
	"unsafe"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/tensor"
)

// entry is one .entry of a PTX file.
type entry struct {
	file, name string
	overlap    bool
	shared     int // dynamic shared memory of a launch, bytes
	most       int // the most that launches differ up to; 0: shared
	args       reflect.Type
	size       uintptr   // bytes of the parameter block: args without padding behind the last field
	starts     []uintptr // of the parameters in it
	align      int       // of the parameter that wants most
	fn         *driver.Function
	wanted     bool // a dry launch asked for it
}

// module is the file whose code runs on elements of type t.
func (e *entry) module(t tensor.DType) string {
	if t == tensor.F16 && e.file != "step" && e.file != "sample" { // these know none
		return e.file + "_half"
	}
	return e.file
}

// kernel is an entry whose parameters are the fields of A, in order, as Go lays them out: each at its own alignment,
// as PTX does.
type kernel[A any] struct {
	entry
	k *Kernels
}

// declare says where the kernel is: in file (a source without .cu), under name, with shared bytes of dynamic memory.
func (f *kernel[A]) declare(k *Kernels, file, name string, shared int) {
	t := reflect.TypeFor[A]()
	fields := parameters(t)
	last := fields[len(fields)-1]
	f.entry = entry{file: file, name: name, shared: shared, args: t, size: last.Offset + last.Type.Size(), align: 8}
	for _, field := range fields {
		if field.Name != "_" {
			f.starts = append(f.starts, field.Offset)
		}
		if field.Type == reflect.TypeFor[driver.TensorMap]() {
			f.align = 64
		}
	}
	f.k = k
	k.entries = append(k.entries, &f.entry)
}

// parameters are the fields of t, those of an embedded struct instead of it.
func parameters(t reflect.Type) (fields []reflect.StructField) {
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.Anonymous {
			fields = append(fields, f)
			continue
		}
		for _, inner := range parameters(f.Type) {
			inner.Offset += f.Offset
			fields = append(fields, inner)
		}
	}
	return fields
}

// maxPlainShared is the dynamic shared memory that a launch may ask for without leave.
const maxPlainShared = 48 << 10

// resolve loads the kernel on first use.
func (k *Kernels) resolve(e *entry) error {
	if e.fn != nil {
		return nil
	}
	m, err := k.module(e.module(k.elem()))
	if err != nil {
		return err
	}
	fn, err := m.Function(e.name)
	if err != nil {
		return err
	}
	if n := max(e.shared, e.most); n > maxPlainShared {
		if err := fn.SetMaxShared(n); err != nil {
			return err
		}
	}
	if k.ctx.Device.Arch() == 90 {
		// All kernels alike: a multiprocessor that is to share its memory out otherwise has to run empty first.
		if err := fn.SetAttribute(driver.FuncCarveout, 100); driver.Sticky(err) { // it is a hint
			return err
		}
	}
	e.fn = fn
	return nil
}

// want notes the kernel for Kernels.Load.
func (k *Kernels) want(e *entry) {
	if e.fn == nil && !e.wanted {
		e.wanted = true
		k.wanted = append(k.wanted, e)
	}
}

// launch enqueues the kernel, or only notes it when Kernels.Dry.
func (f *kernel[A]) launch(s driver.Stream, grid, block driver.Dim, a A) error {
	return f.enqueue(driver.Launch{Grid: grid, Block: block, Stream: s, Overlap: f.overlap}, a)
}

// enqueue is launch with the attributes of l: a cluster, or leave to start early.
func (f *kernel[A]) enqueue(l driver.Launch, a A) error {
	k := f.k
	if k.Dry {
		k.want(&f.entry)
		return nil
	}
	if err := k.resolve(&f.entry); err != nil {
		return err
	}
	k.args.Reset().Struct(unsafe.Slice((*byte)(unsafe.Pointer(&a)), f.size), f.starts, f.align)
	k.config = l
	k.config.Shared = f.shared
	k.config.Overlap = l.Overlap && k.Overlap
	return f.fn.Launch(&k.config, &k.args)
}

func roundUp(n, m int) int { return (n + m - 1) / m * m }
func ceilDiv(n, m int) int { return (n + m - 1) / m }
