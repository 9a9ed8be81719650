package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// isaVersions are the PTX versions tried, lowest first: a file states the lowest that it needs, so that the oldest
// drivers load it. 7.0 came with CUDA 11.0 and sm_80.
var isaVersions = []string{"7.0", "7.1", "7.4", "7.8", "8.0", "8.4"}

// build compiles j, writes its PTX and returns its record.
func build(root string, c *compiler, t toolchain, j job) (record, error) {
	r := record{output: j.output, source: j.source}
	var err error
	if r.input, err = j.inputHash(root); err != nil {
		return r, err
	}
	text, err := c.toPTX(filepath.Join(sourceDir(root), j.source), j.flags())
	if err != nil {
		return r, err
	}
	path := filepath.Join(outputDir(root), j.output)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return r, err
	}
	if r.isa, err = lowestISA(t, path, text, j.chips[0].name); err != nil {
		return r, err
	}
	for _, c := range j.chips {
		log, code, err := assemble(t, path, c.name)
		if err != nil {
			return r, err
		}
		us, err := parseUsage(log, c.name)
		if err != nil {
			return r, err
		}
		r.usage = append(r.usage, us...)
		if c.code == "" {
			continue
		}
		if err := writeCompressed(filepath.Join(outputDir(root), c.code), code); err != nil {
			return r, err
		}
	}
	r.outputHash, r.codeHash = fileHash(path), j.codeHash(root)
	return r, nil
}

func writeCompressed(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(data); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// archSpecificISA is the PTX version that brought targets such as sm_90a (PTX ISA, release notes). ptxas takes them
// with an older one too, drivers do not.
const archSpecificISA = "8.0"

var versionLine = regexp.MustCompile(`(?m)^\.version .*$`)

// comments hold the compiler's build number and no code.
var comments = regexp.MustCompile(`(?m)^//.*\n`)

// lowestISA writes text to path with the lowest PTX version that ptxas takes it with.
func lowestISA(t toolchain, path, text, chip string) (string, error) {
	text = comments.ReplaceAllString(text, "")
	var failure error
	for _, v := range isaVersions {
		if strings.HasSuffix(chip, "a") && v < archSpecificISA {
			continue
		}
		if err := os.WriteFile(path, []byte(versionLine.ReplaceAllString(text, ".version "+v)), 0o644); err != nil {
			return "", err
		}
		if _, _, failure = assemble(t, path, chip); failure == nil {
			return v, nil
		}
	}
	return "", failure
}

// assemble runs ptxas and returns its report and the machine code.
func assemble(t toolchain, path, chip string) (report string, code []byte, err error) {
	cubin := path + ".cubin"
	defer os.Remove(cubin)
	cmd := exec.Command(t.ptxas, "-v", "--warn-on-spills", "--gpu-name="+chip, "-o", cubin, path)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", nil, fmt.Errorf("ptxas for %s: %w\n%s", chip, err, out)
	}
	code, err = os.ReadFile(cubin)
	return string(out), code, err
}

// loss is ptxas's word for code that works and is slow: products that wait for each other, registers that are not given.
var loss = regexp.MustCompile(`\(C\d+\).*`)

var (
	compiling = regexp.MustCompile(`Compiling entry function '(\w+)' for`)
	frame     = regexp.MustCompile(`(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads`)
	used      = regexp.MustCompile(`Used (\d+) registers`)
	smem      = regexp.MustCompile(`(\d+) bytes smem`)
)

// parseUsage reads a report of ptxas -v. A spill or a stack is an error.
func parseUsage(log, chip string) ([]usage, error) {
	if m := loss.FindString(log); m != "" {
		return nil, fmt.Errorf("ptxas for %s: %s", chip, m)
	}
	var all []usage
	var u usage
	number := func(re *regexp.Regexp, line string, group int) int {
		m := re.FindStringSubmatch(line)
		if m == nil {
			return 0
		}
		n, _ := strconv.Atoi(m[group])
		return n
	}
	for line := range strings.Lines(log) {
		if m := compiling.FindStringSubmatch(line); m != nil {
			u = usage{entry: m[1], chip: chip}
		}
		if frame.MatchString(line) {
			u.stack = number(frame, line, 1)
			u.spill = number(frame, line, 2) + number(frame, line, 3)
		}
		if used.MatchString(line) {
			u.registers, u.shared = number(used, line, 1), number(smem, line, 1)
			all = append(all, u)
			if u.spill > 0 || u.stack > 0 {
				return nil, fmt.Errorf("%s on %s has %d bytes of stack and %d bytes of spills", u.entry, chip, u.stack, u.spill)
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no entry in the report of ptxas:\n%s", log)
	}
	return all, nil
}
