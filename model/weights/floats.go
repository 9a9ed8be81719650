package weights

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/x448/float16"

	"github.com/weft-llm/weft/backend"
	"github.com/weft-llm/weft/tensor"
)

// Floats decodes a source of a plain float type.
func Floats(s backend.Source) ([]float32, error) {
	n := len(s.Data) / max(s.Type.Size(), 1)
	out := make([]float32, n)
	switch s.Type {
	case tensor.F32:
		return f32s(s.Data), nil
	case tensor.F16:
		for i := range out {
			out[i] = float16.Frombits(binary.LittleEndian.Uint16(s.Data[2*i:])).Float32()
		}
	case tensor.BF16:
		for i := range out {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(s.Data[2*i:])) << 16)
		}
	default:
		return nil, fmt.Errorf("cannot read %s as floats: its type is %s", s.Name, s.Type)
	}
	return out, nil
}
