package simt

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDecode_KnowsEveryInstructionOfOurKernels reads all PTX that is checked in.
func TestDecode_KnowsEveryInstructionOfOurKernels(t *testing.T) {
	files, err := filepath.Glob("../../../ptx/gen/*/*.ptx")
	if err != nil || len(files) == 0 {
		t.Fatalf("no PTX: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(string(text))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(m.kernels) == 0 {
			t.Errorf("%s has no kernel", file)
		}
		for _, k := range m.kernels {
			p, err := k.program()
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			t.Logf("%s %s: %d instructions, slots %v, %d constants, shared %d", filepath.Base(file), k.name, len(p.ops), p.counts[1:], len(p.constants), p.static-sharedBase)
		}
	}
}
