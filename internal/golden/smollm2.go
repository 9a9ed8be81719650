package golden

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/weft-llm/weft/backend"
)

//go:embed testdata/smollm2.json
var smolLM2JSON []byte

// smolLM2 is what transformers decodes greedily in float32 (tools/golden/smollm2.py).
type smolLM2 struct {
	File    string `json:"file"`
	SHA256  string `json:"sha256"`
	Prompts []struct {
		Prompt   []int32   `json:"prompt"`
		Tokens   []int32   `json:"tokens"`
		Logprobs []float32 `json:"logprobs"`
		Gaps     []float32 `json:"gaps"` // between the best logit and the second
	} `json:"prompts"`
}

// SmolLM2 returns where the real model is, or skips the test.
func SmolLM2(t *testing.T) string {
	t.Helper()
	return readSmolLM2(t).find(t)
}

// readSmolLM2 reads the reference.
func readSmolLM2(t *testing.T) *smolLM2 {
	t.Helper()
	var want smolLM2
	if err := json.Unmarshal(smolLM2JSON, &want); err != nil {
		t.Fatal(err)
	}
	return &want
}

// find returns where the file is that the reference was made with.
func (m *smolLM2) find(t *testing.T) string {
	t.Helper()
	path := findModel(t, m.File)
	if got := digest(t, path); got != m.SHA256 {
		t.Fatalf("%s has sha256 %s, the reference is of %s", path, got, m.SHA256)
	}
	return path
}

// RunSmolLM2 decodes the prompts of a real model greedily, all in one batch, and compares with transformers: a token
// may differ only where the best logit leads by less than nearTie, after which that prompt's comparison ends; and the
// mean log-probability of the tokens up to there differs by less than share of itself. nearTie 0 demands all tokens, an
// infinite one tells only where they part.
func RunSmolLM2(t *testing.T, open Open, nearTie, share float64) {
	want := readSmolLM2(t)
	_, s := load(t, open, want.find(t), 256, backend.Limits{Tokens: 512, Requests: len(want.Prompts)})
	got, logprobs := s.greedy(want)
	sums, squares, n := [2]float64{}, 0.0, 0
	for i, p := range want.Prompts {
		for j, token := range p.Tokens {
			if got[i][j] != token {
				report := t.Logf
				if float64(p.Gaps[j]) >= nearTie {
					report = t.Errorf
				}
				report("prompt %d agrees on %d of %d tokens, then has %d, want %d, which leads by %v", i, j, len(p.Tokens), got[i][j], token, p.Gaps[j])
				break
			}
			have, want := float64(logprobs[i][j]), float64(p.Logprobs[j])
			sums[0], sums[1], n = sums[0]+have, sums[1]+want, n+1
			squares += (have - want) * (have - want)
		}
	}
	t.Logf("%d tokens compared, mean log-probability %.6f, want %.6f, root mean square of the differences %.6f", n,
		sums[0]/float64(n), sums[1]/float64(n), math.Sqrt(squares/float64(n)))
	if d := math.Abs(sums[0]/sums[1] - 1); !(d < share) {
		t.Errorf("the mean log-probability of %d tokens is off by %.4f%%, want less than %.4f%%", n, 100*d, 100*share)
	}
}

func digest(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// greedy decodes all prompts together: first the prompts one by one, then a batch of single tokens.
func (s *session) greedy(want *smolLM2) (ids [][]int32, logprobs [][]float32) {
	ids, logprobs = make([][]int32, len(want.Prompts)), make([][]float32, len(want.Prompts))
	for i, p := range want.Prompts {
		id, lp, _ := s.step(part{row: i, ids: p.Prompt})
		ids[i], logprobs[i] = append(ids[i], id[0]), append(logprobs[i], lp[0])
	}
	for n := 1; n < len(want.Prompts[0].Tokens); n++ {
		var parts []part
		for i, p := range want.Prompts {
			parts = append(parts, part{row: i, from: len(p.Prompt) + n - 1, ids: []int32{backend.FromDevice}})
		}
		id, lp, _ := s.step(parts...)
		for i := range parts {
			ids[i], logprobs[i] = append(ids[i], id[i]), append(logprobs[i], lp[i])
		}
	}
	return ids, logprobs
}

// findModel looks in WEFT_MODEL_DIR and in models/ of the repository.
func findModel(t *testing.T, name string) string {
	t.Helper()
	places := []string{filepath.Join("..", "..", "models"), filepath.Join("..", "..", "..", "models")}
	if dir := os.Getenv("WEFT_MODEL_DIR"); dir != "" {
		places = []string{dir}
	}
	for _, dir := range places {
		if path := filepath.Join(dir, name); exists(path) {
			return path
		}
	}
	t.Skipf("skipped: %s is not in %v; ./build.sh model fetches it", name, places)
	return ""
}
