package weights

import (
	"fmt"
	"strings"
	"testing"
)

// TestTensor_ReadsTheSameAfterDrop drops parts that begin and end anywhere in a page.
func TestTensor_ReadsTheSameAfterDrop(t *testing.T) {
	const n = 200_000
	header := fmt.Sprintf(`{"a":{"dtype":"BF16","shape":[%d],"data_offsets":[0,%d]}}`, n/2, n)
	file := stFile(header, n)
	for i := range n {
		file[len(file)-n+i] = byte(i % 251)
	}
	c, err := Open(modelDir(t, "model.safetensors", string(file)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.Tensor("a", n/2)
	if err != nil {
		t.Fatal(err)
	}
	if s.Drop == nil {
		t.Fatal("the tensor of a file has no Drop")
	}
	for _, cut := range [][2]int{{0, n}, {1, n - 1}, {4095, 4097}, {5000, 14000}, {7, 7}} {
		s.Drop(s.Data[cut[0]:cut[1]])
		for i, got := range s.Data {
			if got != byte(i%251) {
				t.Fatalf("byte %d = %d after a drop of %v, want %d", i, got, cut, i%251)
			}
		}
	}
}

// TestTensor_InMemoryHasNoDrop holds memory that is not a file's mapping to stay.
func TestTensor_InMemoryHasNoDrop(t *testing.T) {
	c := &Checkpoint{byName: map[string]int{"a": 0}, infos: []Info{{Name: "a", Dim: []int{1}, Type: 1, data: []byte(strings.Repeat("x", 4))}}}
	if s, err := c.Tensor("a", 1); err != nil || s.Drop != nil {
		t.Errorf("Tensor() = %v with a Drop: %t, want none", err, s.Drop != nil)
	}
}
