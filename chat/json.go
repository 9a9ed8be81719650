package chat

import (
	"bytes"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/weft-llm/weft/chat/jinja"
)

// MaxJSONDepth is how deep arrays and objects may nest in what FromJSON reads.
const MaxJSONDepth = 64

// FromJSON reads one JSON text by RFC 8259. Objects keep the order of their keys; of a key that comes twice the last
// value counts, at the first one's place. Integers stay integers, of up to 4300 digits. Text that is not UTF-8, a lone
// surrogate, nesting beyond MaxJSONDepth and anything after the value are errors that give the byte offset.
func FromJSON(b []byte) (Value, error) {
	d := jsontext.NewDecoder(bytes.NewReader(b), jsontext.AllowDuplicateNames(true))
	v, err := readValue(d, 0)
	if err == nil {
		if _, end := d.ReadToken(); end == nil {
			err = fmt.Errorf("more follows the value at offset %d", d.InputOffset())
		} else if end != io.EOF {
			err = end
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read JSON: %w", err)
	}
	return v, nil
}

func readValue(d *jsontext.Decoder, depth int) (Value, error) {
	t, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case 'n':
		return None{}, nil
	case 't', 'f':
		return Bool(t.Bool()), nil
	case '"':
		return String(t.String()), nil
	case '0':
		return jinja.Number(t.String())
	}
	if depth++; depth > MaxJSONDepth {
		return nil, fmt.Errorf("nested deeper than %d levels at offset %d", MaxJSONDepth, d.InputOffset())
	}
	if t.Kind() == '[' {
		return readArray(d, depth)
	}
	return readObject(d, depth)
}

func readArray(d *jsontext.Decoder, depth int) (Value, error) {
	var items []Value
	for d.PeekKind() != ']' {
		v, err := readValue(d, depth)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	_, err := d.ReadToken()
	return List(items...), err
}

func readObject(d *jsontext.Decoder, depth int) (Value, error) {
	var pairs []Pair
	for d.PeekKind() != '}' {
		k, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := k.String() // k is only valid until the next read
		v, err := readValue(d, depth)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, Pair{Key: key, Value: v})
	}
	_, err := d.ReadToken()
	return Map(pairs...), err
}
