package load

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// TraceOptions say how a trace is played.
type TraceOptions struct {
	Limit      int     // requests read at most; 0: all
	Scale      float64 // multiplies the times between requests: 0.5 is twice as fast
	MaxContext int     // requests of more tokens, in and out, are left out; 0: none is
	Vocab      int     // ids are below it
}

// traceLine is a line of the Bailian traces that Qwen published (github.com/alibaba-edu/qwen-bailian-usagetraces-anon),
// which mini-SGLang's online benchmark replays.
type traceLine struct {
	Timestamp    float64 `json:"timestamp"` // seconds
	InputLength  int     `json:"input_length"`
	OutputLength int     `json:"output_length"`
	HashIDs      []int64 `json:"hash_ids"` // one a block of the prompt: the same id is the same text
}

// ReadTrace reads a trace, one JSON object a line. Each request is a session of its own: its time is the trace's. Its
// prompt is made up block by block from hash_ids, so that requests share prefixes as they did when recorded; a line
// without them gets a prompt that shares nothing.
func ReadTrace(r io.Reader, o TraceOptions) (*Workload, error) {
	w := &Workload{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	first := 0.0
	for n := 1; lines.Scan() && (o.Limit == 0 || len(w.Sessions)+w.Skipped < o.Limit); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var l traceLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("cannot read line %d of the trace: %w", n, err)
		}
		if l.InputLength < 1 || l.OutputLength < 1 || len(l.HashIDs) > l.InputLength {
			return nil, fmt.Errorf("cannot read line %d of the trace: input_length %d, output_length %d, %d hash_ids",
				n, l.InputLength, l.OutputLength, len(l.HashIDs))
		}
		if len(w.Sessions)+w.Skipped == 0 {
			first = l.Timestamp
		}
		if o.MaxContext > 0 && l.InputLength+l.OutputLength > o.MaxContext {
			w.Skipped++
			continue
		}
		w.Sessions = append(w.Sessions, Session{
			At:    time.Duration((l.Timestamp - first) * o.Scale * float64(time.Second)),
			Turns: []Turn{{Input: l.prompt(n, o.Vocab), Output: l.OutputLength}},
		})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("cannot read the trace: %w", err)
	}
	if len(w.Sessions) == 0 {
		return nil, fmt.Errorf("cannot read the trace: none of its %d requests is left", w.Skipped)
	}
	return w, nil
}

// prompt makes up input_length ids. The published traces have blocks of 16 tokens, of which the last may be short.
func (l *traceLine) prompt(line, vocab int) []int32 {
	if len(l.HashIDs) == 0 {
		return randomIDs(rand.New(rand.NewPCG(uint64(line), 0x6c696e65)), l.InputLength, vocab)
	}
	size := (l.InputLength + len(l.HashIDs) - 1) / len(l.HashIDs)
	if size <= 16 && l.InputLength > 16*(len(l.HashIDs)-1) {
		size = 16
	}
	var ids []int32
	for _, h := range l.HashIDs {
		ids = append(ids, randomIDs(rand.New(rand.NewPCG(uint64(h), 0x626c6f63)), size, vocab)...)
	}
	from := rand.New(rand.NewPCG(uint64(line), 0x7461696c))
	for len(ids) < l.InputLength {
		ids = append(ids, from.Int32N(int32(vocab)))
	}
	return ids[:l.InputLength]
}
