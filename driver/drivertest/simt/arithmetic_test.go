package simt

import (
	"math"
	"strings"
	"testing"
)

// code gives the operands a, b and c to instruction, whose result is %r0.
func code(instruction string, operands ...uint32) string {
	var out strings.Builder
	names := []string{"%r1", "%r2", "%r3", "%r4"}
	for i, v := range operands {
		out.WriteString("mov.u32 " + names[i] + ", " + u32(v) + ";\n")
	}
	out.WriteString(instruction + " %r0, " + strings.Join(names[:len(operands)], ", ") + ";")
	return out.String()
}

func TestIntegers_GiveWhatTheManualSays(t *testing.T) {
	for _, c := range []struct {
		op   string
		in   []uint32
		want uint32
	}{
		{"add.s32", []uint32{0x7fffffff, 1}, 0x80000000},
		{"mul.hi.u32", []uint32{0xffffffff, 0xffffffff}, 0xfffffffe},
		{"mul.hi.s32", []uint32{0xffffffff, 0xffffffff}, 0},
		{"mad.lo.s32", []uint32{7, 0xffffffff, 3}, 0xfffffffc},
		{"div.s32", []uint32{0xfffffff9, 2}, 0xfffffffd},
		{"div.s32", []uint32{0x80000000, 0xffffffff}, 0x80000000},
		{"div.u32", []uint32{5, 0}, 0xffffffff},
		{"rem.s32", []uint32{0xfffffff9, 2}, 0xffffffff},
		{"rem.s32", []uint32{0x80000000, 0xffffffff}, 0},
		{"min.s32", []uint32{0xffffffff, 1}, 0xffffffff},
		{"min.u32", []uint32{0xffffffff, 1}, 1},
		{"shl.b32", []uint32{1, 31}, 0x80000000},
		{"shl.b32", []uint32{1, 32}, 0},
		{"shr.s32", []uint32{0x80000000, 99}, 0xffffffff},
		{"shr.u32", []uint32{0x80000000, 99}, 0},
		{"bfind.shiftamt.u32", []uint32{1}, 31},
		{"bfind.shiftamt.u32", []uint32{0}, 0xffffffff},
		{"bfind.u32", []uint32{0x100}, 8},
		{"clz.b32", []uint32{0}, 32},
		{"brev.b32", []uint32{0b1101}, 0xb0000000},
		{"prmt.b32", []uint32{0x33221100, 0x77665544, 0x7531}, 0x77553311},
		{"prmt.b32", []uint32{0x00008000, 0, 0x4889}, 0x000000ff}, // byte 1 by its sign, then byte 0 by its
		{"bfi.b32", []uint32{0xff, 0, 4, 8}, 0xff0},
		{"bfi.b32", []uint32{0xf, 0xffffffff, 30, 8}, 0xffffffff},
		{"bfi.b32", []uint32{0, 0xffffffff, 4, 0}, 0xffffffff},
		{"bfe.u32", []uint32{0x12345678, 8, 8}, 0x56},
		{"bfe.s32", []uint32{0x0000f000, 12, 4}, 0xffffffff},
		{"neg.s32", []uint32{0x80000000}, 0x80000000},
		{"not.b32", []uint32{0x0f0f0f0f}, 0xf0f0f0f0},
	} {
		snippet{code: code(c.op, c.in...)}.wantWords(t, c.want)
	}
	snippet{code: "mov.u16 %rs1, 3;\nmul.wide.u16 %r0, %rs1, -32768;"}.wantWords(t, 3<<15)
}

func TestFloats_RoundOnceAndKeepNaNOut(t *testing.T) {
	bits := math.Float32bits
	inf, nan := bits(float32(math.Inf(1))), uint32(0xffc00001)
	for _, c := range []struct {
		op   string
		in   []uint32
		want uint32
	}{
		{"add.f32", []uint32{bits(1), bits(0x1p-24)}, bits(1)},
		{"add.f32", []uint32{inf, inf ^ 0x80000000}, canonicalNaN},
		{"mul.f32", []uint32{nan, bits(1)}, canonicalNaN},
		// exact: 1 + 2^-24 + 2^-60, above the tie that a sum in float64 would end on
		{"fma.rn.f32", []uint32{bits(0x1p-30), bits(0x1p-30), bits(1)}, bits(1)},
		{"fma.rn.f32", []uint32{bits(1 + 0x1p-12), bits(1 + 0x1p-12), bits(-1)}, bits(0x1p-11 + 0x1p-24)},
		{"fma.rn.f32", []uint32{bits(0x1.000002p0), bits(0x1.000002p-24), bits(1)}, bits(0x1.000002p0)},
		{"div.rn.f32", []uint32{bits(1), bits(3)}, bits(1 / float32(3))},
		{"div.approx.f32", []uint32{bits(1), bits(0x1p127)}, 0},
		{"rcp.rn.f32", []uint32{0}, inf},
		{"sqrt.rn.f32", []uint32{bits(-1)}, canonicalNaN},
		{"ex2.approx.f32", []uint32{bits(-130)}, bits(0x1p-130)},
		{"ex2.approx.ftz.f32", []uint32{bits(-130)}, 0},
		{"ex2.approx.ftz.f32", []uint32{inf ^ 0x80000000}, 0},
		{"ex2.approx.ftz.f32", []uint32{bits(0.5)}, bits(float32(math.Sqrt2))},
		{"lg2.approx.f32", []uint32{bits(8)}, bits(3)},
		{"max.f32", []uint32{nan, bits(-2)}, bits(-2)},
		{"max.f32", []uint32{0x80000000, 0}, 0},
		{"max.NaN.f32", []uint32{0x80000000, 0}, 0},
		{"max.NaN.f32", []uint32{nan, inf}, canonicalNaN},
		{"max.NaN.f32", []uint32{bits(1), nan}, canonicalNaN},
		{"min.f32", []uint32{0, 0x80000000}, 0x80000000},
		{"abs.f32", []uint32{bits(-2)}, bits(2)},
	} {
		var in []string
		for _, v := range c.in {
			in = append(in, f32(v))
		}
		snippet{code: c.op + " %f0, " + strings.Join(in, ", ") + ";\nmov.b32 %r0, %f0;"}.wantWords(t, c.want)
	}
}

