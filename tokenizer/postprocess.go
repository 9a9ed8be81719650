package tokenizer

import "fmt"

// frame is what a post-processor puts around a text.
type frame struct{ before, after []int32 }

// wrap puts f around what stood inside so far.
func (f *frame) wrap(before, after []int32) {
	f.before = append(append([]int32{}, before...), f.before...)
	f.after = append(f.after, after...)
}

// add applies a post_processor. Offsets, type ids and pairs of texts do not matter to a server.
func (f *frame) add(n node) error {
	switch n.kind() {
	case "Sequence":
		list, err := n.nodes("processors")
		for _, part := range list {
			if err := f.add(part); err != nil {
				return err
			}
		}
		return err
	case "ByteLevel":
		return nil
	case "BertProcessing", "RobertaProcessing":
		cls, err := pairID(n, "cls")
		if err != nil {
			return err
		}
		sep, err := pairID(n, "sep")
		f.wrap([]int32{cls}, []int32{sep})
		return err
	case "TemplateProcessing":
		return f.template(n)
	}
	return fmt.Errorf("unknown post-processor %q", n.kind())
}

// pairID reads ["[CLS]", 101].
func pairID(n node, key string) (int32, error) {
	pair, ok := n[key].([]any)
	if ok && len(pair) == 2 {
		if id, ok := pair[1].(float64); ok && id >= 0 && id <= maxTokenID {
			return int32(id), nil
		}
	}
	return 0, fmt.Errorf("%s: %s is not a token and its id", n.kind(), key)
}

// template applies the template for single texts, in which the text must stand once.
func (f *frame) template(n node) error {
	items, err := n.nodes("single")
	if err != nil {
		return err
	}
	special, _ := n["special_tokens"].(node)
	var ids [2][]int32
	side := 0
	for _, it := range items {
		if _, ok := it["Sequence"].(node); ok {
			if side++; side > 1 {
				return fmt.Errorf("TemplateProcessing: the text stands more than once in a template")
			}
			continue
		}
		token, ok := it["SpecialToken"].(node)
		if !ok {
			return fmt.Errorf("TemplateProcessing: an item is neither SpecialToken nor Sequence")
		}
		more, err := templateIDs(special, token.str("id"))
		if err != nil {
			return err
		}
		ids[side] = append(ids[side], more...)
	}
	if side == 0 {
		return fmt.Errorf("TemplateProcessing: the template has no place for the text")
	}
	f.wrap(ids[0], ids[1])
	return nil
}

// templateIDs looks up what a template's special token stands for.
func templateIDs(special node, name string) ([]int32, error) {
	entry, _ := special[name].(node)
	list, ok := entry["ids"].([]any)
	if !ok {
		return nil, fmt.Errorf("TemplateProcessing: special token %q has no ids", name)
	}
	ids := make([]int32, len(list))
	for i, v := range list {
		id, ok := v.(float64)
		if !ok || id < 0 || id > maxTokenID {
			return nil, fmt.Errorf("TemplateProcessing: special token %q has a bad id", name)
		}
		ids[i] = int32(id)
	}
	return ids, nil
}
