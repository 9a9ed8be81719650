package server

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-llm/weft/engine"
)

// TestClients runs the official clients against a server whose model always says the same. WEFT_PYTHON is a Python that
// has openai; WEFT_NODE_DIR is a folder where npm installed openai, ai and @ai-sdk/openai-compatible.
func TestClients(t *testing.T) {
	s := start(t, func(q engine.Request) script {
		out := say("The", " capital", " of", " France")
		out.cached = 2
		switch q.MaxTokens {
		case 3:
			return script{refuse: engine.ErrQueueFull}
		case 4:
			return script{err: engine.ErrDeadline}
		case 5:
			out.err = engine.ErrNumeric
		case 6:
			out.start = nil
			out.tokens = append(out.tokens, out.tokens...)
			out.wait = 300 * time.Millisecond
		}
		return out
	}, withKey)
	scripts, err := filepath.Abs("testdata/clients")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, env, dir, program, script string }{
		{"python", "WEFT_PYTHON", scripts, os.Getenv("WEFT_PYTHON"), "openai_client.py"},
		{"node", "WEFT_NODE_DIR", os.Getenv("WEFT_NODE_DIR"), "node", "openai_client.mjs"},
		{"ai-sdk", "WEFT_NODE_DIR", os.Getenv("WEFT_NODE_DIR"), "node", "ai_sdk.mjs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if os.Getenv(c.env) == "" {
				t.Skipf("skipped: %s is not set", c.env)
			}
			cmd := exec.Command(c.program, filepath.Join(scripts, c.script), "http://"+s.addr+"/v1", testKey)
			cmd.Dir = c.dir
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.HasPrefix(string(out), "ok: ") {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Logf("%s", out)
			waitFor(t, "the hang-up to be seen", func() bool { return s.inflight.count() == 0 })
		})
	}
}