func TestConversions_RoundAndSaturate(t *testing.T) {
	bits := math.Float32bits
	for _, c := range []struct {
		op   string
		in   float32
		want uint32
	}{
		{"cvt.rzi.s32.f32", -1.9, 0xffffffff}, {"cvt.rzi.s32.f32", 3e9, 0x7fffffff}, {"cvt.rzi.u32.f32", -3, 0},
		{"cvt.rzi.s32.f32", float32(math.NaN()), 0}, {"cvt.rzi.u32.f32", 4294967040, 4294967040}, {"cvt.rzi.u32.f32", 1e10, 0xffffffff},
	} {
		snippet{code: c.op + " %r0, " + f32(bits(c.in)) + ";"}.wantWords(t, c.want)
	}
	for _, c := range []struct {
		op       string
		in, want float32
	}{{"cvt.rmi.f32.f32", -1.5, -2}, {"cvt.rni.f32.f32", 2.5, 2}, {"cvt.rpi.f32.f32", 1.25, 2}} {
		snippet{code: c.op + " %f0, " + f32(bits(c.in)) + ";\nmov.b32 %r0, %f0;"}.wantWords(t, bits(c.want))
	}
	for _, c := range []struct {
		op   string
		in   uint32
		want uint32
	}{
		{"cvt.rn.bf16.f32", bits(1 + 0x1p-8), 0x3f80}, {"cvt.rn.bf16.f32", bits(1 + 3*0x1p-8), 0x3f82}, {"cvt.rn.bf16.f32", 0xffffffff, 0x7fff},
		{"cvt.rn.f16.f32", bits(65519), 0x7bff}, {"cvt.rn.f16.f32", bits(65520), 0x7c00}, {"cvt.rn.f16.f32", bits(0x1p-25), 0},
		{"cvt.rn.f16.f32", bits(0x1.8p-25), 1}, {"cvt.rn.f16.f32", bits(-0x1.ff8p-15), 0x83ff}, {"cvt.rn.f16.f32", bits(1 + 0x1p-11), 0x3c00},
	} {
		snippet{code: c.op + " %rs1, " + f32(c.in) + ";\ncvt.u32.u16 %r0, %rs1;"}.wantWords(t, c.want)
	}
	snippet{code: "cvt.rn.bf16x2.f32 %r0, 0f3F800000, 0f40000000;"}.wantWords(t, 0x3f804000)
	snippet{code: "mov.u32 %r1, 0x1ff;\ncvt.s32.s8 %r0, %r1;"}.wantWords(t, 0xffffffff)
	snippet{code: "mov.u32 %r1, -5;\ncvt.s64.s32 %rd1, %r1;\nshr.u64 %rd1, %rd1, 32;\ncvt.u32.u64 %r0, %rd1;"}.wantWords(t, 0xffffffff)
	snippet{code: "mov.u32 %r1, -5;\ncvt.rn.f32.u32 %f1, %r1;\nmov.b32 %r0, %f1;"}.wantWords(t, bits(4294967291))
}

// TestHalves_SurviveTheWayToFloatAndBack tries every number of 16 bits.
func TestHalves_SurviveTheWayToFloatAndBack(t *testing.T) {
	for x := range uint32(1 << 16) {
		if x&0x7fff > 0x7c00 {
			continue
		}
		if got := toF16(math.Float32bits(fromF16(x))); got != x {
			t.Fatalf("f16 %#x comes back as %#x", x, got)
		}
		if x&0x7fff <= 0x7f80 && toBF16(x<<16) != x {
			t.Fatalf("bf16 %#x comes back as %#x", x, toBF16(x<<16))
		}
	}
}

func TestCompare_NaNIsUnordered(t *testing.T) {
	for op, want := range map[string]uint32{"setp.lt.f32": 0, "setp.ltu.f32": 1, "setp.ne.f32": 0, "setp.neu.f32": 1, "setp.equ.f32": 1, "setp.geu.f32": 1, "setp.num.f32": 0, "setp.nan.f32": 1} {
		snippet{code: op + " %p1, 0f7FFFFFFF, 0f3F800000;\nselp.u32 %r0, 1, 0, %p1;"}.wantWords(t, want)
	}
	snippet{code: "setp.lt.s32 %p1, -1, 1;\nsetp.lt.u32 %p2, -1, 1;\nxor.pred %p3, %p1, %p2;\nselp.u32 %r0, 1, 0, %p3;"}.wantWords(t, 1)
	snippet{code: "mov.u16 %rs1, 0xffff;\nsetp.lt.s16 %p1, %rs1, 0;\nselp.u32 %r0, 1, 0, %p1;"}.wantWords(t, 1)
}
