package ptx

import "fmt"

// Variant is one kernel that an operation may run by.
type Variant struct {
	Op, Name string
	Source   string // below ptx/src
	Arch     string // "sm_80": there and later; "sm_90a": there alone
	When     string // the shapes that choose it
	Rows     int    // tokens of a block; the most that it runs on where it does not repeat itself over tokens
	Cols     int    // features of a block; 0 where none asks
}

// Variants lists the choices on this device of every operation that has more than one.
func (k *Kernels) Variants() []Variant {
	var out []Variant
	for i := range k.lin.tiles {
		t := &k.lin.tiles[i]
		when := fmt.Sprintf("M <= %d", t.rows)
		switch t.name {
		case "gemm_m64":
			when = "M > 32, few tiles of 128x128"
		case "gemm_m128":
			when = "M > 64, tiles of 128x128 for three quarters of the SMs"
		}
		out = append(out, Variant{"linear", t.name, t.kernels[plain].file + ".cu", "sm_80", when, t.rows, 0})
	}
	if !k.Hopper() {
		return out
	}
	for i := range k.hop.tiles {
		t := &k.hop.tiles[i]
		when := "M > 64, by predicted time"
		if t.skinny {
			when = fmt.Sprintf("M <= %d, by predicted time", t.rows)
		}
		out = append(out, Variant{"linear", t.name, t.kernels[plain].file + ".cu", "sm_90a", when, t.rows, t.cols})
	}
	return out
}

// Force makes op run by the named variant, whatever the shape; an empty name gives the choice back. It is for tests.
// An operation that cannot run by it on its shape fails when it is called.
func (k *Kernels) Force(op, name string) error {
	if op != "linear" {
		return fmt.Errorf("cannot force a kernel of %q: it has one", op)
	}
	k.lin.forced, k.hop.forced = "", nil
	if name == "" {
		return nil
	}
	for i := range k.lin.tiles {
		if k.lin.tiles[i].name == name {
			k.lin.forced = name
			return nil
		}
	}
	for i := range k.hop.tiles {
		if k.hop.tiles[i].name == name && k.Hopper() {
			k.hop.forced = &k.hop.tiles[i]
			return nil
		}
	}
	return fmt.Errorf("cannot force kernel %q of %s: there is none here", name, op)
}
