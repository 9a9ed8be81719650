//go:build linux && amd64

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/ebitengine/purego"
)

// compiler is NVRTC, NVIDIA's run-time compiler of CUDA C++ to PTX (docs.nvidia.com/cuda/nvrtc).
type compiler struct {
	include string
	create  func(prog *uintptr, src, name string, n int32, headers, names uintptr) int32
	compile func(prog uintptr, n int32, options []*byte) int32
	size    func(prog uintptr, n *uint64) int32
	ptx     func(prog uintptr, text *byte) int32
	logSize func(prog uintptr, n *uint64) int32
	log     func(prog uintptr, text *byte) int32
	destroy func(prog *uintptr) int32
}

func openCompiler(t toolchain) (*compiler, error) {
	// NVRTC looks for its builtins library by name alone: loaded before, it is found.
	for _, lib := range []string{"libnvrtc-builtins.so.12.4", filepath.Base(t.nvrtc)} {
		path := filepath.Join(filepath.Dir(t.nvrtc), lib)
		h, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
		if err != nil {
			return nil, fmt.Errorf("cannot load the kernel compiler: %w", err)
		}
		if lib != filepath.Base(t.nvrtc) {
			continue
		}
		c := &compiler{include: t.include}
		purego.RegisterLibFunc(&c.create, h, "nvrtcCreateProgram")
		purego.RegisterLibFunc(&c.compile, h, "nvrtcCompileProgram")
		purego.RegisterLibFunc(&c.size, h, "nvrtcGetPTXSize")
		purego.RegisterLibFunc(&c.ptx, h, "nvrtcGetPTX")
		purego.RegisterLibFunc(&c.logSize, h, "nvrtcGetProgramLogSize")
		purego.RegisterLibFunc(&c.log, h, "nvrtcGetProgramLog")
		purego.RegisterLibFunc(&c.destroy, h, "nvrtcDestroyProgram")
		return c, nil
	}
	panic("BUG: no compiler library named")
}

// toPTX compiles one source file.
func (c *compiler) toPTX(path string, flags []string) (string, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var prog uintptr
	if r := c.create(&prog, string(src), filepath.Base(path), 0, 0, 0); r != 0 {
		return "", fmt.Errorf("nvrtcCreateProgram: code %d", r)
	}
	defer c.destroy(&prog)
	flags = append(flags[:len(flags):len(flags)], "--include-path="+c.include, "--include-path="+filepath.Dir(path))
	options := make([]*byte, len(flags))
	for i, f := range flags {
		options[i] = &append([]byte(f), 0)[0]
	}
	r := c.compile(prog, int32(len(options)), options)
	if log := c.text(prog, c.logSize, c.log); r != 0 || strings.TrimSpace(log) != "" {
		return "", fmt.Errorf("nvrtcCompileProgram: code %d\n%s", r, log) // warnings are errors
	}
	return c.text(prog, c.size, c.ptx), nil
}

func (c *compiler) text(prog uintptr, size func(uintptr, *uint64) int32, get func(uintptr, *byte) int32) string {
	var n uint64
	if size(prog, &n) != 0 || n == 0 {
		return ""
	}
	b := make([]byte, n)
	get(prog, &b[0])
	return strings.TrimRight(string(b), "\x00")
}
