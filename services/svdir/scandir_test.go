package svdir

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

func TestClaimScanDir(t *testing.T) {
	root := t.TempDir()
	dir := root + "/service" // it does not exist yet
	if pid := ScanDirSupervisor(dir); pid != 0 {
		t.Errorf("supervised by %d", pid)
	}
	socket, err := ClaimScanDir(dir)
	if err != nil || socket < 0 {
		t.Fatal(socket, err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("service", root+"/link"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, dir + "/", root + "/./link/.", root + "/link"} {
		if pid := ScanDirSupervisor(name); pid != os.Getpid() {
			t.Errorf("%s is supervised by %d", name, pid)
		}
		_, err := ClaimScanDir(name)
		var supervised *SupervisedError
		if !errors.As(err, &supervised) || supervised.PID != os.Getpid() || supervised.Dir != name {
			t.Errorf("claim %s again: %v", name, err)
		}
	}
	// More tools than can wait: each is answered all the same.
	for range 300 {
		AcceptClients(socket)
		if pid := ScanDirSupervisor(dir); pid != os.Getpid() {
			t.Fatalf("supervised by %d", pid)
		}
	}
	if pid := ScanDirSupervisor(root); pid != 0 {
		t.Errorf("another directory is supervised by %d", pid)
	}
	syscall.Close(socket)
	if pid := ScanDirSupervisor(dir); pid != 0 {
		t.Errorf("afterwards supervised by %d", pid)
	}
	// A name that another program has bound, but does not listen at, is no supervisor.
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: socketName(dir)}); err != nil {
		t.Fatal(err)
	}
	if socket, err := ClaimScanDir(dir); socket != -1 || err != nil {
		t.Errorf("with the name taken: %d, %v", socket, err)
	}
}
