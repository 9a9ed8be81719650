package simt

import "strings"

// families are all instructions with a name of their own.
var families = []map[string]spec{integers, longs, floats, moves, conversions, flow, shuffles, matrices, copying, barriers, hopper, overlapping}

// patterns decode those whose name has parts that vary, by the first part.
var patterns = map[string]func(parts []string) (spec, bool){
	"setp": compareOf, "cvt": convertOf, "ld": loadOf, "st": storeOf, "atom": atomicOf, "red": atomicOf, "wgmma": wgmmaOf,
}

func patterned(name string) (spec, bool) {
	parts := strings.Split(name, ".")
	if of := patterns[parts[0]]; of != nil {
		return of(parts)
	}
	return spec{}, false
}
