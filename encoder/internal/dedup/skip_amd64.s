//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// func skipRecords(p *passing)
//
//	SI   the record, an address; R8 its length in words
//	R9   its index; DI the lengths
//	R10  the roles; CX the number of the role
//	R11  the marked names
//	R12  the open types; R13 the number of their words
//	DX   the index in the record of a reference
//	R15  zero
//
// Prototypes and functions, which come last and are two thirds of all types, nearly always have a name that is not marked. Of other types, a processor
// cannot guess which have a name, and refer to open types. So there is no branch before it is known whether one may be possible.
TEXT ·skipRecords(SB), NOSPLIT, $0-8
	MOVQ p+0(FP), BX
	MOVQ passing_lengths(BX), DI
	MOVQ passing_i(BX), R9
	MOVQ passing_at(BX), AX
	MOVQ passing_words(BX), SI
	LEAQ (SI)(AX*4), SI
	MOVQ passing_marked(BX), R11
	MOVQ passing_open(BX), R12
	MOVQ (passing_open+8)(BX), R13
	LEAQ passing_roles(BX), R10
	XORL R15, R15
	JMP  record

pass:
	LEAQ (SI)(R8*4), SI
	INCQ R9

record:
	MOVBLZX (DI)(R9*1), R8
	MOVBLZX 7(SI), CX            // the kind is in the highest byte of the second word
	CMPL    R8, role_least(R10)(CX*8)
	JLS     done                 // also if the length is untold
	CMPL    CX, $const_kindFunc
	JCC     function

	// R14: whether the name, or that of the first element, is marked
	MOVL    (SI), AX
	MOVBLZX role_second(R10)(CX*8), DX
	MOVL    (SI)(DX*4), DX
	TESTL   AX, AX
	CMOVLEQ DX, AX
	MOVL    AX, DX
	SHRL    $6, DX
	ANDL    $0xfff, DX
	MOVQ    (R11)(DX*8), DX
	BTQ     AX, DX
	SBBL    R14, R14

	// DX: whether the reference is to an open type, or to one that comes later
	MOVBLZX role_ref(R10)(CX*8), DX
	MOVL    (SI)(DX*4), AX
	MOVL    AX, DX
	SHRL    $6, DX
	CMPQ    DX, R13
	CMOVQCC R15, DX
	MOVQ    (R12)(DX*8), DX
	BTQ     AX, DX
	SBBL    DX, DX
	CMPL    R9, AX
	SBBL    AX, AX
	ORL     AX, DX
	ANDL    R14, DX
	JEQ     pass
	JMP     done

function:
	MOVBLZX role_anchor(R10)(CX*8), DX
	MOVL    (SI)(DX*4), AX

anchor:
	MOVL    AX, DX
	SHRL    $6, DX
	ANDL    $0xfff, DX
	MOVQ    (R11)(DX*8), DX
	BTQ     AX, DX
	JCC     pass
	TESTL   AX, AX
	JNZ     references
	MOVBLZX role_second(R10)(CX*8), DX
	MOVL    (SI)(DX*4), AX
	TESTL   AX, AX
	JNZ     anchor

references:
	MOVBLZX role_ref(R10)(CX*8), DX

reference:
	MOVL    (SI)(DX*4), AX
	CMPL    AX, R9               // an index, which is below the id
	JHI     next
	MOVL    AX, R14
	SHRL    $6, R14
	CMPQ    R14, R13
	JCC     pass
	MOVQ    (R12)(R14*8), R14
	BTQ     AX, R14
	JCC     pass

next:
	MOVBLZX role_step(R10)(CX*8), AX
	TESTL   AX, AX
	JZ      done
	ADDL    AX, DX
	CMPL    DX, R8
	JCS     reference

done:
	MOVQ R9, passing_i(BX)
	SUBQ passing_words(BX), SI
	SHRQ $2, SI
	MOVQ SI, passing_at(BX)
	RET
