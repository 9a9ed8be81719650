// iota16 is 0, 1, … 15; nibble q of a 4-bit type is looked up in a register of 16 values made of it.
DATA iota16<>+0(SB)/4, $0.0
DATA iota16<>+4(SB)/4, $1.0
DATA iota16<>+8(SB)/4, $2.0
DATA iota16<>+12(SB)/4, $3.0
DATA iota16<>+16(SB)/4, $4.0
DATA iota16<>+20(SB)/4, $5.0
DATA iota16<>+24(SB)/4, $6.0
DATA iota16<>+28(SB)/4, $7.0
DATA iota16<>+32(SB)/4, $8.0
DATA iota16<>+36(SB)/4, $9.0
DATA iota16<>+40(SB)/4, $10.0
DATA iota16<>+44(SB)/4, $11.0
DATA iota16<>+48(SB)/4, $12.0
DATA iota16<>+52(SB)/4, $13.0
DATA iota16<>+56(SB)/4, $14.0
DATA iota16<>+60(SB)/4, $15.0
GLOBL iota16<>(SB), RODATA|NOPTR, $64

DATA eight<>+0(SB)/4, $8.0
GLOBL eight<>(SB), RODATA|NOPTR, $4

// IOTAQ4_0 makes Z31 -8, -7, … 7.
#define IOTAQ4_0 \
	VMOVUPS      iota16<>(SB), Z31; \
	VBROADCASTSS eight<>(SB), Z30; \
	VSUBPS       Z30, Z31, Z31
