// Package tensor names what a block of memory holds: its element type, shape and address. It does no arithmetic.
package tensor

import "fmt"

// DType is an element type. The quantised ones store blocks of elements, laid out as in GGUF
// (ggml-org/ggml, docs/gguf.md); their Size is a block's.
type DType uint8

const (
	Invalid DType = iota
	F32
	F16
	BF16
	I32
	I8
	U8
	F8E4M3
	Q8_0
	Q4_0
	Q4_1
	Q5_0
	Q5_1
	Q2_K
	Q3_K
	Q4_K
	Q5_K
	Q6_K
	IQ4_NL
	IQ4_XS
)

// layouts gives each type's name, elements a block, and bytes a block.
var layouts = [...]struct {
	name  string
	block int
	size  int
}{
	Invalid: {"invalid", 1, 0},
	F32:     {"f32", 1, 4},
	F16:     {"f16", 1, 2},
	BF16:    {"bf16", 1, 2},
	I32:     {"i32", 1, 4},
	I8:      {"i8", 1, 1},
	U8:      {"u8", 1, 1},
	F8E4M3:  {"f8_e4m3", 1, 1},
	Q8_0:    {"q8_0", 32, 34},
	Q4_0:    {"q4_0", 32, 18},
	Q4_1:    {"q4_1", 32, 20},
	Q5_0:    {"q5_0", 32, 22},
	Q5_1:    {"q5_1", 32, 24},
	Q2_K:    {"q2_k", 256, 84},
	Q3_K:    {"q3_k", 256, 110},
	Q4_K:    {"q4_k", 256, 144},
	Q5_K:    {"q5_k", 256, 176},
	Q6_K:    {"q6_k", 256, 210},
	IQ4_NL:  {"iq4_nl", 32, 18},
	IQ4_XS:  {"iq4_xs", 256, 136},
}

// String returns the type's lower-case name.
func (t DType) String() string {
	if int(t) >= len(layouts) {
		return fmt.Sprintf("dtype(%d)", uint8(t))
	}
	return layouts[t].name
}

// Block returns how many elements one block holds: 1 for plain types.
func (t DType) Block() int { return layouts[t].block }

// Size returns the bytes of one block: of one element for plain types.
func (t DType) Size() int { return layouts[t].size }

// Quantised reports whether elements share a block.
func (t DType) Quantised() bool { return layouts[t].block > 1 }

// Bytes returns the bytes that n elements take. n is a multiple of the block.
func (t DType) Bytes(n int) int64 { return int64(n/t.Block()) * int64(t.Size()) }
