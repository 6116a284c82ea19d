//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// The words of a DIE are name, reference, number, and one that is not used.
DATA ones<>+0(SB)/8, $0x0000000100000001
DATA ones<>+8(SB)/8, $0x0000000100000001
GLOBL ones<>(SB), RODATA|NOPTR, $16
DATA lessOne<>+0(SB)/8, $0xffffffff00000000
DATA lessOne<>+8(SB)/8, $0
GLOBL lessOne<>(SB), RODATA|NOPTR, $16

// func quickShuffled(low *[lowCodes]Abbrev, data []byte, pos, end int, kind RunKind, words *[quickWords]uint32, limits *bounds) (n, next int)
//
//	R8   the abbreviations
//	SI   the DIE; R9 the end of the unit
//	DI   where its words are stored; R10 the last place where there is room; R11 the number of bytes from one DIE to the next
//	R12  the kind
//	DX   the code of the current abbreviation; R13 the length of its DIEs
//	X1   the order of the bytes in its DIEs; X2 what is added to the words; X3 by what they are multiplied
//	X4   what is added to the words before they are compared; X5 the highest values that they may have then
TEXT ·quickShuffled(SB), NOSPLIT, $0-88
	MOVQ    low+0(FP), R8
	MOVQ    data_base+8(FP), AX
	MOVQ    pos+32(FP), SI
	ADDQ    AX, SI
	MOVQ    end+40(FP), R9
	ADDQ    AX, R9
	MOVBLZX kind+48(FP), R12
	MOVQ    words+56(FP), DI
	LEAQ    (4*const_quickLast)(DI), R10
	MOVQ    limits+64(FP), BX
	MOVQ    bounds_each(BX), R11
	SHLQ    $2, R11
	MOVL    $-1, DX
	MOVOU   ones<>(SB), X3
	MOVOU   lessOne<>(SB), X4
	PCMPEQL X5, X5
	MOVL    bounds_names(BX), AX
	PINSRD  $0, AX, X5
	MOVL    bounds_refs(BX), AX
	DECL    AX
	PINSRD  $1, AX, X5

next:
	MOVBLZX (SI), AX
	CMPL    AX, DX
	JNE     other

same:
	LEAQ     (SI)(R13*1), BX
	CMPQ     BX, R9
	JHI      done
	MOVOU    (SI), X0
	PSHUFB   X1, X0
	PADDL    X2, X0
	PMULLD   X3, X0
	MOVOA    X0, X6
	PADDL    X4, X6
	MOVOA    X6, X7
	PMINUD   X5, X7
	PCMPEQL  X6, X7
	PMOVMSKB X7, AX
	CMPL     AX, $0xffff
	JNE      done
	MOVOU    X0, (DI)
	ADDQ     R11, DI
	MOVQ     BX, SI
	CMPQ     DI, R10
	JLS      next

done:
	SUBQ words+56(FP), DI
	SHRQ $2, DI
	MOVQ DI, n+72(FP)
	SUBQ data_base+8(FP), SI
	MOVQ SI, next+80(FP)
	RET

other:
	// The next DIE has another abbreviation.
	TESTB   AX, AX
	JLE     done                                        // no DIE, or a code of two bytes
	MOVL    AX, DX
	IMULQ   $Abbrev__size, AX
	LEAQ    Abbrev_layout(R8)(AX*1), BX
	MOVBLZX layout_quick(BX), AX
	XORL    R12, AX
	JNE     named
	MOVWLSX (Abbrev_fixed-Abbrev_layout)(BX), R13
	INCL    R13
	MOVOU   layout_order(BX), X1
	MOVL    layout_nameMask(BX), AX
	NEGL    AX
	MOVQ    AX, X2                                      // 1 if there is a name
	PINSRD  $2, layout_add(BX), X2
	PINSRD  $2, layout_scale(BX), X3
	JMP     same

named:
	CMPL AX, $const_quickBits
	JEQ  field
	CMPL AX, $const_quickLead
	JNE  done

	// A name of one to three bytes comes first. AX becomes its key, and CX its length with the zero byte. BX is the layout.
	MOVL    1(SI), AX
	LEAL    -0x01010101(AX), CX
	MOVL    AX, DX
	NOTL    DX
	ANDL    DX, CX
	MOVL    $-1, DX                                     // the next DIE has another abbreviation in any case
	ANDL    $0x80808080, CX
	JEQ     done
	BSFL    CX, CX
	SUBL    $7, CX
	JEQ     done
	MOVL    $1, R13
	SHLL    CX, R13
	DECL    R13
	ANDL    R13, AX
	ORL     $const_keyShort, AX
	SHRL    $3, CX
	INCL    CX
	MOVWLSX (Abbrev_fixed-Abbrev_layout)(BX), R13
	ADDL    CX, R13
	LEAQ    1(SI)(R13*1), R13                           // the end of the DIE
	CMPQ    R13, R9
	JHI     done
	MOVOU   (SI)(CX*1), X0
	MOVOU   layout_order(BX), X1
	PSHUFB  X1, X0
	MOVL    layout_add(BX), CX
	MOVQ    CX, X2
	PSLLO   $8, X2
	PINSRD  $2, layout_scale(BX), X3
	PADDL   X2, X0
	PMULLD  X3, X0
	MOVOA   X0, X6
	PADDL   X4, X6
	MOVOA   X6, X7
	PMINUD  X5, X7
	PCMPEQL X6, X7
	PMOVMSKB X7, CX
	CMPL    CX, $0xffff
	JNE     done
	PINSRD  $0, AX, X0
	MOVOU   X0, (DI)
	ADDQ    R11, DI
	MOVQ    R13, SI
	CMPQ    DI, R10
	JLS     next
	JMP     done

field:
	// A bit field, whose size is in the highest byte of its number.
	MOVL     $-1, DX
	MOVWLSX  (Abbrev_fixed-Abbrev_layout)(BX), R13
	LEAQ     1(SI)(R13*1), R13                           // the end of the DIE
	CMPQ     R13, R9
	JHI      done
	MOVOU    (SI), X0
	MOVOU    layout_order(BX), X1
	PSHUFB   X1, X0
	MOVL     layout_nameMask(BX), AX
	NEGL     AX
	MOVQ     AX, X2
	PADDL    X2, X0
	MOVOA    X0, X6
	PADDL    X4, X6
	MOVOA    X6, X7
	PMINUD   X5, X7
	PCMPEQL  X6, X7
	PMOVMSKB X7, AX
	CMPL     AX, $0xffff
	JNE      done
	PEXTRD   $2, X0, AX
	SHRL     $24, AX
	JEQ      done
	MOVQ     limits+64(FP), BX
	ORL      AX, bounds_bits(BX)
	MOVOU    X0, (DI)
	ADDQ     R11, DI
	MOVQ     R13, SI
	CMPQ     DI, R10
	JLS      next
	JMP      done
