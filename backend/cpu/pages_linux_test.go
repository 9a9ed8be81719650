package cpu

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"unsafe"
)

func TestLoadLinear_CopiesAndDropsAllOfTheSource(t *testing.T) {
	b := New(Options{Threads: 2})
	defer b.Close()
	s := matrixSource(16384)
	dropped := 0
	s.Drop = func(part []byte) {
		if &part[0] != &s.Data[dropped] {
			t.Errorf("Drop got another part than the one from byte %d on", dropped)
		}
		dropped += len(part)
	}
	got := loaded(t, b, s)
	if &got[0] == &s.Data[0] || !bytes.Equal(got, s.Data) {
		t.Errorf("the weight is not a copy of its source")
	}
	if dropped != len(s.Data) {
		t.Errorf("%d bytes were dropped, want %d", dropped, len(s.Data))
	}
}

// mapped reports whether the process has memory at address p, and whether large pages were asked for there.
func mapped(t *testing.T, p unsafe.Pointer) (there, large bool) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skip("skipped: ", err)
	}
	at := false
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		var lo, hi uintptr
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x ", &lo, &hi); n == 2 {
			at = lo <= uintptr(p) && uintptr(p) < hi
			there = there || at
		}
		if flags, ok := strings.CutPrefix(lines.Text(), "VmFlags:"); ok && at {
			large = strings.Contains(flags+" ", " hg ")
		}
	}
	return there, large
}

func TestClose_FreesTheCopiesOfWeights(t *testing.T) {
	b := New(Options{Threads: 1})
	p := unsafe.Pointer(&loaded(t, b, matrixSource(64))[0])
	there, large := mapped(t, p)
	if !there {
		t.Fatal("the weight is in no mapping")
	}
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err == nil && !large {
		t.Error("no large pages were asked for below the weight")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if there, _ := mapped(t, p); there {
		t.Error("the weight is still mapped after Close")
	}
}
