#include "textflag.h"

// The system calls of linux/amd64 that are made here.
#define SYS_close 3
#define SYS_rt_sigaction 13
#define SYS_rt_sigprocmask 14
#define SYS_rt_sigreturn 15
#define SYS_getpid 39
#define SYS_fcntl 72
#define SYS_prlimit64 302

// caught is the kernel's struct sigaction: note, with the flags SA_SIGINFO,
// SA_RESTORER, SA_ONSTACK and SA_RESTART, and all signals blocked meanwhile.
GLOBL caught<>(SB), NOPTR, $32
DATA caught<>+0(SB)/8, $note<>(SB)
DATA caught<>+8(SB)/8, $0x1c000004
DATA caught<>+16(SB)/8, $restore<>(SB)
DATA caught<>+24(SB)/8, $-1

// func entry()
//
// The kernel jumps to it with the arguments of the program at SP, which stays
// as it is. A system call changes AX, CX and R11. There is no g and no TLS.
TEXT ·entry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	// The signal mask.
	MOVL $SYS_rt_sigprocmask, AX
	MOVL $2, DI // SIG_SETMASK
	XORL SI, SI
	LEAQ ·mask(SB), DX
	MOVL $8, R10
	SYSCALL

	// In PID 1, which signals get a handler: the set in R14.
	MOVL $SYS_getpid, AX
	SYSCALL
	XORL R14, R14
	CMPL AX, $1
	JNE  signals
	MOVQ ·early(SB), R14
	MOVQ R14, ·kept(SB)
	MOVQ $keep<>(SB), AX
	MOVQ AX, _cgo_sigaction(SB)

	// The ignored signals, from 64 down to 1: the set in R13.
signals:
	MOVL $64, R12
	XORL R13, R13
signal:
	XORL SI, SI
	LEAL -1(R12), CX
	BTQ  CX, R14
	JCC  ask
	LEAQ caught<>(SB), SI
ask:
	MOVL $SYS_rt_sigaction, AX
	MOVL R12, DI
	LEAQ ·action(SB), DX
	MOVL $8, R10
	SYSCALL
	SHLQ $1, R13
	CMPQ ·action(SB), $1 // SIG_IGN
	JNE  other
	ORQ  $1, R13
other:
	DECL R12
	JNZ  signal
	MOVQ R13, ·ignored(SB)

	// The limit of open files.
	MOVL $SYS_prlimit64, AX
	XORL DI, DI
	MOVL $7, SI // RLIMIT_NOFILE
	XORL DX, DX
	LEAQ ·limit(SB), R10
	SYSCALL

	// A descriptor of 1,023, or as high as may be, makes the table grow. The
	// first of the standard streams that is open is duplicated.
	MOVQ ·limit(SB), R12
	MOVL $1024, AX
	CMPQ R12, AX
	CMOVQHI AX, R12
	DECQ R12
	XORL R13, R13
stream:
	MOVL $SYS_fcntl, AX
	MOVL R13, DI
	MOVL $1030, SI // F_DUPFD_CLOEXEC
	MOVQ R12, DX
	SYSCALL
	TESTQ AX, AX
	JGE  grown
	INCL R13
	CMPL R13, $3
	JNE  stream
	JMP  runtime
grown:
	MOVL AX, DI
	MOVL $SYS_close, AX
	SYSCALL

runtime:
	MOVQ $1, ·entered(SB)
	JMP  _rt0_amd64_linux(SB)

// note is the handler of a signal in DI. The kernel has saved all registers.
TEXT note<>(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	LEAL -1(DI), CX
	MOVL $1, AX
	SHLQ CX, AX
	LOCK
	ORQ  AX, ·noted(SB)
	RET

// restore is where note returns to.
TEXT restore<>(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	MOVL $SYS_rt_sigreturn, AX
	SYSCALL
	INT  $3

// keep is rt_sigaction(2) for the Go runtime, which calls it as C does, with the
// signal in DI and its new action in SI. It leaves the action of a kept signal as
// it is. For all others it returns EINVAL, and the runtime makes the system call.
TEXT keep<>(SB), NOSPLIT|NOFRAME, $0
	TESTQ SI, SI
	JZ    system
	MOVQ  ·kept(SB), AX
	LEAL  -1(DI), CX
	BTQ   CX, AX
	JCC   system
	XORL  AX, AX
	RET
system:
	MOVL $22, AX // EINVAL
	RET

// func stopKeeping()
TEXT ·stopKeeping(SB), NOSPLIT, $0-0
	MOVQ $0, _cgo_sigaction(SB)
	RET

// func takeNoted() uint64
TEXT ·takeNoted(SB), NOSPLIT, $0-8
	XORL  AX, AX
	XCHGQ AX, ·noted(SB)
	MOVQ  AX, ret+0(FP)
	RET

// func readLimit(limit *[2]uint64)
TEXT ·readLimit(SB), NOSPLIT, $0-8
	MOVL $SYS_prlimit64, AX
	XORL DI, DI
	MOVL $7, SI // RLIMIT_NOFILE
	XORL DX, DX
	MOVQ limit+0(FP), R10
	SYSCALL
	RET
