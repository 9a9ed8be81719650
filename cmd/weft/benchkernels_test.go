package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weft-llm/weft/driver"
	"github.com/weft-llm/weft/driver/drivertest"
	"github.com/weft-llm/weft/ptx"
)

// onFake runs a command line on a GPU played in Go, of so much memory that every case fits: what no kernel touches is
// never taken from the machine.
func onFake(t *testing.T, args ...string) (stdout, stderr string, code int, fake *drivertest.Fake) {
	t.Helper()
	fake = newFakeH200()
	fake.Record(false)
	stdout, stderr, code = runOn(fake, args...)
	return stdout, stderr, code, fake
}

func newFakeH200() *drivertest.Fake {
	return drivertest.New(drivertest.Config{Name: "NVIDIA H200", Memory: 16 << 30})
}

func runOn(fake *drivertest.Fake, args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	code = run(&app{ctx: context.Background(), stdout: &out, stderr: &errs, args: args, library: func() (*driver.Library, error) { return fake.Library() }})
	return out.String(), errs.String(), code
}

func TestBenchKernels_TimesEveryKernelBesideItsPeers(t *testing.T) {
	dir := t.TempDir()
	cases, _, code := command("", "bench", "kernels", "--list")
	rows, err := csv.NewReader(strings.NewReader(cases)).ReadAll()
	if code != exitDone || err != nil || len(rows) < 200 {
		t.Fatalf("--list: exit %d, %d rows, %v, want more than 200", code, len(rows), err)
	}
	peers := strings.Join(rows[0], ",") + "\n"
	for _, r := range rows[1:] {
		r[5], r[6] = "cuBLAS", "0.001"
		peers += strings.Join(r, ",") + "\n"
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	table, plot := filepath.Join(dir, "out.csv"), filepath.Join(dir, "out.svg")
	out, errs, code, fake := onFake(t, "bench", "kernels", "--peers", write("peers.csv", "# hardware: x\n"+peers), "--csv", table, "--plot", plot, "--cache-dir", "off")
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, errs)
	}
	fake.Check(t)
	if lines := strings.Count(out, "\n"); lines != len(rows) {
		t.Errorf("%d lines for %d cases", lines, len(rows)-1)
	}
	b, err := os.ReadFile(table)
	if err != nil || !strings.HasPrefix(string(b), "# hardware: NVIDIA H200, 132 multiprocessors\n# driver: CUDA 12.4\n# commit: dev\n# command: weft bench kernels") {
		t.Errorf("the file begins with %.120q, %v", b, err)
	}
	in := csv.NewReader(bytes.NewReader(b))
	in.Comment = '#'
	results, err := in.ReadAll()
	if err != nil || len(results) != 1+2*(len(rows)-1) {
		t.Fatalf("%d rows of results for %d cases and a peer each, %v", len(results), len(rows)-1, err)
	}
	// 2·4096·1024 + 2·1024 + 2·4096 bytes at 4.5 TB/s.
	if r := results[1]; r[0] != "linear" || r[5] != "weft" || r[8] != "1.866" || r[6] == "" || results[2][5] != "cuBLAS" {
		t.Errorf("the first case gives %q and %q, want weft's time, a floor of 1.866 and the peer", r, results[2])
	}
	if svg, err := os.ReadFile(plot); err != nil || strings.Count(string(svg), "<rect") != len(rows) {
		t.Errorf("the plot has %d bars for %d cases, %v", strings.Count(string(svg), "<rect")-1, len(rows)-1, err)
	}
}

func TestBenchKernels_VariantsAreTimedOnlyWhereTheyAreChosen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out.csv")
	out, errs, code, fake := onFake(t, "bench", "kernels", "--run", "linear/8B qkv/M=64 |attend_prefill/hd(64|128)/n=512 ", "--variants", "--csv", file, "--cache-dir", "off")
	if code != exitDone {
		t.Fatalf("exit %d: %s", code, errs)
	}
	fake.Check(t)
	b, _ := os.ReadFile(file)
	for _, want := range []string{",weft skinny_n64s2,", ",weft attend_prefill_sm90,", ",weft attend_prefill,"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no time of %q in\n%s", want, b)
		}
	}
	if strings.Count(out, "\n") != 4 {
		t.Errorf("the table is %q, want a line for each of three cases", out)
	}
}

