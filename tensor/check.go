package tensor

import (
	"fmt"
	"strings"
)

// ShapeError says which operand of which operation does not fit. Match it with errors.As.
type ShapeError struct {
	Op, Operand, Got, Want string
}

func (e *ShapeError) Error() string {
	return fmt.Sprintf("%s: %s is %s, want %s", e.Op, e.Operand, e.Got, e.Want)
}

// Check compares operands with named dimensions: a name binds on first use and must match after that.
// The first mismatch sticks; Err returns it. It allocates only to report.
type Check struct {
	op    string
	names [8]string
	dims  [8]int
	n     int
	err   error
}

// Checking starts the check of one operation.
func Checking(op string) Check { return Check{op: op} }

// Want checks that v has type t, the rank of names, and dimensions that agree with their names.
func (c *Check) Want(operand string, v View, t DType, names ...string) *Check {
	if c.err != nil {
		return c
	}
	ok := v.Type == t && v.Rank == len(names)
	for i := 0; ok && i < len(names); i++ {
		ok = c.bind(names[i], v.Dim[i])
	}
	if !ok {
		c.err = c.mismatch(operand, v, t, names)
	}
	return c
}

// Multiple checks that dimension name is a multiple of m.
func (c *Check) Multiple(name string, m int) *Check {
	if d := c.Dim(name); c.err == nil && d%m != 0 {
		c.err = &ShapeError{c.op, name, fmt.Sprint(d), fmt.Sprintf("a multiple of %d", m)}
	}
	return c
}

// Max checks that dimension name is at most m.
func (c *Check) Max(name string, m int) *Check {
	if d := c.Dim(name); c.err == nil && d > m {
		c.err = &ShapeError{c.op, name, fmt.Sprint(d), fmt.Sprintf("at most %d", m)}
	}
	return c
}

// Contiguous checks that v has no gap between rows.
func (c *Check) Contiguous(operand string, v View) *Check {
	if c.err == nil && !v.Contiguous() {
		c.err = &ShapeError{c.op, operand, v.String(), "contiguous rows"}
	}
	return c
}

// Dim returns what name is bound to, or 0.
func (c *Check) Dim(name string) int {
	for i, n := range c.names[:c.n] {
		if n == name {
			return c.dims[i]
		}
	}
	return 0
}

// Err returns the first mismatch.
func (c *Check) Err() error { return c.err }

func (c *Check) bind(name string, d int) bool {
	for i, n := range c.names[:c.n] {
		if n == name {
			return c.dims[i] == d
		}
	}
	if c.n == len(c.names) {
		panic("BUG: more than 8 dimension names in one check of " + c.op)
	}
	c.names[c.n], c.dims[c.n] = name, d
	c.n++
	return true
}

func (c *Check) mismatch(operand string, v View, t DType, names []string) error {
	want := fmt.Sprintf("%s[%s]", t, strings.Join(names, ","))
	for _, n := range names {
		if d := c.Dim(n); d > 0 {
			want += fmt.Sprintf(" %s=%d", n, d)
		}
	}
	return &ShapeError{c.op, operand, v.String(), want}
}
