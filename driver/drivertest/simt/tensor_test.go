package simt

import "testing"

func TestTensorMap_ComesBackAsItWasEncoded(t *testing.T) {
	want := TensorMap{Type: 9, Rank: 2, Swizzle: 3, Address: 0x700000001000, Dims: [5]uint64{128, 77}, Strides: [4]uint64{256}, Box: [5]uint16{64, 32}, Steps: [5]uint8{1, 1}}
	raw := want.Encode()
	if got, ok := decodeTensorMap(raw[:]); !ok || got != want {
		t.Errorf("decodeTensorMap(Encode()) = %+v, %v, want %+v", got, ok, want)
	}
	if _, ok := decodeTensorMap(make([]byte, 128)); ok {
		t.Error("128 zero bytes are taken for a map")
	}
}

// TestSwizzle_ExchangesCellsOfRowsByTheRowsNumber has the first cell of each of eight rows, as the manual draws them.
func TestSwizzle_ExchangesCellsOfRowsByTheRowsNumber(t *testing.T) {
	for mode, want := range [][8]uint64{
		{0, 0, 0, 0, 0, 0, 0, 0},
		{0, 0, 0, 0, 1, 1, 1, 1}, // rows of 32 bytes: four fit 128
		{0, 0, 1, 1, 2, 2, 3, 3},
		{0, 1, 2, 3, 4, 5, 6, 7},
	} {
		for row := range uint64(8) {
			at := row * (16 << mode)
			if got := swizzled(at, uint8(mode)) - at; got != 16*want[row] {
				t.Errorf("swizzle %d: the first cell of row %d moves by %d bytes, want %d", mode, row, got, 16*want[row])
			}
		}
	}
}

func TestBox_WhatLiesOutsideOfTheMatrixIsLeftOut(t *testing.T) {
	b := box{t: TensorMap{Address: 1000, Dims: [5]uint64{100, 10}, Strides: [4]uint64{256}, Box: [5]uint16{64, 4}}, size: 2, pitch: 128}
	for _, c := range []struct {
		col, row int64
		r        int
		from     uint64
		to, n    int
	}{
		{0, 0, 1, 1256, 0, 128}, {64, 0, 0, 1128, 0, 72}, {-10, 2, 0, 1512, 20, 108}, {0, 8, 2, 0, 0, 0}, {0, -1, 0, 0, 0, 0}, {100, 0, 0, 0, 0, 0},
	} {
		b.col, b.row = c.col, c.row
		if from, to, n := b.inside(c.r); from != c.from || to != c.to || n != c.n {
			t.Errorf("box at column %d, row %d: its row %d takes %d bytes at %d to %d, want %d at %d to %d", c.col, c.row, c.r, n, from, to, c.n, c.from, c.to)
		}
	}
}

func TestBox_OfThreeDimensionsHasTheRowsOfOneMatrixAfterTheOther(t *testing.T) {
	// Columns 0 to 63 and 64 to 127 of a matrix of 10 rows as two matrices.
	b := box{t: TensorMap{Rank: 3, Address: 1000, Dims: [5]uint64{64, 10, 2}, Strides: [4]uint64{256, 128}, Box: [5]uint16{64, 4, 2}}, size: 2, pitch: 128}
	if b.bytes() != 1024 {
		t.Errorf("the box has %d bytes, want 1024", b.bytes())
	}
	for _, c := range []struct {
		row, matrix int64
		r           int
		from        uint64
		n           int
	}{
		{5, 0, 3, 1000 + 8*256, 128}, {5, 0, 4, 1000 + 5*256 + 128, 128}, {5, 0, 7, 1000 + 8*256 + 128, 128}, {7, 0, 7, 0, 0}, {5, 1, 4, 0, 0}, {5, -1, 0, 0, 0},
	} {
		b.row, b.matrix = c.row, c.matrix
		if from, _, n := b.inside(c.r); from != c.from || n != c.n {
			t.Errorf("box at row %d of matrix %d: its row %d takes %d bytes at %d, want %d at %d", c.row, c.matrix, c.r, n, from, c.n, c.from)
		}
	}
}
