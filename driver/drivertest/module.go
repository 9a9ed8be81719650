package drivertest

import (
	"strings"
	"unsafe"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest/simt"
)

type module struct {
	program   *program
	globals   map[string]driver.DevicePtr
	functions []uintptr
}

type function struct {
	name      string
	params    layout
	opaque    bool // nothing is known of its parameters
	maxShared int
	code      *simt.Module // what runs, where kernels run
}

type linker struct {
	ptx   string
	log   uintptr
	room  int
	image []byte
}

// elf marks machine code; the fake's own carries the PTX that it was made of.
const elf = "\x7fELF of the fake\n"

// moduleLoad takes PTX (checked for version and target), what the linker made of it, and with Config.Opaque any ELF file.
func (f *Fake) moduleLoad(a args) driver.Result {
	if r := f.refuseInCapture("cuModuleLoadDataEx"); r != driver.Success {
		return r
	}
	log, room := jitLog(a[2], a[3], a[4])
	p, r := f.compile(textAt(a[1]), log, room)
	if r != driver.Success {
		return r
	}
	put(a[0], f.add("module", &module{program: p, globals: map[string]driver.DevicePtr{}}))
	return driver.Success
}

// compile reads PTX, and says in the log why it cannot.
func (f *Fake) compile(text string, log uintptr, room int) (*program, driver.Result) {
	if strings.HasPrefix(text, "\x7fELF") {
		own, isOwn := strings.CutPrefix(text, elf)
		if !isOwn && !f.cfg.Opaque {
			return nil, driver.NoBinaryForGPU
		}
		if !isOwn {
			return &program{opaque: true}, driver.Success
		}
		text = own
	}
	if p := f.programs[text]; p != nil {
		return p, driver.Success
	}
	version, arch, exact := target(text)
	own := 10*f.cfg.Major + f.cfg.Minor
	switch p, err := f.read(text); {
	case err != nil:
		putText(log, uintptr(room), err.Error())
		return nil, driver.InvalidPTX
	case version > newestPTX(f.cfg.Version):
		return nil, driver.UnsupportedPTXVersion
	case arch > own || exact && arch != own:
		return nil, driver.NoBinaryForGPU
	default:
		f.programs[text] = p
		return p, driver.Success
	}
}

// newestPTX is the PTX ISA that a driver takes, as 10*major+minor. CUDA 12.0 to 12.5 came with 8.0 to 8.5; what later
// ones take is not played.
func newestPTX(driverVersion int) int {
	if driverVersion < 12000 || driverVersion > 12050 {
		return 99
	}
	return 80 + driverVersion%1000/10
}

// jitLog finds CU_JIT_ERROR_LOG_BUFFER and its size among the options.
func jitLog(n, codes, values uintptr) (log uintptr, room int) {
	for i := range n {
		code, value := *at[uint32](codes + 4*i), *at[uintptr](values + 8*i)
		switch code {
		case 5:
			log = value
		case 6:
			room = int(value)
		}
	}
	return log, room
}

// moduleUnload takes the module's functions and variables with it.
func (f *Fake) moduleUnload(a args) driver.Result {
	if m, ok := f.handles[a[0]].owner.(*module); ok {
		for _, handle := range m.functions {
			delete(f.handles, handle)
			f.attempted[handle] = true
		}
		for _, p := range m.globals {
			f.space.release(p)
		}
	}
	return f.drop("module", a[0])
}

func (f *Fake) moduleFunction(a args) driver.Result {
	m := get[module](f, a[1])
	if m == nil {
		return driver.InvalidHandle
	}
	name := textAt(a[2])
	params, found := m.program.kernels[name]
	if !found && !m.program.opaque {
		return driver.NotFound
	}
	handle := f.add("function", &function{name: name, params: params, opaque: m.program.opaque, maxShared: sharedPerBlock, code: m.program.code})
	m.functions = append(m.functions, handle)
	put(a[0], handle)
	return driver.Success
}

// moduleGlobal gives a variable its memory when it is first asked for.
func (f *Fake) moduleGlobal(a args) driver.Result {
	m := get[module](f, a[2])
	if m == nil {
		return driver.InvalidHandle
	}
	name := textAt(a[3])
	size, found := m.program.globals[name]
	if !found {
		return driver.NotFound
	}
	p, have := m.globals[name]
	if !have {
		var r driver.Result
		if p, r = f.space.alloc(f.currentDevice(), int64(size), f.n); r != driver.Success {
			return r
		}
		data, _ := f.space.slice(p, int64(size))
		clear(data)
		m.globals[name] = p
	}
	put(a[0], p)
	put(a[1], uint64(size))
	return driver.Success
}

func (f *Fake) linkCreate(a args) driver.Result {
	log, room := jitLog(a[0], a[1], a[2])
	put(a[3], f.add("linker", &linker{log: log, room: room}))
	return driver.Success
}

func (f *Fake) linkAddData(a args) driver.Result {
	l := get[linker](f, a[0])
	if l == nil {
		return driver.InvalidHandle
	}
	l.ptx = textAt(a[2])
	_, r := f.compile(l.ptx, l.log, l.room)
	return r
}

func (f *Fake) linkComplete(a args) driver.Result {
	l := get[linker](f, a[0])
	if l == nil {
		return driver.InvalidHandle
	}
	l.image = []byte(elf + l.ptx)
	put(a[1], unsafe.Pointer(unsafe.SliceData(l.image)))
	put(a[2], uint64(len(l.image)))
	return driver.Success
}

func (f *Fake) linkDestroy(a args) driver.Result { return f.drop("linker", a[0]) }
