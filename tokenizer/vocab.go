package tokenizer

import (
	"fmt"
	"hash/maphash"
	"unsafe"
)

// maxTokenID bounds ids in files: the largest vocabularies have 262,144 tokens, and memory is taken per id.
const maxTokenID = 1<<24 - 1

// vocab is a model's tokens: text by id and id by text. It is filled by add and then sealed by index.
//
// In a byte-level vocabulary the text is kept as the bytes that the token stands for ("Ġthe" as " the"), so that
// encoding needs no translation. A token with a character outside the byte alphabet can never be produced by encoding
// such text; it is kept as it is, marked literal, and found by literals only.
type vocab struct {
	byteLevel bool
	data      []byte // all texts, one behind the other, in the order of add
	where     []span // by id
	literals  map[string]int32
	literal   []bool // by id, nil when there is none
	count     int    // distinct texts

	seed    maphash.Seed
	slots   []uint64 // open addressing: hash<<32 | id+1; 0 is free
	mask    uint32
	longest int  // bytes of the longest indexed text
	unique  bool // no two ids have the same text
}

// span is one text in vocab.data. end is 0 for an id without a token.
type span struct{ start, end uint32 }

func newVocab(byteLevel bool, sizeHint int) *vocab {
	return &vocab{byteLevel: byteLevel, data: make([]byte, 0, 8*sizeHint), where: make([]span, 0, sizeHint), literals: map[string]int32{}}
}

// add sets the text of id. A second text for the same id replaces the first.
func (v *vocab) add(id int32, piece []byte) error {
	if id < 0 || id > maxTokenID {
		return fmt.Errorf("token id %d is not in 0 to %d", id, maxTokenID)
	}
	if len(v.data)+len(piece) >= 1<<31 {
		return fmt.Errorf("tokens hold more than 2 GiB of text")
	}
	v.reserve(id)
	start := len(v.data)
	ok := true
	if v.byteLevel {
		v.data, ok = appendAlphabetBytes(v.data, piece)
	}
	if !ok || !v.byteLevel {
		v.data = append(v.data, piece...)
	}
	if !ok {
		v.addLiteral(id, string(piece))
	}
	// Texts are stored from offset 1 on, so that an empty text differs from no text.
	v.where[id] = span{uint32(start) + 1, uint32(len(v.data)) + 1}
	return nil
}

// reserve makes room for an id without giving it a text.
func (v *vocab) reserve(id int32) {
	for int(id) >= len(v.where) {
		v.where = append(v.where, span{})
	}
}

// addUnindexed sets the text of an id that encoding never gives.
func (v *vocab) addUnindexed(id int32, piece string) error {
	byteLevel := v.byteLevel
	v.byteLevel = false
	err := v.add(id, []byte(piece))
	v.byteLevel = byteLevel
	if err == nil {
		v.addLiteral(id, piece)
	}
	return err
}

func (v *vocab) addLiteral(id int32, piece string) {
	for int(id) >= len(v.literal) {
		v.literal = append(v.literal, false)
	}
	v.literal[id] = true
	v.literals[piece] = id
}

// index builds the table for find. Where two ids have the same text the higher id is found.
func (v *vocab) index() {
	size := 16
	for size < 2*len(v.where) {
		size *= 2
	}
	v.seed = maphash.MakeSeed()
	v.slots = make([]uint64, size)
	v.mask = uint32(size - 1)
	v.count = len(v.literals)
	v.unique = true
	for id, w := range v.where {
		if w.end == 0 || v.isLiteral(int32(id)) {
			continue
		}
		v.longest = max(v.longest, int(w.end-w.start))
		if v.put(int32(id)) {
			v.count++
		} else {
			v.unique = false
		}
	}
}

// put enters id in the table and reports whether its text is new.
func (v *vocab) put(id int32) bool {
	text := v.text(id)
	h := uint32(maphash.Bytes(v.seed, text))
	for i := h & v.mask; ; i = (i + 1) & v.mask {
		slot := v.slots[i]
		if slot != 0 && (uint32(slot>>32) != h || string(v.text(int32(uint32(slot))-1)) != string(text)) {
			continue
		}
		v.slots[i] = uint64(h)<<32 | uint64(uint32(id)+1)
		return slot == 0
	}
}

// find returns the id of a text as it is stored: bytes for a byte-level vocabulary, the piece otherwise.
func (v *vocab) find(text string) (int32, bool) {
	return v.findBytes(unsafe.Slice(unsafe.StringData(text), len(text)))
}

// findBytes is find for bytes, which it does not change or keep.
func (v *vocab) findBytes(text []byte) (int32, bool) {
	if len(text) > v.longest {
		return 0, false
	}
	h := uint32(maphash.Bytes(v.seed, text))
	for i := h & v.mask; ; i = (i + 1) & v.mask {
		slot := v.slots[i]
		if slot == 0 {
			return 0, false
		}
		if uint32(slot>>32) == h {
			if id := int32(uint32(slot)) - 1; string(v.text(id)) == string(text) {
				return id, true
			}
		}
	}
}

// findNear is findBytes for a text whose id is probably near or near+1.
func (v *vocab) findNear(text []byte, near int32) (int32, bool) {
	for id := near; v.unique && id <= near+1; id++ {
		if t := v.text(id); len(t) > 0 && string(t) == string(text) && !v.isLiteral(id) {
			return id, true
		}
	}
	return v.findBytes(text)
}

// findPiece returns the id of a token by its text in the file.
func (v *vocab) findPiece(piece string) (int32, bool) {
	if id, ok := v.literals[piece]; ok {
		return id, true
	}
	if v.byteLevel {
		raw, ok := appendAlphabetBytes(nil, []byte(piece))
		if !ok {
			return 0, false
		}
		piece = string(raw)
	}
	return v.find(piece)
}

// text returns the stored text of id, nil for an id without a token.
func (v *vocab) text(id int32) []byte {
	if id < 0 || int(id) >= len(v.where) || v.where[id].end == 0 {
		return nil
	}
	return v.data[v.where[id].start-1 : v.where[id].end-1]
}

func (v *vocab) has(id int32) bool { return id >= 0 && int(id) < len(v.where) && v.where[id].end != 0 }

func (v *vocab) isLiteral(id int32) bool { return id >= 0 && int(id) < len(v.literal) && v.literal[id] }

// piece returns the text of id as the file has it.
func (v *vocab) piece(id int32) string {
	if v.byteLevel && !v.isLiteral(id) {
		return string(appendAlphabet(nil, string(v.text(id))))
	}
	return string(v.text(id))
}