func TestBenchKernels_ApartNoLaunchOverlapsTheOneAhead(t *testing.T) {
	for _, apart := range []bool{false, true} {
		args := []string{"bench", "kernels", "--run", "linear/8B qkv/M=64 ", "--cache-dir", "off"}
		if apart {
			args = append(args, "--apart")
		}
		fake := newFakeH200()
		if _, errs, code := runOn(fake, args...); code != exitDone {
			t.Fatalf("exit %d: %s", code, errs)
		}
		overlapping := 0
		for _, l := range fake.Launches() {
			if l.Overlap {
				overlapping++
			}
		}
		if (overlapping == 0) != apart {
			t.Errorf("apart %v: %d of %d launches overlap", apart, overlapping, len(fake.Launches()))
		}
	}
}

func TestRefusedNote_SaysHowManyFilesTheDriverCompiledAndWhy(t *testing.T) {
	loads := []ptx.Load{{File: "a"}, {File: "b", Refused: errors.New("no binary")}, {File: "c", Refused: errors.New("other")}}
	if got := refusedNote(loads); !strings.Contains(got, "2 of the kernels' files") || !strings.Contains(got, "no binary") {
		t.Errorf("refusedNote() = %q", got)
	}
	if got := refusedNote(nil); got != "" {
		t.Errorf("refusedNote() = %q with nothing refused", got)
	}
}

func TestBenchKernels_SaysWhatIsWrong(t *testing.T) {
	t.Setenv("WEFT_LIBCUDA", "/nowhere/libcuda.so.1")
	bad := filepath.Join(t.TempDir(), "peers.csv")
	if err := os.WriteFile(bad, []byte("case,us\nx,1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{nil, exitFailed, "cannot time kernels without a GPU"},
		{[]string{"--run", "("}, exitUsage, "missing closing )"},
		{[]string{"--run", "nosuch"}, exitUsage, "--list"},
		{[]string{"--peers", "/nowhere.csv"}, exitFailed, "/nowhere.csv"},
		{[]string{"--peers", bad}, exitFailed, "the columns are not"},
	} {
		_, errs, code := command("", append([]string{"bench", "kernels"}, c.args...)...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("weft bench kernels %v: exit %d, %q, want %d and %q", c.args, code, errs, c.code, c.want)
		}
	}
	_, errs, code, fake := onFake(t, "bench", "kernels", "--gpu", "3", "--run", "embed")
	if code != exitFailed || !strings.Contains(errs, "GPU 3") {
		t.Errorf("on a GPU that is not there: exit %d, %q", code, errs)
	}
	fake.Check(t)
}

// TestBenchKernels_AFailureLeavesNothingBehind fails a launch under way; what was timed before is in the file.
func TestBenchKernels_AFailureLeavesNothingBehind(t *testing.T) {
	fake := drivertest.New(drivertest.Config{Memory: 16 << 30})
	fake.Record(false)
	fake.FailCall("cuGraphLaunch", 60, driver.LaunchFailed)
	file := filepath.Join(t.TempDir(), "out.csv")
	var out, errs bytes.Buffer
	code := run(&app{ctx: context.Background(), stdout: &out, stderr: &errs, library: func() (*driver.Library, error) { return fake.Library() },
		args: []string{"bench", "kernels", "--run", "^rmsnorm/", "--csv", file, "--cache-dir", "off"}})
	b, _ := os.ReadFile(file)
	if code != exitFailed || !strings.Contains(errs.String(), "cannot time rmsnorm/0.6B") || strings.Count(string(b), "rmsnorm,") != 1 {
		t.Errorf("exit %d, %q, %q, want the first case's time and an error that names the second", code, errs.String(), b)
	}
}
