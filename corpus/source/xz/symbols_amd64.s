//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// symbols is the loop of lzma2.chunk, see symbols_amd64.go.
//
// AX  range                        SI  the list of probabilities in use
// BX  code                         R11 the next byte of the packed data
// CX, R15  tree: the bits so far   R12 the next byte of the output
// DX, R10  tree: a probability     R13 the lzma2
// DI, R8, R9  scratch              R14 state of LZMA; in the distance, the number so far

// Input that a symbol takes at most: 48 bits, each of which may read a byte.
#define INMARGIN 48

// Output that a symbol takes at most: 273 bytes, and what copying writes after them.
#define OUTMARGIN (273+32)

// NORM reads a byte when the range is small.
#define NORM \
	CMPL AX, $0x1000000; \
	JCC  5(PC);          \
	SHLL $8, BX;         \
	MOVB (R11), BX;      \
	SHLL $8, AX;         \
	INCQ R11

// BOUND sets DI to the part of the range that belongs to a 0. P is the probability of a 0.
#define BOUND(P) \
	NORM;          \
	MOVL  AX, DI;  \
	SHRL  $11, DI; \
	IMULL P, DI

// BRANCH decodes a bit whose probability is at (SI). It jumps if the bit is 1, and ONE has to follow there.
#define BRANCH(one) \
	MOVWLZX (SI), DX;  \
	BOUND(DX);         \
	CMPL    BX, DI;    \
	JCC     one;       \
	MOVL    DI, AX;    \
	MOVL    $2048, R8; \
	SUBL    DX, R8;    \
	SHRL    $5, R8;    \
	ADDL    R8, DX;    \
	MOVW    DX, (SI)

#define ONE \
	SUBL DI, AX; \
	SUBL DI, BX; \
	MOVL DX, R8; \
	SHRL $5, R8; \
	SUBL R8, DX; \
	MOVW DX, (SI)

// CHOOSE decodes a bit without a branch. The carry flag is set if the bit is 0.
#define CHOOSE \
	SUBL    DI, AX; \
	MOVL    BX, R8; \
	SUBL    DI, BX; \
	CMOVLCS DI, AX; \
	CMOVLCS R8, BX

// MOVED sets R8 to -1 if the bit is 0, else to 0, and changes its probability P, which is stored by the caller.
#define MOVED(P) \
	SBBL R8, R8;         \
	MOVL R8, DI;         \
	ANDL $(31-2048), DI; \
	ADDL P, DI;          \
	SARL $5, DI;         \
	SUBL DI, P

// BIT decodes a bit of a tree. M has the bits so far, after a 1, and N gets one more. P is the probability of the bit, and Q gets that of the next one:
// those of both possible bits are loaded before this one is known.
#define BIT(M, N, P, Q) \
	MOVWLZX (SI)(M*4), R9; \
	MOVWLZX 2(SI)(M*4), Q; \
	LEAL    1(M)(M*1), N;  \
	BOUND(P);              \
	CHOOSE;                \
	CMOVLCS R9, Q;         \
	MOVED(P);              \
	ADDL    R8, N;         \
	MOVW    P, (SI)(M*2)

// LAST is BIT for the last one.
#define LAST(M, N, P) \
	LEAL 1(M)(M*1), N; \
	BOUND(P);          \
	CHOOSE;            \
	MOVED(P);          \
	ADDL R8, N;        \
	MOVW P, (SI)(M*2)

// MATCHED decodes a bit of a literal after a match. R9 has the byte that would continue the match, and the bits that are known of it move up, after
// a 1. As long as the literal is equal to it, they are also those of the literal. It jumps where the literal differs.
#define MATCHED(M, differs) \
	MOVL    R9, CX;                \
	SHRL    $8, CX;                \
	ADDL    R9, R9;                \
	MOVL    R9, R10;               \
	ANDL    $0x100, R10;           \
	ADDL    CX, R10;               \
	MOVWLZX 0x200(SI)(R10*2), DX;  \
	LEAL    1(CX)(CX*1), M;        \
	BOUND(DX);                     \
	CHOOSE;                        \
	MOVED(DX);                     \
	ADDL    R8, M;                 \
	MOVW    DX, 0x200(SI)(R10*2);  \
	MOVL    R9, R8;                \
	SHRL    $8, R8;                \
	CMPL    M, R8;                 \
	JNE     differs

// THREE decodes a tree of three bits to R15.
#define THREE \
	MOVL    $1, CX;       \
	MOVWLZX 2(SI), DX;    \
	BIT(CX, R15, DX, R10); \
	BIT(R15, CX, R10, DX); \
	LAST(CX, R15, DX)

