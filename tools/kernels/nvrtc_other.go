//go:build !(linux && amd64)

package main

import "errors"

type compiler struct{}

func openCompiler(toolchain) (*compiler, error) {
	return nil, errors.New("cannot compile kernels here: the pinned compiler is for linux/amd64")
}

func (*compiler) toPTX(string, []string) (string, error) { panic("BUG: no compiler") }
