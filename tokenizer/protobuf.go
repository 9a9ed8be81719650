package tokenizer

import (
	"encoding/binary"
	"errors"
)

var errProtobuf = errors.New("not a protobuf message")

// protoField is one field of a protobuf message: its number and its value. Wire types 0, 1 and 5 are in num (5 and 1 as
// raw bits), wire type 2 in data.
type protoField struct {
	number int
	num    uint64
	data   []byte
}

// protoFields calls each for every field of a message, in order.
func protoFields(msg []byte, each func(f protoField) error) error {
	for len(msg) > 0 {
		tag, n := binary.Uvarint(msg)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29-1 {
			return errProtobuf
		}
		msg = msg[n:]
		f := protoField{number: int(tag >> 3)}
		switch tag & 7 {
		case 0:
			if f.num, n = binary.Uvarint(msg); n <= 0 {
				return errProtobuf
			}
		case 1:
			if n = 8; len(msg) < n {
				return errProtobuf
			}
			f.num = binary.LittleEndian.Uint64(msg)
		case 2:
			size, k := binary.Uvarint(msg)
			if k <= 0 || size > uint64(len(msg)-k) {
				return errProtobuf
			}
			n = k + int(size)
			f.data = msg[k:n]
		case 5:
			if n = 4; len(msg) < n {
				return errProtobuf
			}
			f.num = uint64(binary.LittleEndian.Uint32(msg))
		default:
			return errProtobuf
		}
		msg = msg[n:]
		if err := each(f); err != nil {
			return err
		}
	}
	return nil
}
