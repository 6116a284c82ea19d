//go:build amd64 && !purego

#include "go_asm.h"
#include "textflag.h"

// RECORD is the k-th record of a block. The kind is in the highest byte of its second word. Most records have no elements.
#define RECORD(k, elements, next) \
	MOVBLZX 7(SI), BX      \
	MOVQ    (R11)(BX*8), CX \
	CMPQ    CX, $3         \
	JNE     elements       \
	MOVB    $3, k(R10)     \
	ADDQ    $12, SI        \
next:

// ELEMENTS goes on with a record that may have elements: DX is the number of words without these, CX that of an element, AX the number of elements.
#define ELEMENTS(k, elements, untold, stop, next) \
elements: \
	MOVL  4(SI), AX      \
	MOVL  CX, DX         \
	SHRQ  $32, CX        \
	ANDL  $0xffffff, AX  \
	IMULQ CX, AX         \
	ADDQ  DX, AX         \
	LEAQ  (SI)(AX*4), BX \
	CMPQ  BX, R9         \
	JHI   stop           \
	MOVQ  BX, SI         \
	CMPQ  AX, $const_longest \
	JHI   untold         \
	MOVB  AX, k(R10)     \
	JMP   next           \
untold: \
	MOVB $const_Untold, k(R10) \
	ORL  $const_hasUntold, (R12) \
	JMP  next            \
stop: \
	ADDQ $k, R10         \
	JMP  done

// func walkRecords(words []uint32, table *lengthTable, lengths *uint8, blocks *uint32) (count, end int)
//
//	SI   the record, an address; R9 the tail, in which no record may begin that follows one with elements; R13 the beginning of the words
//	R10  the length of the first record of the block
//	R11  the table
//	R12  the place of the block in the blocks
TEXT ·walkRecords(SB), NOSPLIT, $0-64
	MOVQ words_base+0(FP), R13
	MOVQ R13, SI
	MOVQ words_len+8(FP), R9
	LEAQ -const_tail*4(SI)(R9*4), R9
	MOVQ table+24(FP), R11
	MOVQ lengths+32(FP), R10
	MOVQ blocks+40(FP), R12

block:
	CMPQ SI, R9
	JHI  done
	RECORD(0, elements0, next0)
	RECORD(1, elements1, next1)
	RECORD(2, elements2, next2)
	RECORD(3, elements3, next3)
	RECORD(4, elements4, next4)
	RECORD(5, elements5, next5)
	RECORD(6, elements6, next6)
	RECORD(7, elements7, next7)
	ADDQ $8, R10
	MOVQ SI, AX
	SUBQ R13, AX
	SHRQ $2, AX
	ADDQ $4, R12
	MOVL AX, (R12)
	JMP  block

	ELEMENTS(0, elements0, untold0, stop0, next0)
	ELEMENTS(1, elements1, untold1, stop1, next1)
	ELEMENTS(2, elements2, untold2, stop2, next2)
	ELEMENTS(3, elements3, untold3, stop3, next3)
	ELEMENTS(4, elements4, untold4, stop4, next4)
	ELEMENTS(5, elements5, untold5, stop5, next5)
	ELEMENTS(6, elements6, untold6, stop6, next6)
	ELEMENTS(7, elements7, untold7, stop7, next7)

done:
	SUBQ lengths+32(FP), R10
	MOVQ R10, count+48(FP)
	SUBQ R13, SI
	SHRQ $2, SI
	MOVQ SI, end+56(FP)
	RET
