package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPTX_IsWhatTheSourcesGive needs no compiler: it compares hashes with ptx/gen/MANIFEST.
func TestPTX_IsWhatTheSourcesGive(t *testing.T) {
	const root = "../.."
	jobs, err := findJobs(root)
	if err != nil {
		t.Fatal(err)
	}
	m, err := readManifest(manifestPath(root))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, j := range jobs {
		for _, f := range j.files() {
			known[f] = true
		}
		if why := j.stale(root, m); why != "" {
			t.Errorf("ptx/gen/%s %s; run ./build.sh kernels", j.output, why)
		}
		for _, u := range m[j.output].usage {
			if u.spill > 0 || u.stack > 0 {
				t.Errorf("%s spills %d bytes on %s and keeps a stack of %d", u.entry, u.spill, u.chip, u.stack)
			}
		}
	}
	texts, _ := filepath.Glob(filepath.Join(outputDir(root), "*", "*.ptx"))
	codes, _ := filepath.Glob(filepath.Join(outputDir(root), "code", "*", "*"))
	for _, f := range append(texts, codes...) {
		if rel, _ := filepath.Rel(outputDir(root), f); !known[rel] {
			t.Errorf("ptx/gen/%s has no source", rel)
		}
	}
}

func TestStale_NoticesAChangedHeader(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, "ptx", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("src/a.cu", "#include \"b.cuh\"\n")
	write("src/b.cuh", "// one\n")
	write("gen/sm_80/a.ptx", ".version 7.0\n")
	j := newJob("a.cu")
	in, err := j.inputHash(root)
	if err != nil {
		t.Fatal(err)
	}
	m := manifest{j.output: {output: j.output, input: in, outputHash: fileHash(filepath.Join(root, "ptx/gen/sm_80/a.ptx")), codeHash: j.codeHash(root)}}
	if why := j.stale(root, m); why != "" {
		t.Fatalf("a fresh kernel %s", why)
	}
	write("src/b.cuh", "// two\n")
	if j.stale(root, m) == "" {
		t.Error("a changed header goes unnoticed")
	}
	write("src/b.cuh", "// one\n")
	write("gen/sm_80/a.ptx", ".version 7.1\n")
	if j.stale(root, m) == "" {
		t.Error("an edited output goes unnoticed")
	}
	write("gen/sm_80/a.ptx", ".version 7.0\n")
	write("gen/code/sm_90/a.cubin.gz", "code")
	if j.stale(root, m) == "" {
		t.Error("machine code of another build goes unnoticed")
	}
}
