//go:build !nogpu

package dl

import (
	"os"
	"path/filepath"
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
	text := filepath.Join(t.TempDir(), "text.so")
	if err := os.WriteFile(text, []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open("libnowhere.so.7", text, "/nowhere/lib.so")
	if err == nil {
		t.Fatal("Open() loaded a text file")
	}
	for _, want := range []string{"cannot load a library (" + text + ": ", "; not found: libnowhere.so.7, /nowhere/lib.so)"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Open() = %v, want %q in it", err, want)
		}
	}
}
