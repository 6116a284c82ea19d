//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// func skipRecords(p *passing)
//
//	SI   the record, an address; R8 its length in words
//	DI   the index of the record in the lengths R9
//	R10  the roles; R11 the marked names
//	R12  the open types
//	R13  zero
//
// Whether a record has a name, and whether a reference leads to an open type, is as good as random, and the processor would guess wrong every third time.
// So both questions are answered for each record, without a jump: the record is to be considered if its anchor is marked, and it has an anchor or
// the reference leads to an open type or a later one. The name 0 is marked and void is open, so the answer is also right without a reference.
TEXT ·skipRecords(SB), NOSPLIT, $0-8
	MOVQ p+0(FP), BX
	MOVQ passing_i(BX), DI
	MOVQ passing_at(BX), AX
	MOVQ passing_words(BX), SI
	LEAQ (SI)(AX*4), SI
	MOVQ passing_lengths(BX), R9
	MOVQ passing_marked(BX), R11
	MOVQ passing_open(BX), R12
	LEAQ passing_roles(BX), R10
	XORL R13, R13

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
	MOVL    role_element(R10)(CX*1), DX
	MOVL    (SI)(DX*4), DX       // the name of the first element, or the name again
	TESTL   AX, AX
	CMOVLEQ DX, AX               // the anchor
	MOVL    role_ref(R10)(CX*1), DX
	MOVL    (SI)(DX*4), DX       // the reference
	CMPL    DX, DI               // an index, which is below the id
	CMOVLHI R13, DX              // a later type counts as open
	MOVL    DX, CX
	SHRL    $6, CX
	MOVQ    (R12)(CX*8), CX
	BTQ     DX, CX
	SBBL    CX, CX               // all bits if it is open
	CMPL    AX, $1
	SBBL    DX, DX
	NOTL    DX                   // all bits if there is an anchor
	ORL     DX, CX
	MOVL    AX, DX
	SHRL    $6, DX
	ANDL    $0xfff, DX
	MOVQ    (R11)(DX*8), DX
	BTQ     AX, DX
	SBBL    DX, DX               // all bits if the anchor is marked
	TESTL   CX, DX
	JNE     done
	LEAQ    (SI)(R8*4), SI
	INCQ    DI
	JMP     record

done:
	MOVQ p+0(FP), BX
	MOVQ DI, passing_i(BX)
	SUBQ passing_words(BX), SI
	SHRQ $2, SI
	MOVQ SI, passing_at(BX)
	RET
