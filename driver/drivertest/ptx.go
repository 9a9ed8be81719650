package drivertest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/weft-llm/weft/driver/drivertest/simt"
)

// program is what a module holds.
type program struct {
	kernels map[string]layout
	globals map[string]int // name → bytes
	opaque  bool           // machine code: every name is a kernel
	code    *simt.Module   // what runs, where kernels run
}

// layout is where each parameter of a kernel lies, in order.
type layout []param

type param struct{ offset, size, align int }

// bytes is the size of the parameter block.
func (l layout) bytes() int {
	if len(l) == 0 {
		return 0
	}
	last := l[len(l)-1]
	return last.offset + last.size
}

var (
	ptxVersion = regexp.MustCompile(`(?m)^\s*\.version\s+(\d+)\.(\d+)`)
	ptxTarget  = regexp.MustCompile(`(?m)^\s*\.target\s+sm_(\d+)(a?)`)
	ptxEntry   = regexp.MustCompile(`\.entry\s+([\w$]+)\s*(?:\(([^)]*)\))?`)
	ptxGlobal  = regexp.MustCompile(`(?m)^[^{}\n]*\.(?:global|const)\s+(?:\.align\s+\d+\s+)?\.(\w+)\s+([\w$]+)(?:\[(\d+)\])?`)
)

// parsePTX reads names, parameter sizes and the header; it does not look into the code.
func parsePTX(text string) (*program, error) {
	text = declarations(text)
	if !ptxVersion.MatchString(text) {
		return nil, fmt.Errorf("ptxas application ptx input, line 1; fatal   : Missing .version directive at start of file")
	}
	p := &program{kernels: map[string]layout{}, globals: map[string]int{}}
	for _, m := range ptxEntry.FindAllStringSubmatch(text, -1) {
		params, err := readLayout(m[2])
		if err != nil {
			return nil, fmt.Errorf("ptxas fatal   : entry %s: %w", m[1], err)
		}
		p.kernels[m[1]] = params
	}
	for _, m := range ptxGlobal.FindAllStringSubmatch(text, -1) {
		count, _ := strconv.Atoi(or(m[3], "1"))
		p.globals[m[2]] = count * typeBytes(m[1])
	}
	return p, nil
}

// declarations is text without comments and without what stands in braces: bodies are long and never looked at.
func declarations(text string) string {
	var out strings.Builder
	depth := 0
	for text != "" {
		at := strings.IndexAny(text, "{}/")
		if at < 0 {
			at = len(text)
		}
		if depth == 0 {
			out.WriteString(text[:at])
		}
		text = text[at:]
		switch {
		case text == "":
		case strings.HasPrefix(text, "//"):
			_, text, _ = strings.Cut(text, "\n")
			out.WriteByte('\n')
		case strings.HasPrefix(text, "/*"):
			_, text, _ = strings.Cut(text, "*/")
			out.WriteByte(' ')
		default:
			depth += strings.Count(text[:1], "{") - strings.Count(text[:1], "}")
			text = text[1:]
		}
	}
	return out.String()
}

// target is the .version as major*10+minor and the .target's number; exact is true for sm_90a and its like.
func target(text string) (version, arch int, exact bool) {
	if m := ptxVersion.FindStringSubmatch(text); m != nil {
		major, _ := strconv.Atoi(m[1])
		minor, _ := strconv.Atoi(m[2])
		version = 10*major + minor
	}
	if m := ptxTarget.FindStringSubmatch(text); m != nil {
		arch, _ = strconv.Atoi(m[1])
		exact = m[2] != ""
	}
	return version, arch, exact
}

// readLayout lays a parameter list out with natural alignment.
func readLayout(list string) (layout, error) {
	var out layout
	for _, text := range strings.Split(list, ",") {
		fields := strings.Fields(text)
		if len(fields) == 0 {
			continue
		}
		n, align, err := paramSize(fields)
		if err != nil {
			return nil, err
		}
		out = append(out, param{(out.bytes() + align - 1) / align * align, n, align})
	}
	return out, nil
}

// paramSize reads ".param [.align N] .type [.ptr …] name[count]".
func paramSize(fields []string) (n, align int, err error) {
	for i := 1; i < len(fields); i++ {
		if fields[i] == ".align" && i+1 < len(fields) && n == 0 {
			align, _ = strconv.Atoi(fields[i+1])
			i++
			continue
		}
		if b := typeBytes(strings.TrimPrefix(fields[i], ".")); b > 0 && n == 0 {
			n = b
		}
	}
	if n == 0 {
		return 0, 0, fmt.Errorf("cannot read parameter %q", strings.Join(fields, " "))
	}
	align = max(align, n)
	if _, count, found := strings.Cut(fields[len(fields)-1], "["); found {
		k, err := strconv.Atoi(strings.TrimSuffix(count, "]"))
		if err != nil {
			return 0, 0, fmt.Errorf("cannot read parameter %q", strings.Join(fields, " "))
		}
		n *= k
	}
	return n, align, nil
}

// typeBytes is the size of a PTX type such as u64 or b8; 0 for anything else.
func typeBytes(name string) int {
	if len(name) < 2 || !strings.Contains("bsuf", name[:1]) {
		return 0
	}
	bits, err := strconv.Atoi(name[1:])
	if err != nil {
		return 0
	}
	return bits / 8
}
