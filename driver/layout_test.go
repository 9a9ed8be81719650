package driver

import (
	"encoding/binary"
	"reflect"
	"testing"
	"unsafe"
)

// Sizes are those that cuda.h has on 64-bit machines.
func TestStructs_HaveTheSizesOfCUDA(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"CUlaunchConfig", unsafe.Sizeof(launchConfig{}), 56},
		{"CUlaunchConfig.hStream", unsafe.Offsetof(launchConfig{}.stream), 32},
		{"CUlaunchAttribute", unsafe.Sizeof(launchAttribute{}), 72},
		{"CUlaunchAttribute.value", unsafe.Offsetof(launchAttribute{}.value), 8},
		{"CUgraphExecUpdateResultInfo", unsafe.Sizeof(updateInfo{}), 24},
	} {
		if c.got != c.want {
			t.Errorf("%s = %d, want %d", c.name, c.got, c.want)
		}
	}
}

func TestArgs_PackAtNaturalAlignment(t *testing.T) {
	var a Args
	a.Reset().I32(-1).Ptr(0x1122334455667788).F32(1).U64(7).U32(3).Bytes(make([]byte, 128), 64).I64(-2)
	le := binary.LittleEndian
	var want []byte
	want = le.AppendUint32(want, 0xFFFFFFFF)
	want = append(want, 0, 0, 0, 0)
	want = le.AppendUint64(want, 0x1122334455667788)
	want = le.AppendUint32(want, 0x3F800000)
	want = append(want, 0, 0, 0, 0)
	want = le.AppendUint64(want, 7)
	want = le.AppendUint32(want, 3)
	want = append(want, make([]byte, 64-36+128)...)
	want = le.AppendUint64(want, 0xFFFFFFFFFFFFFFFE)
	if !reflect.DeepEqual(a.buf, want) || a.Len() != 200 {
		t.Errorf("block of %d bytes = %x\nwant %d bytes = %x", a.Len(), a.buf, len(want), want)
	}
	if a.Reset().Len() != 0 {
		t.Errorf("Len() after Reset = %d, want 0", a.Len())
	}
}

func TestSymbols_AreNamedOnceAndFillEveryEntry(t *testing.T) {
	var f entries
	seen := map[string]bool{}
	for _, s := range f.table() {
		if seen[s.name] {
			t.Errorf("%s stands in the table twice", s.name)
		}
		seen[s.name] = true
	}
	if missing := f.resolve(func(string) uintptr { return 1 }); missing != nil {
		t.Errorf("resolve() misses %v, want none", missing)
	}
	v := reflect.ValueOf(f)
	for i := range v.NumField() {
		if v.Field(i).Field(0).Uint() == 0 {
			t.Errorf("entry %s is in no row of the table", v.Type().Field(i).Name)
		}
	}
}