// EIGHT decodes a tree of eight bits to CX.
#define EIGHT \
	MOVL    $1, CX;        \
	MOVWLZX 2(SI), DX;     \
	BIT(CX, R15, DX, R10); \
	BIT(R15, CX, R10, DX); \
	BIT(CX, R15, DX, R10); \
	BIT(R15, CX, R10, DX); \
	BIT(CX, R15, DX, R10); \
	BIT(R15, CX, R10, DX); \
	BIT(CX, R15, DX, R10); \
	LAST(R15, CX, R10)

// LENGTH decodes a length to CX. R9 has the lengths, and CX the posState.
#define LENGTH(long, high, done) \
	LEAQ lengths_choice(R9), SI;                       \
	BRANCH(long);                                      \
	SHLL $4, CX;                                       \
	LEAQ (lengths_trees+2*const_lowLength)(R9)(CX*1), SI; \
	THREE;                                             \
	LEAL (2-8)(R15), CX;                               \
	JMP  done;                                         \
long: \
	ONE;                                               \
	LEAQ lengths_choice2(R9), SI;                      \
	BRANCH(high);                                      \
	SHLL $4, CX;                                       \
	LEAQ (lengths_trees+2*const_midLength)(R9)(CX*1), SI; \
	THREE;                                             \
	LEAL (10-8)(R15), CX;                              \
	JMP  done;                                         \
high: \
	ONE;                                               \
	LEAQ (lengths_trees+2*const_highLength)(R9), SI;   \
	EIGHT;                                             \
	ADDL $(18-256), CX;                                \
done:

// AFTER sets the state after a match or a repetition.
#define AFTER(literal, match) \
	MOVL    $literal, R8; \
	CMPL    R14, $7;      \
	MOVL    $match, R14;  \
	CMOVLCS R8, R14

// REVERSE is BIT for a number with its lowest bit first, in R14. Its bits were 1 before.
#define REVERSE(M, N, P, Q, weight) \
	BIT(M, N, P, Q); \
	LEAL (R14)(R8*weight), R14

// SPECIAL is REVERSE, and jumps after the last bit.
#define SPECIAL(M, N, P, Q, weight) \
	REVERSE(M, N, P, Q, weight); \
	CMPL N, limit-48(SP);        \
	JCC  reps

// func symbols(d *lzma2, out, in []byte, r ranger, at int) (rest ranger, end int, ok bool)
TEXT ·symbols(SB), NOSPLIT, $48-105
	MOVQ    d+0(FP), R13
	MOVQ    in_base+32(FP), R11
	MOVQ    in_len+40(FP), AX
	LEAQ    -INMARGIN(R11)(AX*1), AX
	MOVQ    AX, inLast-8(SP)
	ADDQ    r_pos+64(FP), R11
	MOVQ    out_base+8(FP), R12
	MOVQ    out_len+16(FP), AX
	LEAQ    -OUTMARGIN(R12)(AX*1), AX
	MOVQ    AX, outLast-16(SP)
	MOVQ    lzma2_dict(R13), AX
	LEAQ    (R12)(AX*1), CX
	MOVQ    CX, origin-24(SP)
	XORL    DX, DX
	TESTQ   AX, AX
	CMOVQLT DX, AX
	ADDQ    R12, AX
	MOVQ    AX, start-32(SP)
	ADDQ    at+72(FP), R12
	MOVL    r_rng+56(FP), AX
	MOVL    r_code+60(FP), BX
	MOVQ    lzma2_state(R13), R14

symbol:
	CMPQ R12, outLast-16(SP)
	JHI  enough
	CMPQ R11, inLast-8(SP)
	JHI  enough
	MOVL R12, R15
	SUBL origin-24(SP), R15
	MOVL R15, CX
	ANDL lzma2_posMask(R13), CX
	MOVL R14, DX
	SHLL $4, DX
	ADDL CX, DX
	LEAQ (lzma2_probs+probs_isMatch)(R13)(DX*2), SI
	BRANCH(match)

	// A literal.
	SHLL    $8, R15
	MOVBLZX -1(R12), CX
	ADDL    CX, R15
	ANDL    lzma2_litMask(R13), R15
	MOVL    lzma2_lc(R13), CX
	SHLL    CX, R15
	LEAL    (R15)(R15*2), R15
	LEAQ    (lzma2_probs+probs_literal)(R13)(R15*2), SI
	CMPL    R14, $7
	JCC     matched
	XORL    R8, R8
	SUBL    $3, R14
	CMOVLCS R8, R14
	MOVL    $1, CX
	MOVWLZX 2(SI), DX
	BIT(CX, R15, DX, R10)

