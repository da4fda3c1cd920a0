package compat

import (
	"fmt"
	"io"
	"os"
	gosignal "os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// actAsListener is the environment variable that makes the test binary a program that
// prints its name and each signal that it gets, and exits 9 at the end of its input.
const actAsListener = "COMPAT_TEST_LISTENER"

func init() {
	if os.Getenv(actAsListener) == "" {
		return
	}
	received := make(chan os.Signal, 64)
	gosignal.Notify(received)
	report := func(sig os.Signal) {
		if sig != syscall.SIGURG && sig != fence { // the runtime's, and awaitHandlers'
			fmt.Println(os.Args[1], "got", int(sig.(syscall.Signal)))
		}
	}
	end := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		awaitHandlers()
		close(end)
	}()
	fmt.Println(os.Args[1], "ready")
	for {
		select {
		case sig := <-received:
			report(sig)
		case <-end:
			// Package os/signal hands out signals in the order of their numbers,
			// so two fences follow all that have been handled.
			for range 2 {
				syscall.Kill(os.Getpid(), fence)
				for sig := <-received; sig != fence; sig = <-received {
					report(sig)
				}
			}
			os.Exit(9)
		}
	}
}

// fence is a signal that no test sends.
const fence = syscall.Signal(63)

// awaitHandlers waits until every thread has returned from its signal handler.
// On a busy machine a thread can take a signal and be preempted at once, so that
// signals which arrived later, and the end of the input, overtake it. A thread
// takes SIGURG only after the handlers that it is in.
func awaitHandlers() {
	threads, _ := filepath.Glob("/proc/self/task/*")
	for _, thread := range threads {
		tid, _ := strconv.Atoi(filepath.Base(thread))
		unix.Tgkill(os.Getpid(), tid, syscall.SIGURG)
	}
	for _, thread := range threads {
		for urgPending(thread) {
			runtime.Gosched()
		}
	}
}

// urgPending reports whether SIGURG is pending for a thread, by SigPnd in its
// status (proc_pid_status(5)).
func urgPending(thread string) bool {
	status, _ := os.ReadFile(thread + "/status")
	_, text, _ := strings.Cut(string(status), "SigPnd:")
	text, _, _ = strings.Cut(text, "\n")
	pending, _ := strconv.ParseUint(strings.TrimSpace(text), 16, 64)
	return pending&(1<<(syscall.SIGURG-1)) != 0
}
