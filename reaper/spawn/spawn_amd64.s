#include "textflag.h"

// The system calls of linux/amd64 that are made here.
#define SYS_write 1
#define SYS_rt_sigprocmask 14
#define SYS_exit_group 231

// func spawn(b *block) int
//
// R12 is the block. In the child R13 is the current op. Neither parent nor
// child touches the stack between the clone and the end of the child, since
// they share it.
TEXT ·spawn(SB), NOSPLIT, $0-16
	MOVQ b+0(FP), R12

	// Block all signals.
	MOVQ $SYS_rt_sigprocmask, AX
	MOVQ $2, DI // SIG_SETMASK
	LEAQ 48(R12), SI
	LEAQ 56(R12), DX
	MOVQ $8, R10
	SYSCALL

	MOVQ 0(R12), AX
	MOVQ 8(R12), DI
	MOVQ 16(R12), SI
	MOVQ 24(R12), DX
	MOVQ 32(R12), R10
	MOVQ 40(R12), R8
	SYSCALL
	TESTQ AX, AX
	JZ child

	// The parent: restore the mask.
	MOVQ AX, R13
	MOVQ $SYS_rt_sigprocmask, AX
	MOVQ $2, DI
	LEAQ 56(R12), SI
	XORQ DX, DX
	MOVQ $8, R10
	SYSCALL
	MOVQ R13, ret+8(FP)
	RET

child:
	MOVQ 64(R12), R13
next:
	MOVQ 0(R13), AX
	CMPQ AX, $-1
	JEQ follow
	MOVQ 8(R13), DI
	MOVQ 16(R13), SI
	MOVQ 24(R13), DX
	MOVQ 32(R13), R10
	MOVQ 40(R13), R8
	MOVQ 48(R13), R9
	SYSCALL
	CMPQ AX, $-4095
	JCC failed // unsigned: AX is a negative errno
	TESTQ $4, 56(R13)
	JZ step
	MOVQ AX, 72(R13) // passResult
step:
	ADDQ $64, R13
	JMP next
follow:
	MOVQ 72(R12), R13
	JMP next
failed:
	TESTQ $1, 56(R13)
	JNZ step // mayFail
	NEGQ AX
	MOVQ AX, 88(R12)
	MOVQ R13, 96(R12)
	MOVQ $SYS_write, AX
	MOVQ 80(R12), DI
	LEAQ 88(R12), SI
	MOVQ $16, DX
	SYSCALL
	TESTQ $2, 56(R13)
	JNZ step // reportFail
	MOVQ $SYS_exit_group, AX
	MOVQ $127, DI
	SYSCALL
	INT $3
