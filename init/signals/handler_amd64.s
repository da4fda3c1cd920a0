#include "textflag.h"

// The address of the handler for the kernel. The func value that Go has for it
// is the address of a wrapper.
GLOBL ·entry(SB), NOPTR, $8
DATA ·entry(SB)/8, $handler<>(SB)

#define SYS_write 1
#define SYS_getpid 39

#define si_code 8
#define si_pid 16
#define uc_sigmask 296

// handler is described in catch.go. The kernel calls it as C does, with the
// signal in DI, siginfo in SI and ucontext in DX, and restores all registers
// after it, so that it may use any. When it jumps to the Go runtime's handler,
// these three and the stack are unchanged. It does not use the stack, nor g in
// R14.
TEXT handler<>(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	LEAL -1(DI), CX
	MOVL $1, R8
	SHLQ CX, R8 // the bit of the signal
	MOVL si_code(SI), AX
	CMPL AX, $0
	JGT  kernel
	JEQ  process // SI_USER
	CMPL AX, $-2 // SI_TIMER
	JEQ  timer
	CMPL AX, $-6 // SI_TKILL
	JNE  ours

process:
	TESTQ R8, ·private(SB)
	JZ    ours
	MOVL  si_pid(SI), AX
	CMPQ  AX, ·self(SB)
	JEQ   runtime
	JMP   ours

timer:
	CMPL DI, $27 // SIGPROF
	JEQ  runtime
	JMP  ours

kernel:
	TESTQ R8, ·faults(SB)
	JNZ   runtime
	TESTQ R8, ·background(SB)
	JZ    ours
	ORQ   R8, uc_sigmask(DX)
	RET

runtime:
	LEAQ ·previous(SB), AX
	MOVQ (AX)(CX*8), AX
	CMPQ AX, $1 // SIG_IGN; SIG_DFL is 0
	JLS  done
	JMP  AX

ours:
	// A system call changes AX, CX and R11.
	MOVL $SYS_getpid, AX
	SYSCALL
	CMPQ AX, ·self(SB)
	JNE  done // between fork and exec
	MOVL ·pipe(SB), DI
	MOVL $32, DX
	MOVL $SYS_write, AX
	SYSCALL
	TESTQ AX, AX
	JGE  done
	LOCK
	ORQ  R8, ·missed(SB)
	LEAQ ·empty(SB), SI
	MOVL $SYS_write, AX
	SYSCALL

done:
	RET
