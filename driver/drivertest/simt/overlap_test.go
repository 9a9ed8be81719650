package simt

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

// behind runs a kernel that overlaps one that wrote the first eight words.
func behind(t *testing.T, code string) error {
	t.Helper()
	m, err := Parse(snippet{code: code, declare: ".shared .align 16 .b8 words[16];"}.ptx())
	if err != nil {
		t.Fatal(err)
	}
	return m.Run(&Launch{Kernel: "k", Block: [3]int{lanes}, Args: binary.LittleEndian.AppendUint64(nil, base), Memory: &memory{make([]byte, 512)},
		Overlap: true, Ahead: []Span{{base, base + 32}}})
}

func TestOverlap_WhatTheKernelAheadWroteIsWaitedFor(t *testing.T) {
	if err := behind(t, "griddepcontrol.wait;\nld.global.u32 %r0, [%out];"); err != nil {
		t.Errorf("Run() = %v after a wait", err)
	}
	if err := behind(t, "ld.global.u32 %r1, [%out+256];\ngriddepcontrol.wait;\nld.global.u32 %r0, [%out];"); err != nil {
		t.Errorf("Run() = %v, with an early read of something else", err)
	}
	copying := func(bytes string) string {
		return "mov.u64 %rd1, words;\ncvt.u32.u64 %r1, %rd1;\nadd.s64 %rd2, %out, 16;\ncp.async.cg.shared.global [%r1], [%rd2], 16, " + bytes + ";\ngriddepcontrol.wait;"
	}
	if err := behind(t, copying("0")); err != nil {
		t.Errorf("Run() = %v, with an early copy of no bytes", err)
	}
	for code, want := range map[string]string{
		copying("8"): "griddepcontrol.wait comes later or never",
		"ld.global.u32 %r0, [%out];\ngriddepcontrol.wait;": "griddepcontrol.wait comes later or never",
		"mov.u32 %r0, 1;\nadd.s64 %out, %out, 256;":        "never waits for the kernels ahead",
	} {
		var f *Fault
		if err := behind(t, code); !errors.As(err, &f) || !strings.Contains(f.Text, want) {
			t.Errorf("%s: Run() = %v, want %q", code, err, want)
		}
	}
}

func TestOverlap_TellsWhatWasWritten(t *testing.T) {
	m, err := Parse(snippet{code: "griddepcontrol.launch_dependents;\nmov.u32 %r0, 1;"}.ptx())
	if err != nil {
		t.Fatal(err)
	}
	l := &Launch{Kernel: "k", Block: [3]int{lanes}, Args: binary.LittleEndian.AppendUint64(nil, base), Memory: &memory{make([]byte, 512)}}
	if err := m.Run(l); err != nil || !l.Allowed || len(l.Wrote) != 1 || l.Wrote[0] != (Span{base, base + 128}) {
		t.Errorf("Run() = %v, allowed %v, wrote %v, want 128 bytes from %#x", err, l.Allowed, l.Wrote, base)
	}
}
