package main

import "testing"

const report = `ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'add' for 'sm_80'
ptxas info    : Function properties for add
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 26 registers, 128 bytes smem, 376 bytes cmem[0]
`

func TestParseUsage_ReadsWhatPtxasReports(t *testing.T) {
	got, err := parseUsage(report, "sm_80")
	want := usage{entry: "add", chip: "sm_80", registers: 26, shared: 128}
	if err != nil || len(got) != 1 || got[0] != want {
		t.Fatalf("parseUsage() = %v, %v, want %v", got, err, want)
	}
}

func TestParseUsage_RefusesASpillAndAStack(t *testing.T) {
	for _, line := range []string{"0 bytes stack frame, 8 bytes spill stores, 0 bytes spill loads", "16 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads"} {
		log := "Compiling entry function 'add' for 'sm_80'\n" + line + "\nUsed 26 registers\n"
		if _, err := parseUsage(log, "sm_80"); err == nil {
			t.Errorf("parseUsage(%q) found nothing wrong", line)
		}
	}
}
