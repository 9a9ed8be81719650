package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// frame is what a chunk of a stream says, of either endpoint. It is reused from one chunk to the next.
type frame struct {
	Choices []struct {
		Text  string `json:"text"`
		Delta struct {
			Content   string `json:"content"`
			Reasoning string `json:"reasoning_content"`
		} `json:"delta"`
	} `json:"choices"`
	Usage *usage `json:"usage"`
	Error *struct {
		Message string `json:"message"`
	} `json:"error"`
}

type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Details    struct {
		Cached int `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

// text returns what the chunk adds to the answer.
func (f *frame) text() string {
	if len(f.Choices) == 0 {
		return ""
	}
	c := &f.Choices[0]
	if c.Text != "" {
		return c.Text
	}
	return c.Delta.Reasoning + c.Delta.Content
}

// errTruncated means that a stream ended without [DONE].
var errTruncated = errors.New("the stream ends without [DONE]")

// errStream means that the server reported an error within the stream.
var errStream = errors.New("the server reports")

// readStream calls on for each event of r until [DONE]. Lines are used in place, not copied.
func readStream(r *bufio.Reader, f *frame, on func(*frame)) error {
	var long []byte // a line that is longer than the buffer
	for {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long, line...)
			continue
		}
		if len(long) > 0 {
			long = append(long, line...)
			line = long
		}
		data, ok := bytes.CutPrefix(bytes.TrimRight(line, "\r\n"), []byte("data:"))
		data = bytes.TrimLeft(data, " ")
		switch {
		case errors.Is(err, io.EOF) && !ok:
			return errTruncated
		case err != nil && !errors.Is(err, io.EOF):
			return err
		case !ok: // a comment, or the empty line behind an event
		case string(data) == "[DONE]":
			return nil
		default:
			f.Choices, f.Usage, f.Error = f.Choices[:0], nil, nil
			if err := json.Unmarshal(data, f, jsontext.AllowDuplicateNames(true)); err != nil {
				return fmt.Errorf("cannot read an event: %w", err)
			}
			if f.Error != nil {
				return fmt.Errorf("%w: %s", errStream, f.Error.Message)
			}
			on(f)
		}
		long = long[:0]
	}
}

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	b, err := jsontext.AppendQuote(dst, s)
	if err != nil { // s is not UTF-8: it is quoted with replacement characters all the same
		return b
	}
	return b
}
