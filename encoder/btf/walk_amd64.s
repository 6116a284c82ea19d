//go:build amd64 && !purego

#include "textflag.h"

// func walkRecords(words []uint32, table *[128]uint64, lengths *uint8, blocks *uint32) (n, end int)
//
//	SI   the record, an address; R8 the last place of one, R9 the end of the words, R13 their beginning
//	DI   the number of the record; R10 the lengths
//	R11  the table
//	R12  the place of the block in the blocks
TEXT ·walkRecords(SB), NOSPLIT, $0-64
	MOVQ words_base+0(FP), R13
	MOVQ R13, SI
	MOVQ words_len+8(FP), R9
	LEAQ (SI)(R9*4), R9
	LEAQ -12(R9), R8
	MOVQ table+24(FP), R11
	MOVQ lengths+32(FP), R10
	MOVQ blocks+40(FP), R12
	XORL DI, DI

record:
	CMPQ    SI, R8
	JHI     done
	MOVBLZX 7(SI), BX            // the kind is in the highest byte of the second word
	ANDL    $0x7f, BX
	MOVQ    (R11)(BX*8), CX
	CMPQ    CX, $3
	JNE     elements
	MOVB    $3, (R10)(DI*1)
	ADDQ    $12, SI

next:
	INCQ  DI
	TESTL $7, DI
	JNZ   record
	MOVQ  SI, AX
	SUBQ  R13, AX
	SHRQ  $2, AX
	ADDQ  $4, R12
	MOVL  AX, (R12)
	JMP   record

elements:
	MOVL  4(SI), AX
	MOVL  CX, DX                 // the words without elements
	SHRQ  $32, CX                // those of an element
	ANDL  $0xffffff, AX          // the number of elements
	IMULQ CX, AX
	ADDQ  DX, AX
	LEAQ  (SI)(AX*4), BX
	CMPQ  BX, R9
	JHI   done
	MOVQ  BX, SI
	CMPQ  AX, $255
	JAE   long
	MOVB  AX, (R10)(DI*1)
	JMP   next

long:
	MOVB $255, (R10)(DI*1)
	ORL  $0x80000000, (R12)      // hasLong
	JMP  next

done:
	MOVQ DI, n+48(FP)
	SUBQ R13, SI
	SHRQ $2, SI
	MOVQ SI, end+56(FP)
	RET
