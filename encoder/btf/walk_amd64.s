//go:build amd64 && !purego

#include "textflag.h"

// func walkRecords(words []uint32, table *[128]uint64, lengths []uint8) (n, end int)
//
//	SI   the record, an address; R8 the last place of one, R9 the end of the words
//	DI   where its length is stored
//	R11  the table
TEXT ·walkRecords(SB), NOSPLIT, $0-72
	MOVQ words_base+0(FP), SI
	MOVQ words_len+8(FP), R9
	LEAQ (SI)(R9*4), R9
	LEAQ -12(R9), R8
	MOVQ table+24(FP), R11
	MOVQ lengths_base+32(FP), DI

record:
	CMPQ    SI, R8
	JHI     done
	MOVBLZX 7(SI), BX            // the kind is in the highest byte of the second word
	ANDL    $0x7f, BX
	MOVQ    (R11)(BX*8), CX
	CMPQ    CX, $3
	JNE     long
	MOVB    $3, (DI)
	ADDQ    $12, SI
	INCQ    DI
	JMP     record

long:
	MOVL  4(SI), AX
	MOVL  CX, DX                 // the words without elements
	SHRQ  $32, CX                // those of an element
	ANDL  $0xffffff, AX          // the number of elements
	IMULQ CX, AX
	ADDQ  DX, AX
	LEAQ  (SI)(AX*4), BX
	CMPQ  BX, R9
	JHI   done
	CMPQ  AX, $255
	JB    short
	MOVL  $255, AX

short:
	MOVB AX, (DI)
	MOVQ BX, SI
	INCQ DI
	JMP  record

done:
	SUBQ lengths_base+32(FP), DI
	MOVQ DI, n+56(FP)
	SUBQ words_base+0(FP), SI
	SHRQ $2, SI
	MOVQ SI, end+64(FP)
	RET
