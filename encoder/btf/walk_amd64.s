//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// LANE loads a lane: P is the address of its next record, L that of the length.
#define LANE(k, P, L, end) \
	MOVQ (k*lane__size+lane_end)(BX), AX \
	LEAQ (SI)(AX*4), AX                 \
	MOVQ AX, end                        \
	MOVQ (k*lane__size+lane_to)(BX), L  \
	ADDQ DX, L                          \
	MOVQ (k*lane__size+lane_at)(BX), AX \
	LEAQ (SI)(AX*4), P

// STEP goes on by a record. AX is the number of its words: those without elements, which CX leads to, and those of its elements.
#define STEP(P, L, end, long, told, out) \
	MOVL  4(P), AX             \
	MOVL  AX, CX               \
	ANDL  $0xffffff, AX        \
	SHRL  $24, CX              \
	IMULL 4(R14)(CX*8), AX     \
	ADDL  (R14)(CX*8), AX      \
	LEAQ  (P)(AX*4), P         \
	CMPL  AX, $const_longest   \
	JHI   long                 \
	MOVB  AX, (L)(DX*1)        \
told: \
	CMPQ  P, end               \
	JCC   out

// LONG is the length of a record that has more words than a byte can say.
#define LONG(L, long, told) \
long: \
	MOVB $const_Untold, (L)(DX*1) \
	JMP  told

// STORE stores a lane that has made a number of steps.
#define STORE(k, P, steps) \
	SUBQ SI, P                          \
	SHRQ $2, P                          \
	MOVQ P, (k*lane__size+lane_at)(BX)  \
	ADDQ steps, (k*lane__size+lane_to)(BX)

// func walkLanes(words *uint32, table *lengthTable, lengths *uint8, lanes *[4]lane)
//
//	BX   the lanes; R14 the table; DX the number of steps
//	DI, R8, R9, R15   the next records of the lanes; SI the beginning of the words
//	R10, R11, R12, R13   where the lengths of the lanes begin
TEXT ·walkLanes(SB), NOSPLIT, $32-32
	MOVQ words+0(FP), SI
	MOVQ table+8(FP), R14
	MOVQ lengths+16(FP), DX
	MOVQ lanes+24(FP), BX
	LANE(0, DI, R10, end0-8(SP))
	LANE(1, R8, R11, end1-16(SP))
	LANE(2, R9, R12, end2-24(SP))
	LANE(3, R15, R13, end3-32(SP))
	XORL DX, DX

step:
	STEP(DI, R10, end0-8(SP), long0, told0, out0)
	STEP(R8, R11, end1-16(SP), long1, told1, out1)
	STEP(R9, R12, end2-24(SP), long2, told2, out2)
	STEP(R15, R13, end3-32(SP), long3, told3, out3)
	INCQ DX
	JMP  step

	LONG(R10, long0, told0)
	LONG(R11, long1, told1)
	LONG(R12, long2, told2)
	LONG(R13, long3, told3)

	// CX is the number of steps of the lanes up to the one that has arrived.
out0:
	LEAQ 1(DX), CX
	STORE(0, DI, CX)
	STORE(1, R8, DX)
	STORE(2, R9, DX)
	STORE(3, R15, DX)
	RET

out1:
	LEAQ 1(DX), CX
	STORE(0, DI, CX)
	STORE(1, R8, CX)
	STORE(2, R9, DX)
	STORE(3, R15, DX)
	RET

out2:
	LEAQ 1(DX), CX
	STORE(0, DI, CX)
	STORE(1, R8, CX)
	STORE(2, R9, CX)
	STORE(3, R15, DX)
	RET

out3:
	LEAQ 1(DX), CX
	STORE(0, DI, CX)
	STORE(1, R8, CX)
	STORE(2, R9, CX)
	STORE(3, R15, CX)
	RET
