package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/weft-llm/weft/internal/golden"
)

var update = flag.Bool("update", false, "rewrite docs/flags.md")

// command runs one command line.
func command(stdin string, args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	code = run(&app{ctx: context.Background(), stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs, args: args})
	return out.String(), errs.String(), code
}

func TestDocs_FlagReferenceIsFresh(t *testing.T) {
	got, _, code := command("", "flags")
	if code != exitDone {
		t.Fatalf("weft flags exits with %d", code)
	}
	const file = "../../docs/flags.md"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("docs/flags.md is not what `weft flags` prints: run `just docs`")
	}
}

func TestExit_2IsBadUsageAnd1IsFailure(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"generate --bogus", exitUsage, "unknown flag --bogus"},
		{"generate -p x", exitDone, "built-in demo model"},
		{"generate -p x --load dummy", exitUsage, "--model"},
		{"generate -p x --load other", exitUsage, "--load"},
		{"generate -p x --dtype f8", exitUsage, "--dtype"},
		{"generate -p x --dtype f16 --device cpu", exitFailed, "cannot compute in f16 on the CPU"},
		{"generate -p x --model /nowhere", exitFailed, "/nowhere"},
		{"tokenize --model /nowhere", exitFailed, "/nowhere"},
		{"--version", exitDone, ""},
	} {
		_, errs, code := command("", strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("weft %s: exit %d, %q, want %d and %q", c.args, code, errs, c.code, c.want)
		}
	}
}

func TestTokenize_WritesOneLineForEachLineRead(t *testing.T) {
	dir := golden.Chat(t)
	out, errs, code := command("hi\n\n<s>\n", "tokenize", "-m", dir)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if code != exitDone || len(lines) != 3 || lines[1] != "[]" {
		t.Fatalf("exit %d, %q, %q, want three lines, the second []", code, out, errs)
	}
	back, _, _ := command(lines[0]+"\nnonsense\n", "tokenize", "-m", dir, "--decode", "--json")
	if first, rest, _ := strings.Cut(back, "\n"); first != `"hi"` || !strings.Contains(rest, "error") {
		t.Errorf("decoding gives %q, want \"hi\" and an error line", back)
	}
	special, _, _ := command(`"<s>"`+"\n", "tokenize", "-m", dir, "--json", "--special")
	if special != "[1]\n" {
		t.Errorf("<s> with --special is %q, want [1]", special)
	}
}

func TestRender_PrintsThePrompt(t *testing.T) {
	dir := golden.Chat(t)
	out, errs, code := command(`[{"role": "user", "content": "hi"}]`, "render", "-m", dir)
	if want := "<s>user: hi</s><s>assistant: "; code != exitDone || out != want {
		t.Errorf("exit %d, %q, %q, want %q", code, out, errs, want)
	}
	out, _, _ = command(`{"messages": [{"content": "x"}], "template": "{{ messages[0].content }}{{ bos_token }}", "bos_token": "B"}`+"\n{\n",
		"render", "--json")
	if lines := strings.Split(out, "\n"); lines[0] != `{"text":"xB"}` || !strings.HasPrefix(lines[1], `{"error":`) {
		t.Errorf("render --json gives %q, want the text and an error", out)
	}
}

func TestGenerate_JSONIsOneObject(t *testing.T) {
	out, errs, code := command("", "generate", "-m", golden.Chat(t), "--device", "cpu", "-p", "hello", "--max-tokens", "5", "--temperature", "0", "--json")
	var v struct{ Model, Prompt, Text string }
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != exitDone || v.Prompt != "hello" || v.Text == "" {
		t.Errorf("exit %d, %q, %q, %v", code, out, errs, err)
	}
}

