#include "textflag.h"

// The address of the handler for the kernel. The func value that Go has for it
// is the address of a wrapper.
GLOBL ·entry(SB), NOPTR, $8
DATA ·entry(SB)/8, $handler<>(SB)

#define SYS_write 64
#define SYS_getpid 172

#define si_code 8
#define si_pid 16
#define uc_sigmask 40

// handler is described in catch.go. The kernel calls it as C does, with the
// signal in R0, siginfo in R1, ucontext in R2 and the return address in R30,
// and restores all registers after it, so that it may use any. When it jumps to
// the Go runtime's handler, these four, the stack and g in R28 are unchanged.
// The assembler itself uses R27.
TEXT handler<>(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	SUBW $1, R0, R9
	MOVD $1, R10
	LSL  R9, R10, R10 // the bit of the signal
	MOVD ·self(SB), R11
	MOVW si_code(R1), R12
	CMPW $0, R12
	BGT  kernel
	BEQ  process // SI_USER
	CMPW $-2, R12 // SI_TIMER
	BEQ  timer
	CMPW $-6, R12 // SI_TKILL
	BNE  ours

process:
	MOVD  ·private(SB), R12
	TST   R10, R12
	BEQ   ours
	MOVWU si_pid(R1), R12
	CMP   R11, R12
	BEQ   runtime
	B     ours

timer:
	CMPW $27, R0 // SIGPROF
	BEQ  runtime
	B    ours

kernel:
	MOVD ·faults(SB), R12
	TST  R10, R12
	BNE  runtime
	MOVD ·background(SB), R12
	TST  R10, R12
	BEQ  ours
	MOVD uc_sigmask(R2), R12
	ORR  R10, R12
	MOVD R12, uc_sigmask(R2)
	RET

runtime:
	MOVD $·previous(SB), R12
	MOVD (R12)(R9<<3), R12
	CMP  $1, R12 // SIG_IGN; SIG_DFL is 0
	BLS  done
	B    (R12)

ours:
	// A system call changes only R0.
	MOVD $SYS_getpid, R8
	SVC
	CMP  R11, R0
	BNE  done // between fork and exec
	MOVD ·pipe(SB), R0
	MOVD $32, R2
	MOVD $SYS_write, R8
	SVC
	CMP  $0, R0
	BGE  done
	MOVD $·missed(SB), R9

again:
	LDAXR (R9), R11
	ORR   R10, R11
	STLXR R11, (R9), R12
	CBNZ  R12, again
	MOVD  ·pipe(SB), R0
	MOVD  $·empty(SB), R1
	SVC

done:
	RET