literal1:
	BIT(R15, CX, R10, DX)

literal2:
	BIT(CX, R15, DX, R10)

literal3:
	BIT(R15, CX, R10, DX)

literal4:
	BIT(CX, R15, DX, R10)

literal5:
	BIT(R15, CX, R10, DX)

literal6:
	BIT(CX, R15, DX, R10)

literal7:
	LAST(R15, CX, R10)

literal8:
	MOVB CX, (R12)
	INCQ R12
	JMP  symbol

matched:
	LEAL    -6(R14), R8
	CMPL    R14, $10
	LEAL    -3(R14), R14
	CMOVLCC R8, R14
	MOVL    lzma2_reps(R13), R9 // it was checked for the match before
	NOTQ    R9
	MOVBLZX (R12)(R9*1), R9
	ORL     $0x100, R9
	MATCHED(R15, differs1)
	MATCHED(CX, differs2)
	MATCHED(R15, differs3)
	MATCHED(CX, differs4)
	MATCHED(R15, differs5)
	MATCHED(CX, differs6)
	MATCHED(R15, differs7)
	MATCHED(CX, literal8)
	JMP     literal8

differs1:
	MOVWLZX (SI)(R15*2), R10
	JMP     literal1

differs2:
	MOVWLZX (SI)(CX*2), DX
	JMP     literal2

differs3:
	MOVWLZX (SI)(R15*2), R10
	JMP     literal3

differs4:
	MOVWLZX (SI)(CX*2), DX
	JMP     literal4

differs5:
	MOVWLZX (SI)(R15*2), R10
	JMP     literal5

differs6:
	MOVWLZX (SI)(CX*2), DX
	JMP     literal6

differs7:
	MOVWLZX (SI)(R15*2), R10
	JMP     literal7

match:
	ONE
	LEAQ (lzma2_probs+probs_isRep)(R13)(R14*2), SI
	BRANCH(repetition)
	MOVL (lzma2_reps+0)(R13), R8
	MOVL (lzma2_reps+4)(R13), R9
	MOVL (lzma2_reps+8)(R13), R10
	MOVL R8, (lzma2_reps+4)(R13)
	MOVL R9, (lzma2_reps+8)(R13)
	MOVL R10, (lzma2_reps+12)(R13)
	AFTER(7, 10)
	MOVQ R14, lzma2_state(R13)
	LEAQ (lzma2_probs+probs_match)(R13), R9
	LENGTH(matchMid, matchHigh, matchLength)

	// The distance.
	MOVL    CX, length-40(SP)
	SUBL    $2, CX
	MOVL    $3, R8
	CMPL    CX, R8
	CMOVLHI R8, CX
	SHLL    $7, CX
	LEAQ    (lzma2_probs+probs_slot)(R13)(CX*1), SI
	MOVL    $1, CX
	MOVWLZX 2(SI), DX
	BIT(CX, R15, DX, R10)
	BIT(R15, CX, R10, DX)
	BIT(CX, R15, DX, R10)
	BIT(R15, CX, R10, DX)
	BIT(CX, R15, DX, R10)
	LAST(R15, R14, R10)
	SUBL    $64, R14
	CMPL    R14, $4
	JCS     reps
	MOVL    R14, CX
	SHRL    $1, CX
	DECL    CX
	MOVL    R14, R15
	ANDL    $1, R14
	ORL     $2, R14
	CMPL    R15, $const_fullDist
	JCC     far
	MOVL    $1, R8
	SHLL    CX, R8
	MOVL    R8, limit-48(SP)
	SHLL    CX, R14
	MOVL    R14, DX
	SUBL    R15, DX
	LEAQ    (lzma2_probs+probs_special)(R13)(DX*2), SI
	LEAL    -1(R14)(R8*1), R14
	MOVL    $1, CX
	MOVWLZX 2(SI), DX
	SPECIAL(CX, R15, DX, R10, 1)
	SPECIAL(R15, CX, R10, DX, 2)
	SPECIAL(CX, R15, DX, R10, 4)
	SPECIAL(R15, CX, R10, DX, 8)
	LAST(CX, R15, DX)
	SHLL    $4, R8
	ADDL    R8, R14
	JMP     reps

far:
	SUBL $const_alignBits, CX

