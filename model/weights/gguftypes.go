package weights

import "github.com/weft-llm/weft/tensor"

// ggmlType is an element type of GGUF: its id's name, elements a block and bytes a block. Types that weft cannot
// compute with have t Invalid; their sizes are known so that the file can still be checked and listed.
type ggmlType struct {
	name        string
	t           tensor.DType
	block, size int
}

// ggmlTypes is enum ggml_type (ggml-org/ggml, include/ggml.h). Missing ids were withdrawn.
var ggmlTypes = map[uint32]ggmlType{
	0:  {"F32", tensor.F32, 1, 4},
	1:  {"F16", tensor.F16, 1, 2},
	2:  {"Q4_0", tensor.Q4_0, 32, 18},
	3:  {"Q4_1", tensor.Q4_1, 32, 20},
	6:  {"Q5_0", tensor.Q5_0, 32, 22},
	7:  {"Q5_1", tensor.Q5_1, 32, 24},
	8:  {"Q8_0", tensor.Q8_0, 32, 34},
	9:  {"Q8_1", tensor.Invalid, 32, 36},
	10: {"Q2_K", tensor.Q2_K, 256, 84},
	11: {"Q3_K", tensor.Q3_K, 256, 110},
	12: {"Q4_K", tensor.Q4_K, 256, 144},
	13: {"Q5_K", tensor.Q5_K, 256, 176},
	14: {"Q6_K", tensor.Q6_K, 256, 210},
	15: {"Q8_K", tensor.Invalid, 256, 292},
	16: {"IQ2_XXS", tensor.Invalid, 256, 66},
	17: {"IQ2_XS", tensor.Invalid, 256, 74},
	18: {"IQ3_XXS", tensor.Invalid, 256, 98},
	19: {"IQ1_S", tensor.Invalid, 256, 50},
	20: {"IQ4_NL", tensor.IQ4_NL, 32, 18},
	21: {"IQ3_S", tensor.Invalid, 256, 110},
	22: {"IQ2_S", tensor.Invalid, 256, 82},
	23: {"IQ4_XS", tensor.IQ4_XS, 256, 136},
	24: {"I8", tensor.I8, 1, 1},
	25: {"I16", tensor.Invalid, 1, 2},
	26: {"I32", tensor.I32, 1, 4},
	27: {"I64", tensor.Invalid, 1, 8},
	28: {"F64", tensor.Invalid, 1, 8},
	29: {"IQ1_M", tensor.Invalid, 256, 56},
	30: {"BF16", tensor.BF16, 1, 2},
	34: {"TQ1_0", tensor.Invalid, 256, 54},
	35: {"TQ2_0", tensor.Invalid, 256, 66},
	39: {"MXFP4", tensor.Invalid, 32, 17},
}
