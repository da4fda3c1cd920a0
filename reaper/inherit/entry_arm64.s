#include "textflag.h"

// The system calls of linux/arm64 that are made here.
#define SYS_fcntl 25
#define SYS_close 57
#define SYS_rt_sigaction 134
#define SYS_rt_sigprocmask 135
#define SYS_prlimit64 261

// func entry()
//
// The kernel jumps to it with the arguments of the program at RSP, which stays
// as it is. A system call changes only R0. There is no g and no TLS. The
// assembler itself uses R27.
TEXT ·entry(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	// The signal mask.
	MOVD $SYS_rt_sigprocmask, R8
	MOVD $2, R0 // SIG_SETMASK
	MOVD ZR, R1
	MOVD $·mask(SB), R2
	MOVD $8, R3
	SVC

	// The ignored signals, from 64 down to 1: the set in R10. Unlike on amd64, PID 1
	// catches none of them here: that could not be tested.
	MOVD $64, R9
	MOVD ZR, R10
signal:
	MOVD ZR, R1
	MOVD $SYS_rt_sigaction, R8
	MOVD R9, R0
	MOVD $·action(SB), R2
	MOVD $8, R3
	SVC
	LSL  $1, R10
	MOVD ·action(SB), R12
	CMP  $1, R12 // SIG_IGN
	BNE  other
	ORR  $1, R10
other:
	SUBS $1, R9, R9
	BNE  signal
	MOVD R10, ·ignored(SB)

	// The limit of open files.
	MOVD $SYS_prlimit64, R8
	MOVD ZR, R0
	MOVD $7, R1 // RLIMIT_NOFILE
	MOVD ZR, R2
	MOVD $·limit(SB), R3
	SVC

	// A descriptor of 1,023, or as high as may be, makes the table grow. The
	// first of the standard streams that is open is duplicated.
	MOVD ·limit(SB), R9
	MOVD $1024, R10
	CMP  R10, R9
	CSEL HI, R10, R9, R9
	SUB  $1, R9
	MOVD ZR, R10
stream:
	MOVD $SYS_fcntl, R8
	MOVD R10, R0
	MOVD $1030, R1 // F_DUPFD_CLOEXEC
	MOVD R9, R2
	SVC
	CMP  $0, R0
	BGE  grown
	ADD  $1, R10
	CMP  $3, R10
	BNE  stream
	B    runtime
grown:
	MOVD $SYS_close, R8
	SVC

runtime:
	MOVD $1, R9
	MOVD R9, ·entered(SB)
	B    _rt0_arm64_linux(SB)

// func stopKeeping()
TEXT ·stopKeeping(SB), NOSPLIT, $0-0
	RET

// func takeNoted() uint64
TEXT ·takeNoted(SB), NOSPLIT, $0-8
	MOVD  ZR, ret+0(FP)
	RET

// func readLimit(limit *[2]uint64)
TEXT ·readLimit(SB), NOSPLIT, $0-8
	MOVD $SYS_prlimit64, R8
	MOVD ZR, R0
	MOVD $7, R1 // RLIMIT_NOFILE
	MOVD ZR, R2
	MOVD limit+0(FP), R3
	SVC
	RET