direct:
	NORM
	SHRL $1, AX
	SUBL AX, BX
	MOVL BX, R8
	SARL $31, R8
	MOVL AX, DI
	ANDL R8, DI
	ADDL DI, BX
	LEAL 1(R8)(R14*2), R14
	DECL CX
	JNE  direct
	SHLL $const_alignBits, R14
	ADDL $15, R14
	LEAQ (lzma2_probs+probs_align)(R13), SI
	MOVL $1, CX
	MOVWLZX 2(SI), DX
	REVERSE(CX, R15, DX, R10, 1)
	REVERSE(R15, CX, R10, DX, 2)
	REVERSE(CX, R15, DX, R10, 4)
	LAST(R15, CX, R10)
	LEAL (R14)(R8*8), R14

reps:
	MOVL R14, R9
	MOVL R9, lzma2_reps(R13)
	MOVL length-40(SP), CX
	MOVQ lzma2_state(R13), R14

	// CX bytes at a distance of R9 + 1.
copy:
	MOVQ R12, SI
	SUBQ start-32(SP), SI
	CMPQ R9, SI
	JCC  damaged
	MOVQ R12, SI
	SUBQ R9, SI
	LEAQ (R12)(CX*1), DI
	CMPL R9, $15
	JCS  near
	MOVOU -1(SI), X0
	MOVOU X0, (R12)
	MOVOU 15(SI), X0
	MOVOU X0, 16(R12)
	CMPL CX, $32
	JHI  more
	MOVQ DI, R12
	JMP  symbol

more:
	ADDQ $32, SI
	ADDQ $32, R12

sixteen:
	MOVOU -1(SI), X0
	MOVOU X0, (R12)
	ADDQ $16, SI
	ADDQ $16, R12
	CMPQ R12, DI
	JCS  sixteen
	MOVQ DI, R12
	JMP  symbol

near:
	MOVB -1(SI), CX
	MOVB CX, (R12)
	INCQ SI
	INCQ R12
	CMPQ R12, DI
	JCS  near
	JMP  symbol

repetition:
	ONE
	LEAQ (lzma2_probs+probs_isRepG0)(R13)(R14*2), SI
	BRANCH(repetition1)
	MOVL R14, R8
	SHLL $4, R8
	ADDL CX, R8
	LEAQ (lzma2_probs+probs_isRep0Long)(R13)(R8*2), SI
	BRANCH(long)
	AFTER(9, 11)
	MOVL lzma2_reps(R13), R9
	MOVQ R12, SI
	SUBQ start-32(SP), SI
	CMPQ R9, SI
	JCC  damaged
	NOTQ R9
	MOVB (R12)(R9*1), CX
	MOVB CX, (R12)
	INCQ R12
	JMP  symbol

repetition1:
	ONE
	LEAQ (lzma2_probs+probs_isRepG1)(R13)(R14*2), SI
	BRANCH(repetition2)
	MOVL (lzma2_reps+0)(R13), R8
	MOVL (lzma2_reps+4)(R13), R9
	MOVL R9, (lzma2_reps+0)(R13)
	MOVL R8, (lzma2_reps+4)(R13)
	JMP  repeated

repetition2:
	ONE
	LEAQ (lzma2_probs+probs_isRepG2)(R13)(R14*2), SI
	BRANCH(repetition3)
	MOVL (lzma2_reps+0)(R13), R8
	MOVL (lzma2_reps+4)(R13), R9
	MOVL (lzma2_reps+8)(R13), R10
	MOVL R10, (lzma2_reps+0)(R13)
	MOVL R8, (lzma2_reps+4)(R13)
	MOVL R9, (lzma2_reps+8)(R13)
	JMP  repeated

repetition3:
	ONE
	MOVL (lzma2_reps+0)(R13), R8
	MOVL (lzma2_reps+4)(R13), R9
	MOVL (lzma2_reps+8)(R13), R10
	MOVL (lzma2_reps+12)(R13), DX
	MOVL DX, (lzma2_reps+0)(R13)
	MOVL R8, (lzma2_reps+4)(R13)
	MOVL R9, (lzma2_reps+8)(R13)
	MOVL R10, (lzma2_reps+12)(R13)
	JMP  repeated

long:
	ONE

repeated:
	AFTER(8, 11)
	LEAQ (lzma2_probs+probs_rep)(R13), R9
	LENGTH(repMid, repHigh, repLength)
	MOVL lzma2_reps(R13), R9
	JMP  copy

damaged:
	MOVB $0, ok+104(FP)
	JMP  return

enough:
	MOVB $1, ok+104(FP)

return:
	MOVL AX, rest_rng+80(FP)
	MOVL BX, rest_code+84(FP)
	SUBQ in_base+32(FP), R11
	MOVQ R11, rest_pos+88(FP)
	SUBQ out_base+8(FP), R12
	MOVQ R12, end+96(FP)
	MOVQ R14, lzma2_state(R13)
	RET
