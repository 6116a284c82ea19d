//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// func skipRecords(p *passing)
//
//	SI   the record, an address; R8 its length in words
//	DI   the index of the record in the lengths R9
//	R10  the roles; R11 the marked names
//	R12  the open types; R13 the number of their words
TEXT ·skipRecords(SB), NOSPLIT, $0-8
	MOVQ p+0(FP), BX
	MOVQ passing_i(BX), DI
	MOVQ passing_at(BX), AX
	MOVQ passing_words(BX), SI
	LEAQ (SI)(AX*4), SI
	MOVQ passing_lengths(BX), R9
	MOVQ passing_marked(BX), R11
	MOVQ passing_open(BX), R12
	MOVQ (passing_open+8)(BX), R13
	LEAQ passing_roles(BX), R10

record:
	MOVBLZX (R9)(DI*1), R8
	LEAL    -1(R8), DX
	CMPL    DX, $254             // Long, or the zero behind the lengths
	JAE     done
	MOVBLZX 7(SI), CX            // the kind is in the highest byte of the second word
	ANDL    $0x7f, CX
	SHLL    $4, CX               // its role
	CMPL    R8, role_least(R10)(CX*1)
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
	CMPL  role_anchored(R10)(CX*1), $0
	JEQ   reference
	MOVL  12(SI), AX             // the name of the first element
	TESTL AX, AX
	JNZ   anchor

reference:
	MOVL  role_ref(R10)(CX*1), DX
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
	MOVQ DI, passing_i(BX)
	SUBQ passing_words(BX), SI
	SHRQ $2, SI
	MOVQ SI, passing_at(BX)
	RET
