package ptx

import (
	"fmt"
	"slices"
)

// Variant is one kernel that an operation may run by.
type Variant struct {
	Op, Name string
	Source   string // below ptx/src
	Arch     string // "sm_80": there and later; "sm_90a": there alone
	When     string // the shapes that choose it
	Rows     int    // tokens of a block; the most that it runs on where it does not repeat itself over tokens
	Cols     int    // features of a block; 0 where none asks

	fits func(m, n, k int) bool
}

// Fits reports whether v is among those that the choice for a shape ranks by predicted time.
func (v Variant) Fits(m, n, k int) bool { return v.fits != nil && v.fits(m, n, k) }

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
		out = append(out, Variant{Op: "linear", Name: t.name, Source: t.kernels[plain].file + ".cu", Arch: "sm_80", When: when, Rows: t.rows})
	}
	return slices.Concat(out, k.hopperVariants(), k.attendVariants(), ropeVariants())
}

// hopperVariants lists the linear kernels for Hopper, on Hopper.
func (k *Kernels) hopperVariants() []Variant {
	if !k.Hopper() {
		return nil
	}
	var out []Variant
	for i := range k.hop.tiles {
		t := &k.hop.tiles[i]
		when := "M > 64, by predicted time"
		if t.skinny || t.swapped {
			when = fmt.Sprintf("M <= %d, by predicted time", t.rows)
		}
		fits := func(m, n, depth int) bool {
			return t.fits(plain, m, n, depth, k.SMs()) && !t.wantsSlices(plain, m, n, depth, k.SMs())
		}
		out = append(out, Variant{"linear", t.name, t.kernels[plain].file + ".cu", "sm_90a", when, t.rows, t.cols, fits})
	}
	return append(out, fusedVariants()...)
}

// Force makes op run by the named variant, whatever the shape; an empty name gives the choice back. It is for tests.
// An operation that cannot run by it on its shape fails when it is called.
func (k *Kernels) Force(op, name string) error {
	known := func(v Variant) bool { return v.Op == op && v.Name == name }
	switch {
	case !slices.Contains([]string{"linear", "fused", "attend_prefill", "attend_decode", "rope_store"}, op):
		return fmt.Errorf("cannot force a kernel of %q: it has one", op)
	case name != "" && !slices.ContainsFunc(k.Variants(), known):
		return fmt.Errorf("cannot force kernel %q of %s: there is none here", name, op)
	case op == "fused":
		k.fuse.forced = fusedSplits(name)
		return nil
	case op == "attend_prefill":
		k.attend.forced = name
		return nil
	case op == "attend_decode":
		k.attend.forcedDecode = name
		return nil
	case op == "rope_store":
		k.rope.forced = name
		return nil
	}
	k.lin.forced, k.hop.forced = "", nil
	for i := range k.hop.tiles {
		if t := &k.hop.tiles[i]; t.name == name {
			k.hop.forced = t
			return nil
		}
	}
	k.lin.forced = name
	return nil
}
