package tokenizer

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// unkPenalty is how much worse than the worst token an unknown character is.
const unkPenalty = 10

// unigram finds the most probable tokens of a text by Viterbi. Source: Kudo 2018, arXiv:1804.10959.
type unigram struct {
	vocab    *vocab
	scores   []float64 // log-probabilities by id
	trie     byteTrie
	unk      int32 // -1: none
	unkScore float64
	fallback bool // unknown text becomes byte tokens
	bytes    [256]int32
}

// latticeNode is the best way to end a token at one byte position.
type latticeNode struct {
	score float64
	from  int32 // where that token starts, -1: no way found
	id    int32
}

// latticeBlock is after how many bytes the tokens that are already certain are written out.
const latticeBlock = 1 << 16

func (m *modelFile) buildUnigram() (model, error) {
	if len(m.scores) != len(m.vocab.where) {
		return nil, errors.New("a unigram vocabulary is a list of [token, score]")
	}
	u := &unigram{vocab: m.vocab, scores: m.scores, unk: -1, fallback: m.options.boolean("byte_fallback", false)}
	if f, ok := m.options["unk_id"].(float64); ok {
		if f < 0 || int(f) >= len(m.scores) {
			return nil, fmt.Errorf("unk_id %v is not in the vocabulary", f)
		}
		u.unk = int32(f)
	}
	m.vocab.count = len(m.vocab.where) // the reference counts tokens here, equal ones too
	u.init()
	return u, nil
}

func (u *unigram) init() {
	worst := math.Inf(1)
	for _, s := range u.scores {
		worst = min(worst, s)
	}
	u.unkScore = worst - unkPenalty
	for b := range u.bytes {
		u.bytes[b] = -1
		if id, ok := u.vocab.find(fmt.Sprintf("<0x%02X>", b)); ok {
			u.bytes[b] = id
		}
	}
	u.trie = newByteTrie(u.vocab)
}

func (u *unigram) encode(e *encoder, s string) {
	// lattice[i] is position base+i. Positions in front of base are written out already.
	lattice := append(e.lattice[:0], latticeNode{from: 0})
	base, block := 0, latticeBlock
	out := unigramOutput{u: u, e: e, s: s}
	for i := 0; i < len(s); {
		_, width := utf8.DecodeRuneInString(s[i:])
		for need := i + width - base; len(lattice) <= need; {
			lattice = append(lattice, latticeNode{from: -1})
		}
		var ok bool
		if lattice, ok = u.extend(lattice, s, base, i, width); !ok {
			e.fail(errors.New("a character is unknown and the model has no unk_id"))
			return
		}
		i += width
		if i-base >= block {
			base, lattice = out.settle(lattice, base, i)
			block = max(latticeBlock, 2*len(lattice))
		}
	}
	out.write(lattice, base, len(s))
	out.flush()
	e.lattice = lattice[:0]
}

// extend tries all tokens that start at i, where a character of the given width stands.
func (u *unigram) extend(lattice []latticeNode, s string, base, i, width int) ([]latticeNode, bool) {
	here := lattice[i-base].score
	single := false
	at := int32(0)
	for j := i; j < len(s); {
		if at = u.trie.step(at, s[j]); at < 0 {
			break
		}
		j++
		id := u.trie.tokens[at]
		if id < 0 {
			continue
		}
		for len(lattice) <= j-base {
			lattice = append(lattice, latticeNode{from: -1})
		}
		single = single || j-i == width
		lattice[j-base].improve(here+u.scores[id], int32(i), id)
	}
	if single {
		return lattice, true
	}
	lattice[i+width-base].improve(here+u.unkScore, int32(i), u.unk)
	return lattice, u.unk >= 0
}

func (n *latticeNode) improve(score float64, from, id int32) {
	if n.from < 0 || score > n.score {
		*n = latticeNode{score, from, id}
	}
}

// unigramOutput turns the best path into ids. Neighbouring unknowns are one, across calls of write too.
type unigramOutput struct {
	u          *unigram
	e          *encoder
	s          string
	unkFrom    int
	unkTo      int
	path       []latticeStep
	unkPending bool
}

type latticeStep struct{ from, to, id int32 }

// settle writes out what all ways to the positions that are still open have in common, and returns the lattice from
// there on with its new base. i is the next position to extend.
func (o *unigramOutput) settle(lattice []latticeNode, base, i int) (int, []latticeNode) {
	common := i
	for j := len(lattice) - 1; j >= i-base; j-- {
		if lattice[j].from < 0 {
			continue
		}
		for at := base + j; at != common && common > base; {
			if at > common {
				at = int(lattice[at-base].from)
			} else {
				common = int(lattice[common-base].from)
			}
		}
	}
	o.write(lattice, base, common)
	n := copy(lattice, lattice[common-base:])
	return common, lattice[:n]
}

// write writes out the best path from base to end.
func (o *unigramOutput) write(lattice []latticeNode, base, end int) {
	o.path = o.path[:0]
	for at := end; at > base; {
		n := lattice[at-base]
		o.path = append(o.path, latticeStep{n.from, int32(at), n.id})
		at = int(n.from)
	}
	for i := len(o.path) - 1; i >= 0; i-- {
		step := o.path[i]
		if step.id != o.u.unk {
			o.flush()
			o.e.ids = append(o.e.ids, step.id)
			continue
		}
		if !o.unkPending {
			o.unkPending, o.unkFrom = true, int(step.from)
		}
		o.unkTo = int(step.to)
	}
}

// flush writes out the run of unknown characters.
func (o *unigramOutput) flush() {
	if !o.unkPending {
		return
	}
	o.unkPending = false
	run := o.s[o.unkFrom:o.unkTo]
	if id, ok := o.u.vocab.find(run); ok {
		o.e.ids = append(o.e.ids, id)
		return
	}
	n := len(o.e.ids)
	for i := 0; o.u.fallback && i < len(run); i++ {
		id := o.u.bytes[run[i]]
		if id < 0 {
			o.e.ids = o.e.ids[:n]
			break
		}
		o.e.ids = append(o.e.ids, id)
	}
	if len(o.e.ids) == n {
		o.e.ids = append(o.e.ids, o.u.unk)
	}
}