func TestChat_KeepsTheConversationUntilReset(t *testing.T) {
	out, errs, code := command("hello\n/reset\n/system be brief\n/bogus\n/exit\n", "chat", "-m", golden.Chat(t), "--device", "cpu", "--max-tokens", "4")
	if code != exitDone || strings.Count(out, "> ") < 5 || strings.Count(errs, chatHelp) != 2 {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
}

func TestInspect_TellsTheArchitecture(t *testing.T) {
	out, errs, code := command("", "inspect", golden.Chat(t))
	if code != exitDone || !strings.Contains(out, "Qwen3ForCausalLM") {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
}

func TestBench_LatencyPrintsATable(t *testing.T) {
	file := t.TempDir() + "/out.csv"
	out, errs, code := command("", "bench", "latency", "-m", golden.Chat(t), "--device", "cpu", "--batch", "1,2", "--prompt", "8", "--output", "4",
		"--first", "16", "--rounds", "1", "--csv", file)
	b, err := os.ReadFile(file)
	if code != exitDone || err != nil || strings.Count(out, "\n") != 4 || !strings.HasPrefix(string(b), "# hardware: cpu") {
		t.Errorf("exit %d, %q, %q, %q, %v", code, out, errs, b, err)
	}
}

func TestBench_ThroughputTellsHostAndDeviceApart(t *testing.T) {
	dir := t.TempDir()
	config := `{"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
		"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 8, "vocab_size": 10001, "max_position_embeddings": 2048,
		"rms_norm_eps": 1e-6, "rope_theta": 10000, "tie_word_embeddings": true, "hidden_act": "silu", "torch_dtype": "bfloat16"}`
	if err := os.WriteFile(dir+"/config.json", []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	out, errs, code := command("", "bench", "throughput", "-m", dir, "--load", "dummy", "--device", "cpu", "--requests", "2", "--rounds", "1",
		"--trace", dir+"/trace.json", "--csv", dir+"/out.csv")
	b, err := os.ReadFile(dir + "/trace.json")
	var trace struct{ TraceEvents []struct{ Name string } }
	if err == nil {
		err = json.Unmarshal(b, &trace)
	}
	csv, _ := os.ReadFile(dir + "/out.csv")
	if code != exitDone || err != nil || len(trace.TraceEvents) < 1000 || !strings.Contains(string(csv), "host_us_p50,host_us_p99,device_us,gap_us,device_idle") {
		t.Errorf("exit %d, %q, %q, %v, %d events, %q", code, out, errs, err, len(trace.TraceEvents), csv)
	}
	t.Log(out)
}

func TestBench_ServeWantsALoadThatMakesSense(t *testing.T) {
	for args, want := range map[string]string{
		"--rate 5 --concurrency 3": "can't be used together",
		"--input 9-3":              "range",
		"--goodput ttft":           "ttft:500ms",
	} {
		_, errs, code := command("", append([]string{"bench", "serve", "--url", "http://127.0.0.1:1"}, strings.Fields(args)...)...)
		if code != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("weft bench serve %s: exit %d, %q, want %d and %q", args, code, errs, exitUsage, want)
		}
	}
	_, errs, code := command("", "bench", "serve", "--url", "http://127.0.0.1:1")
	if code != exitFailed || !strings.Contains(errs, "cannot ask http://127.0.0.1:1 for its models") {
		t.Errorf("without a server: exit %d, %q", code, errs)
	}
}

// TestBench_DrivesARunningServer uses each online bench against a server in another process, and reads all that it writes.
func TestBench_DrivesARunningServer(t *testing.T) {
	t.Parallel()
	p := serveIn(t, "slow", "--queue", "4", "--max-requests", "4")
	dir := t.TempDir()
	trace := `{"chat_id": 1, "parent_chat_id": -1, "timestamp": 61.0, "input_length": 40, "output_length": 5, "type": "text", "turn": 1, "hash_ids": [10, 11, 12]}
{"chat_id": 2, "parent_chat_id": 1, "timestamp": 61.2, "input_length": 36, "output_length": 6, "type": "text", "turn": 2, "hash_ids": [10, 11, 99]}
`
	if err := os.WriteFile(dir+"/trace.jsonl", []byte(trace), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, args, want string }{
		{"poisson", "serve --users 4 --rate 50 --input 4-8 --output 6 --goodput ttft:20s,itl:20s --plot DIR/plot.svg", "4 requests, 4 answered"},
		{"shared prefix and turns", "serve --users 2 --turns 3 --system 20 --input 4 --output 6 --plot DIR/plot.svg", "6 requests, 6 answered"},
		{"conversations", "serve --api chat --users 2 --turns 2 --input 4 --output 6 --concurrency 1 --plot DIR/plot.svg", "4 requests, 4 answered"},
		{"trace", "serve --trace DIR/trace.jsonl --trace-scale 0.5 --plot DIR/plot.svg", "2 requests, 2 answered"},
		{"prefix", "prefix --users 2 --turns 2 --system 20 --input 4 --output 6", "4 of 4 answers identical"},
		{"overload", "overload --requests 40 --rounds 1 --probes 3 --input 4 --output 40", "inside the server a refusal took"},
	} {
		args := strings.Fields("bench " + strings.ReplaceAll(c.args, "DIR", dir) + " --url " + p.url + " --vocab 90 --json " + dir + "/out.json")
		out, errs, code := command("", args...)
		if code != exitDone || !strings.Contains(out, c.want) {
			t.Fatalf("%s: exit %d, %q, %q, want %q", c.name, code, out, errs, c.want)
		}
		b, err := os.ReadFile(dir + "/out.json")
		if err != nil || !json.Valid(b) {
			t.Errorf("%s: the JSON is %.200q, %v", c.name, b, err)
		}
		if strings.Contains(c.args, "--plot") {
			checkPlot(t, c.name, dir+"/plot.svg")
		}
	}
}

// checkPlot wants three drawn distributions.
func checkPlot(t *testing.T, name, file string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var svg struct {
		Groups []struct {
			Path []struct {
				Fill string `xml:"fill,attr"`
				D    string `xml:"d,attr"`
			} `xml:"path"`
		} `xml:"g"`
	}
	if err := xml.Unmarshal(b, &svg); err != nil || len(svg.Groups) != 3 {
		t.Fatalf("%s: the plot has %d parts, %v", name, len(svg.Groups), err)
	}
	for i, g := range svg.Groups {
		if last := g.Path[len(g.Path)-1]; last.Fill != "none" || strings.Count(last.D, "L") < 2 {
			t.Errorf("%s: part %d of the plot draws %+v", name, i, last)
		}
	}
	_ = os.Remove(file)
}
