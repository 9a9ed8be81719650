package tokenizer

import "sync"

// General categories: bit i is the category with number i in categoryRuns.
const (
	catLu categories = 1 << iota
	catLl
	catLt
	catLm
	catLo
	catMn
	catMc
	catMe
	catNd
	catNl
	catNo
	catPc
	catPd
	catPs
	catPe
	catPi
	catPf
	catPo
	catSm
	catSc
	catSk
	catSo
	catZs
	catZl
	catZp
	catCc
	catCf
	catCs
	catCo
	catCn

	catL = catLu | catLl | catLt | catLm | catLo
	catM = catMn | catMc | catMe
	catN = catNd | catNl | catNo
	catP = catPc | catPd | catPs | catPe | catPi | catPf | catPo
	catS = catSm | catSc | catSk | catSo
	catZ = catZs | catZl | catZp
	catC = catCc | catCf | catCs | catCo | catCn
)

var categoryNames = map[string]categories{
	"Lu": catLu, "Ll": catLl, "Lt": catLt, "Lm": catLm, "Lo": catLo, "Mn": catMn, "Mc": catMc, "Me": catMe,
	"Nd": catNd, "Nl": catNl, "No": catNo, "Pc": catPc, "Pd": catPd, "Ps": catPs, "Pe": catPe, "Pi": catPi, "Pf": catPf,
	"Po": catPo, "Sm": catSm, "Sc": catSc, "Sk": catSk, "So": catSo, "Zs": catZs, "Zl": catZl, "Zp": catZp,
	"Cc": catCc, "Cf": catCf, "Cs": catCs, "Co": catCo, "Cn": catCn,
	"L": catL, "M": catM, "N": catN, "P": catP, "S": catS, "Z": catZ, "C": catC,
}

// categoryTable is categoryRuns spread out, one byte a character.
var categoryTable = sync.OnceValue(func() *[0x110000]uint8 {
	var t [0x110000]uint8
	for i, run := range categoryRuns {
		end := uint32(len(t))
		if i+1 < len(categoryRuns) {
			end = categoryRuns[i+1] >> 5
		}
		for c := run >> 5; c < end; c++ {
			t[c] = uint8(run & 31)
		}
	}
	return &t
})

// category returns the number of r's general category: bit 1<<category(r) of categories.
func category(r rune) uint8 { return categoryTable()[r] }

// isSpace reports the Unicode property White_Space.
func isSpace(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', ' ', 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000:
		return true
	}
	return r >= 0x2000 && r <= 0x200A
}
