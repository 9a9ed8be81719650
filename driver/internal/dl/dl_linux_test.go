//go:build !nogpu

package dl

import (
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

func TestOpen_TakesTheFirstCandidateThatLoads(t *testing.T) {
	lib, err := Open("libnowhere.so.7", "libc.so.6")
	if err != nil {
		t.Fatal(err)
	}
	if lib.Path != "libc.so.6" {
		t.Errorf("Path = %q, want libc.so.6", lib.Path)
	}
	if got, want := int(Call(lib.Lookup("getpid"))), syscall.Getpid(); got != want {
		t.Errorf("getpid() = %d, want %d", got, want)
	}
	text := []byte("weft\x00")
	if got := Call(lib.Lookup("strlen"), uintptr(unsafe.Pointer(&text[0]))); got != 4 {
		t.Errorf("strlen() = %d, want 4", got)
	}
	if entry := lib.Lookup("cuInit"); entry != 0 {
		t.Errorf("Lookup(cuInit) = %#x in libc, want 0", entry)
	}
}

func TestOpen_ListsWhatWasTried(t *testing.T) {
	_, err := Open("libnowhere.so.7", "/nowhere/lib.so")
	if err == nil || !strings.HasPrefix(err.Error(), "cannot load a library: tried libnowhere.so.7: ") || !strings.Contains(err.Error(), "; /nowhere/lib.so: ") {
		t.Errorf("Open() = %v, want both names with their reasons", err)
	}
}
