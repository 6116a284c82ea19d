//go:build amd64 && !purego

#include "textflag.h"

// func scanBlocks(section []byte, c cut, in *filter, some *[512]found) (n int, to cut)
//
// Places in the section are addresses here:
//
//	R8   the block that is searched; R10 the last one
//	R9   the beginning of the string that is read
//	SI   its NUL
//	AX   a bit for each NUL of the block that is still to be handled
//	DI   where the next string is stored; R12 the last place at which a block may begin to store
//	R11  the filter; R13 bitFactor; X0 zeros
TEXT ·scanBlocks(SB), NOSPLIT, $0-80
	MOVQ section_base+0(FP), BX
	MOVQ section_len+8(FP), R10
	LEAQ -64(BX)(R10*1), R10
	MOVQ c_at+24(FP), R9
	ADDQ BX, R9
	MOVQ c_i+32(FP), R8
	ADDQ BX, R8
	MOVQ in+40(FP), R11
	MOVQ some+48(FP), DI
	LEAQ 3584(DI), R12           // 512-64 strings of 8 bytes
	MOVQ $0x9e3779b97f4a7c15, R13
	PXOR X0, X0

blocks:
	CMPQ     R8, R10
	JHI      done
	CMPQ     DI, R12
	JHI      done
	MOVOU    (R8), X1
	MOVOU    16(R8), X2
	MOVOU    32(R8), X3
	MOVOU    48(R8), X4
	PCMPEQB  X0, X1
	PCMPEQB  X0, X2
	PCMPEQB  X0, X3
	PCMPEQB  X0, X4
	PMOVMSKB X1, AX
	PMOVMSKB X2, BX
	PMOVMSKB X3, CX
	PMOVMSKB X4, DX
	SHLQ     $16, BX
	SHLQ     $32, CX
	SHLQ     $48, DX
	ORQ      BX, AX
	ORQ      DX, CX
	ORQ      CX, AX
	JZ       next

nul:
	BSFQ AX, SI
	ADDQ R8, SI
	MOVQ -8(SI), BX
	MOVQ SI, DX
	SUBQ R9, DX                  // the length of the string
	CMPQ DX, $8
	JLT  short

test:
	ADDQ  DX, BX                 // bit
	IMULQ R13, BX
	SHRQ  $47, BX                // 64-filterBits
	MOVQ  BX, CX
	SHRQ  $6, CX
	MOVQ  (R11)(CX*8), CX
	BTQ   BX, CX
	JCS   store

passed:
	LEAQ 1(SI), R9
	LEAQ -1(AX), DX
	ANDQ DX, AX
	JNZ  nul

next:
	ADDQ $64, R8
	JMP  blocks

short:
	CMPQ DX, $3                  // shortLen
	JLE  store
	MOVQ $8, CX
	SUBQ DX, CX
	SHLQ $3, CX
	SHRQ CX, BX                  // the bytes of the string, with zeros behind them
	JMP  test

store:
	MOVQ section_base+0(FP), BX
	MOVQ R9, CX
	SUBQ BX, CX
	MOVL CX, (DI)
	MOVQ SI, CX
	SUBQ BX, CX
	MOVL CX, 4(DI)
	ADDQ $8, DI
	JMP  passed

done:
	MOVQ section_base+0(FP), BX
	SUBQ some+48(FP), DI
	SHRQ $3, DI
	MOVQ DI, n+56(FP)
	SUBQ BX, R9
	MOVQ R9, to_at+64(FP)
	SUBQ BX, R8
	MOVQ R8, to_i+72(FP)
	RET
