// Command kernels compiles ptx/src/*.cu to the PTX and machine code that package ptx embeds, and writes ptx/gen/MANIFEST.
//
// It fetches a pinned compiler from PyPI into .cache/cuda (python3 with pip is needed for that, once), drives NVRTC
// through purego, and asks ptxas what each kernel takes on real chips. A kernel that spills registers or keeps a stack
// in local memory fails the build. Run it from the repository root: go run ./tools/kernels [source...]
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	root := flag.String("root", ".", "repository root")
	flag.Parse()
	if err := run(*root, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		os.Exit(1)
	}
}

// run compiles the named sources, or every source that changed since the manifest was written.
func run(root string, only []string) error {
	jobs, err := findJobs(root)
	if err != nil {
		return err
	}
	old, err := readManifest(manifestPath(root))
	if err != nil {
		return err
	}
	stale := staleJobs(root, jobs, old, only)
	if len(stale) == 0 {
		return writeManifest(root, jobs, old)
	}
	tools, err := fetchTools(filepath.Join(root, ".cache", "cuda"))
	if err != nil {
		return err
	}
	c, err := openCompiler(tools)
	if err != nil {
		return err
	}
	for _, j := range stale {
		r, err := build(root, c, tools, j)
		if err != nil {
			return fmt.Errorf("cannot build %s: %w", j.source, err)
		}
		old[j.output] = r
		fmt.Println(r)
	}
	return writeManifest(root, jobs, old)
}
