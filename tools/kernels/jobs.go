package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A job is one source compiled for one target. x.cu is compiled for sm_80, which every later chip runs;
// x_sm90.cu uses Hopper's own instructions and is compiled for sm_90a alone.
type job struct {
	source string // base name, such as rmsnorm.cu
	output string // below ptx/gen, such as sm_80/rmsnorm.ptx
	arch   string // NVRTC's --gpu-architecture
	chips  []chip
}

// A chip is what ptxas assembles for. Machine code that the program carries goes to a file; for others there is the PTX.
type chip struct {
	name string // such as sm_90
	code string // below ptx/gen, "" for none
}

func newJob(source string) job {
	name := strings.TrimSuffix(source, ".cu")
	if name == "mechanisms_sm90" { // for tests, which embed it themselves
		return job{source, "test/" + name + ".ptx", "compute_90a", []chip{{"sm_90a", ""}}}
	}
	if strings.HasSuffix(name, "_sm90") {
		return job{source, "sm_90a/" + name + ".ptx", "compute_90a", []chip{{"sm_90a", codePath("sm_90", name)}}}
	}
	return job{source, "sm_80/" + name + ".ptx", "compute_80",
		[]chip{{"sm_80", codePath("sm_80", name)}, {"sm_89", ""}, {"sm_90", codePath("sm_90", name)}}}
}

// codePath is where machine code lies that runs on devices of the major version of chip, from its minor version on.
func codePath(chip, name string) string { return "code/" + chip + "/" + name + ".cubin.gz" }

// files are all that is made of j, below ptx/gen.
func (j job) files() []string {
	files := []string{j.output}
	for _, c := range j.chips {
		if c.code != "" {
			files = append(files, c.code)
		}
	}
	return files
}

func sourceDir(root string) string    { return filepath.Join(root, "ptx", "src") }
func outputDir(root string) string    { return filepath.Join(root, "ptx", "gen") }
func manifestPath(root string) string { return filepath.Join(outputDir(root), "MANIFEST") }

func findJobs(root string) ([]job, error) {
	files, err := filepath.Glob(filepath.Join(sourceDir(root), "*.cu"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("cannot find kernel sources in %s: %w", sourceDir(root), err)
	}
	jobs := make([]job, len(files))
	for i, f := range files {
		jobs[i] = newJob(filepath.Base(f))
	}
	return jobs, nil
}

// flags are what NVRTC is given besides the include paths, which differ from machine to machine.
func (j job) flags() []string {
	return []string{"--gpu-architecture=" + j.arch, "--std=c++17"}
}

var include = regexp.MustCompile(`(?m)^\s*#\s*include\s+"([^"]+)"`)

// inputHash covers everything that decides the output: the source, the headers of ours that it includes, the flags
// and the compiler's version.
func (j job) inputHash(root string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, compilerVersion, strings.Join(j.flags(), " "))
	seen := map[string]bool{}
	var add func(name string) error
	add = func(name string) error {
		if seen[name] {
			return nil
		}
		seen[name] = true
		text, err := os.ReadFile(filepath.Join(sourceDir(root), name))
		if err != nil {
			return fmt.Errorf("cannot hash %s: %w", j.source, err)
		}
		fmt.Fprintln(h, name, len(text))
		h.Write(text)
		for _, m := range include.FindAllSubmatch(text, -1) {
			if err := add(string(m[1])); err != nil {
				return err
			}
		}
		return nil
	}
	if err := add(j.source); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil))[:32], nil
}

func fileHash(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])[:32]
}

// codeHash covers the machine code of all chips.
func (j job) codeHash(root string) string {
	h := sha256.New()
	for _, c := range j.chips {
		if c.code != "" {
			fmt.Fprintln(h, c.code, fileHash(filepath.Join(outputDir(root), c.code)))
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:32]
}

// staleJobs returns the jobs that are named in only, or, with none named, whose input or output is not as recorded.
func staleJobs(root string, jobs []job, old manifest, only []string) []job {
	var stale []job
	for _, j := range jobs {
		if len(only) > 0 {
			if slices.Contains(only, j.source) {
				stale = append(stale, j)
			}
			continue
		}
		if why := j.stale(root, old); why != "" {
			stale = append(stale, j)
		}
	}
	return stale
}

// stale says why j has to be built again, or nothing.
func (j job) stale(root string, m manifest) string {
	r, ok := m[j.output]
	if !ok {
		return "is not in MANIFEST"
	}
	in, err := j.inputHash(root)
	switch {
	case err != nil:
		return err.Error()
	case in != r.input:
		return "was built from another source, header, flag or compiler"
	case fileHash(filepath.Join(outputDir(root), j.output)) != r.outputHash || j.codeHash(root) != r.codeHash:
		return "is not the file that was built"
	}
	return ""
}
