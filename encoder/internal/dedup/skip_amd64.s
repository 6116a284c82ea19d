//go:build amd64 && !purego

#include "textflag.h"

// func skipFast(words []uint32, lengths []uint8, i, at int, of *[128]role, marked *names, open []uint64) (int, int)
//
//	SI   the record, an address; R8 its length in words
//	DI   the index of the record in the lengths R9
//	R10  the roles; R11 the marked names
//	R12  the open types; R13 the number of their words
TEXT ·skipFast(SB), NOSPLIT, $0-120
	MOVQ words_base+0(FP), SI
	MOVQ lengths_base+24(FP), R9
	MOVQ i+48(FP), DI
	MOVQ at+56(FP), AX
	LEAQ (SI)(AX*4), SI
	MOVQ of+64(FP), R10
	MOVQ marked+72(FP), R11
	MOVQ open_base+80(FP), R12
	MOVQ open_len+88(FP), R13

record:
	MOVBLZX (R9)(DI*1), R8
	LEAL    -1(R8), DX
	CMPL    DX, $254             // Long, or the zero behind the lengths
	JAE     done
	MOVBLZX 7(SI), CX            // the kind is in the highest byte of the second word
	ANDL    $0x7f, CX
	SHLL    $4, CX               // its role
	CMPL    R8, 4(R10)(CX*1)     // least
	JLS     done
	MOVL    (SI), AX             // the name
	TESTL   AX, AX
	JZ      nameless

anchor:
	MOVL AX, DX
	SHRL $6, DX
	ANDL $0xfff, DX
	MOVQ (R11)(DX*8), DX
	BTQ  AX, DX
	JCS  done

pass:
	LEAQ (SI)(R8*4), SI
	INCQ DI
	JMP  record

nameless:
	CMPL  (R10)(CX*1), $0         // anchored
	JEQ   reference
	MOVL  12(SI), AX             // the name of the first element
	TESTL AX, AX
	JNZ   anchor

reference:
	MOVL  8(R10)(CX*1), DX       // ref
	TESTL DX, DX
	JZ    done
	MOVL (SI)(DX*4), AX
	CMPL AX, DI                  // an index, which is below the id
	JHI  done
	MOVL AX, DX
	SHRL $6, DX
	CMPQ DX, R13
	JAE  pass
	MOVQ (R12)(DX*8), DX
	BTQ  AX, DX
	JCC  pass

done:
	MOVQ DI, ret+104(FP)
	SUBQ words_base+0(FP), SI
	SHRQ $2, SI
	MOVQ SI, ret1+112(FP)
	RET
