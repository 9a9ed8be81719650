package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

// A record says how one PTX file and its machine code came to be, and what its entries take on each chip.
type record struct {
	output, source, input, outputHash, codeHash, isa string
	usage                                            []usage
}

// usage is what ptxas reports for one entry on one chip.
type usage struct {
	entry, chip                     string
	registers, shared, stack, spill int
}

type manifest map[string]record

func (r record) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s source=%s input=%s output=%s code=%s isa=%s\n", r.output, r.source, r.input, r.outputHash, r.codeHash, r.isa)
	for _, u := range r.usage {
		fmt.Fprintf(&b, "  %s %s registers=%d shared=%d stack=%d spill=%d\n", u.entry, u.chip, u.registers, u.shared, u.stack, u.spill)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// readManifest returns an empty manifest when there is no file.
func readManifest(path string) (manifest, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return manifest{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the manifest: %w", err)
	}
	defer f.Close()
	m := manifest{}
	var r record
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case strings.HasPrefix(line, "  "):
			var u usage
			_, err = fmt.Sscanf(line, "  %s %s registers=%d shared=%d stack=%d spill=%d", &u.entry, &u.chip, &u.registers, &u.shared, &u.stack, &u.spill)
			r.usage = append(r.usage, u)
		default:
			r = record{}
			_, err = fmt.Sscanf(line, "%s source=%s input=%s output=%s code=%s isa=%s", &r.output, &r.source, &r.input, &r.outputHash, &r.codeHash, &r.isa)
		}
		if err != nil {
			return nil, fmt.Errorf("cannot read the manifest: line %d: %w", n, err)
		}
		m[r.output] = r
	}
	return m, lines.Err()
}

// writeManifest writes the records of jobs, and removes what was made of sources that are gone.
func writeManifest(root string, jobs []job, m manifest) error {
	kept := map[string]bool{}
	for _, j := range jobs {
		kept[j.output] = true
	}
	var b strings.Builder
	b.WriteString("# Made by ./build.sh kernels from ptx/src; do not edit. Hashes are the first 128 bits of SHA-256.\n")
	fmt.Fprintf(&b, "# compiler %s; registers of a thread, shared, stack and spill bytes by ptxas\n", compilerVersion)
	for _, output := range slices.Sorted(maps.Keys(m)) {
		if !kept[output] {
			for _, f := range newJob(m[output].source).files() {
				if err := os.Remove(outputDir(root) + "/" + f); err != nil && !errors.Is(err, fs.ErrNotExist) {
					return fmt.Errorf("cannot remove a stale kernel: %w", err)
				}
			}
			continue
		}
		fmt.Fprintln(&b, m[output])
	}
	if err := os.WriteFile(manifestPath(root), []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("cannot write the manifest: %w", err)
	}
	return nil
}
