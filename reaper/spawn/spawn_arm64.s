#include "textflag.h"

// The system calls of linux/arm64 that are made here.
#define SYS_write 64
#define SYS_exit_group 94
#define SYS_rt_sigprocmask 135

// func spawn(b *block) int
//
// R19 is the block. In the child R20 is the current op. Neither parent nor
// child touches the stack between the clone and the end of the child, since
// they share it.
TEXT ·spawn(SB), NOSPLIT, $0-16
	MOVD b+0(FP), R19

	// Block all signals.
	MOVD $2, R0 // SIG_SETMASK
	ADD $48, R19, R1
	ADD $56, R19, R2
	MOVD $8, R3
	MOVD $SYS_rt_sigprocmask, R8
	SVC

	MOVD 8(R19), R0
	MOVD 16(R19), R1
	MOVD 24(R19), R2
	MOVD 32(R19), R3
	MOVD 40(R19), R4
	MOVD 0(R19), R8
	SVC
	CBZ R0, child

	// The parent: restore the mask.
	MOVD R0, R20
	MOVD $2, R0
	ADD $56, R19, R1
	MOVD ZR, R2
	MOVD $8, R3
	MOVD $SYS_rt_sigprocmask, R8
	SVC
	MOVD R20, ret+8(FP)
	RET

child:
	MOVD 64(R19), R20
next:
	MOVD 0(R20), R8
	CMN $1, R8
	BEQ follow
	MOVD 8(R20), R0
	MOVD 16(R20), R1
	MOVD 24(R20), R2
	MOVD 32(R20), R3
	MOVD 40(R20), R4
	MOVD 48(R20), R5
	SVC
	CMN $4095, R0
	BCS failed // R0 is a negative errno
	MOVD 56(R20), R1
	TBZ $2, R1, step
	MOVD R0, 72(R20) // passResult
step:
	ADD $64, R20
	B next
follow:
	MOVD 72(R19), R20
	B next
failed:
	MOVD 56(R20), R1
	TBNZ $0, R1, step // mayFail
	NEG R0, R0
	MOVD R0, 88(R19)
	MOVD R20, 96(R19)
	MOVD 80(R19), R0
	ADD $88, R19, R1
	MOVD $16, R2
	MOVD $SYS_write, R8
	SVC
	MOVD 56(R20), R1
	TBNZ $1, R1, step // reportFail
	MOVD $127, R0
	MOVD $SYS_exit_group, R8
	SVC
	BRK
