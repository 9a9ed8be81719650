package weights

import (
	"fmt"
	"math"
	"math/bits"
)

// FormatError says where a model file is malformed. Match it with errors.As.
type FormatError struct {
	File   string // path
	Offset int64  // bytes from the start of the file; -1 where a text file has no useful one
	Field  string // what was being read
	Why    string
}

func (e *FormatError) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("cannot read %s: %s: %s", e.File, e.Field, e.Why)
	}
	return fmt.Sprintf("cannot read %s: offset %d: %s: %s", e.File, e.Offset, e.Field, e.Why)
}

// product multiplies non-negative dims; ok is false when the result exceeds half an int.
func product(dims []int) (n int64, ok bool) {
	p := uint64(1)
	for _, d := range dims {
		hi, lo := bits.Mul64(p, uint64(d))
		if hi != 0 || d < 0 || lo > math.MaxInt/2 {
			return 0, false
		}
		p = lo
	}
	return int64(p), true
}
