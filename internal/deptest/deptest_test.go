// Package deptest enforces which package may import which.
package deptest

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/weft-llm/weft/"

// allowed lists what each package of ours may import of ours. A package below another one, such as driver/drivertest,
// has the rights of the longest entry that it lies under, and may import that one.
var allowed = []struct {
	pkg     string
	imports string
	why     string
}{
	{"tensor", "", "it names memory, and is used by everyone"},
	{"kvcache", "", "integers on the host, tested in milliseconds"},
	{"tokenizer", "", "text and ids, tested in milliseconds"},
	{"chat", "", "text, tested in milliseconds"},
	{"constrain", "tokenizer", "masks over token ids"},
	{"driver", "", "the one place for FFI"},
	{"driver/drivertest/simt", "", "it plays a machine, and knows nothing of who uses it"},
	{"ptx", "driver tensor", "a typed kernel library, usable alone"},
	{"backend", "tensor", "declared below its users"},
	{"backend/backendtest", "backend tensor", "one suite for every backend"},
	{"backend/cpu", "backend tensor", "an oracle shares no code with what it checks"},
	{"backend/cuda", "backend ptx driver tensor", "the only glue between operations and hardware"},
	{"model", "backend tensor", "a model does not know where it runs"},
	{"scheduler", "kvcache", "policy is a pure function of counts"},
	{"engine", "scheduler kvcache model backend tensor constrain", "tokens in, tokens out; no text, no HTTP"},
	{"server", "engine tokenizer chat constrain", "endpoints are tested against a fake engine"},
	{"hub", "", "it moves files and does not know what is in them"},
}

// thirdParty lists modules that only one package may use.
var thirdParty = map[string]string{
	"github.com/ebitengine/purego":        "driver tools",
	"github.com/NVIDIA/go-nvml":           "driver",
	"github.com/valyala/fasthttp":         "server bench",
	"github.com/alecthomas/kong":          "cmd",
	"github.com/prometheus/client_golang": "server",
}

func TestImports_FollowTheTable(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "../../...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		pkg := strings.TrimPrefix(f[0], module)
		for _, imp := range f[1:] {
			if problem := check(pkg, imp); problem != "" {
				t.Error(problem)
			}
		}
	}
}

// TestWeft_HoldsNothingOfTests looks for what only tests may use, such as the machines that they run on.
func TestWeft_HoldsNothingOfTests(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "../../cmd/weft").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		pkg := strings.TrimPrefix(strings.TrimSpace(line), module)
		for _, test := range []string{"backend/backendtest", "driver/drivertest", "hub/hubtest", "internal/fakegpu", "internal/golden", "internal/pipes"} {
			if under(pkg, test) {
				t.Errorf("cmd/weft links %s", pkg)
			}
		}
	}
}

// check says what is wrong with pkg importing imp, or nothing.
func check(pkg, imp string) string {
	ours, ok := strings.CutPrefix(imp, module)
	if !ok {
		for mod, users := range thirdParty {
			if strings.HasPrefix(imp, mod) && !slices.ContainsFunc(strings.Fields(users), func(u string) bool { return under(pkg, u) }) {
				return pkg + " imports " + imp + ": only " + users + " may"
			}
		}
		return ""
	}
	rule := -1
	for i, r := range allowed {
		if under(pkg, r.pkg) && (rule < 0 || len(r.pkg) > len(allowed[rule].pkg)) {
			rule = i
		}
	}
	if rule < 0 { // cmd, bench, tools, internal and the root wire everything
		return ""
	}
	r := allowed[rule]
	if under(ours, r.pkg) {
		return ""
	}
	for _, a := range strings.Fields(r.imports) {
		if under(ours, a) && !(a == "backend" && ours != "backend") {
			return ""
		}
	}
	return pkg + " imports " + ours + ": it may import only [" + r.imports + "], because " + r.why
}

func under(pkg, dir string) bool { return pkg == dir || strings.HasPrefix(pkg, dir+"/") }

func TestCheck_RefusesWhatTheTableDoes(t *testing.T) {
	for _, c := range []struct {
		pkg, imp string
		ok       bool
	}{
		{"engine", module + "backend", true},
		{"engine", module + "backend/cuda", false},
		{"model/weights", module + "backend", true},
		{"model", module + "model/weights", true},
		{"model", module + "engine", false},
		{"backend/cpu", module + "ptx", false},
		{"cmd/weft", module + "server", true},
		{"engine", "github.com/ebitengine/purego", false},
		{"driver/nvml", "github.com/ebitengine/purego", true},
	} {
		if got := check(c.pkg, c.imp); (got == "") != c.ok {
			t.Errorf("check(%s, %s) = %q, want ok %v", c.pkg, c.imp, got, c.ok)
		}
	}
}
