package cpu

// scratch is one worker's memory.
type scratch struct {
	panel []float32 // dequantised weight rows, one tile's
	tile  []float32 // a tile's results that do not go to the output as they are
	up    []float32 // [tokenBlock,gatedRows]
	arg   []float32 // [gatedRows]

	q, acc, keys, values []float32 // attention: [queryRows,D] twice, [keyBlock,D] twice
	scores               []float32 // [queryRows,keyBlock]
	top, sum             [queryRows]float32
}

const (
	tokenBlock = 256 // tokens that one dequantised tile of weights is multiplied with before the next is made
	gatedRows  = 48  // rows of a gated weight that a worker does at a time
	keyBlock   = 96  // keys scored at a time; a multiple of every kernel's nr, and of vector
	queryRows  = 32  // rows of queries (tokens times heads of a group) that share a block of keys
)

// reserveScratch takes what the loaded weights and the planned attention need.
func (b *Backend) reserveScratch() error {
	cut := func(s *[]float32, n int) error {
		m, err := b.reserve(int64(n))
		*s = m
		return err
	}
	d := b.headDim
	for i := range b.scratch {
		s := &b.scratch[i]
		if err := firstError(
			cut(&s.panel, b.kern.nr*roundUp(b.widest)),
			cut(&s.tile, tokenBlock*roundUp(b.kern.nr)),
			cut(&s.up, tokenBlock*gatedRows),
			cut(&s.arg, gatedRows),
			cut(&s.q, queryRows*roundUp(d)),
			cut(&s.acc, queryRows*roundUp(d)),
			cut(&s.keys, keyBlock*roundUp(d)),
			cut(&s.values, keyBlock*roundUp(d)),
			cut(&s.scores, queryRows*keyBlock),
		); err != nil {
			return err
		}
	}
	return nil
}

// roundUp rounds n to whole vectors.
func roundUp(n int) int { return (n + vector - 1) &^ (vector - 1) }
