package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/weft-llm/weft"
	"github.com/weft-llm/weft/tokenizer"
)

type tokenizeCmd struct {
	modelFlags
	Decode  bool `help:"Turn lines with a JSON array of ids into text."`
	JSON    bool `help:"Lines of text are JSON strings, so that a text may hold line ends."`
	Special bool `help:"Special tokens written out in the text become their ids; decoding prints them."`
	BOS     bool `name:"bos" help:"Add the tokens that the model wants around a text, such as BOS."`
}

// maxLine is the longest input line.
const maxLine = 256 << 20

func (c *tokenizeCmd) Run(a *app) error {
	src, err := c.find(a)
	if err != nil {
		return err
	}
	t, err := weft.OpenText(src.path)
	if err != nil {
		return err
	}
	if t.Tokenizer == nil {
		return fmt.Errorf("cannot tokenize: %s has no tokenizer", c.Model)
	}
	line := c.encode
	if c.Decode {
		line = c.decode
	}
	return eachLine(a.stdin, a.stdout, func(in []byte) any {
		out, err := line(t.Tokenizer, in)
		if err != nil {
			return map[string]string{"error": err.Error()}
		}
		return out
	})
}

func (c *tokenizeCmd) encode(t *tokenizer.Tokenizer, line []byte) (any, error) {
	text := string(line)
	if c.JSON {
		if err := json.Unmarshal(line, &text); err != nil {
			return nil, fmt.Errorf("cannot read a JSON string: %w", err)
		}
	}
	ids, err := t.Encode([]int32{}, text, tokenizer.EncodeOptions{ParseSpecial: c.Special, AddSpecial: c.BOS})
	return ids, err
}

func (c *tokenizeCmd) decode(t *tokenizer.Tokenizer, line []byte) (any, error) {
	var ids []int32
	if err := json.Unmarshal(line, &ids); err != nil {
		return nil, fmt.Errorf("cannot read an array of token ids: %w", err)
	}
	text := t.Decode(ids, c.Special)
	if c.JSON {
		return text, nil
	}
	return rawLine(text), nil
}

// rawLine is printed as it is, not as JSON.
type rawLine string

// eachLine writes one line for each line read, whatever happens.
func eachLine(r io.Reader, w io.Writer, f func([]byte) any) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), maxLine)
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for lines.Scan() {
		v := f(lines.Bytes())
		if raw, ok := v.(rawLine); ok {
			fmt.Fprintln(out, string(raw))
		} else if err := enc.Encode(v); err != nil {
			return fmt.Errorf("cannot write a result: %w", err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("cannot read input: %w", err)
	}
	return out.Flush()
}
