package main

import (
	wire "encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// A fuseServer shows a directory as a read-only file system of FUSE, whose
// changes the kernel does not see, and which can stop answering. It speaks just
// enough of the protocol (linux/fuse.h) for programs to be listed, read and
// executed. While it hangs it reads no request: the kernel lets a process that
// waits for one be killed until the request has been read.
type fuseServer struct {
	dev     int
	backing string
	end     [2]int // a pipe; closed to end serve

	mu    sync.Mutex
	cond  *sync.Cond
	hangs bool
	ended bool
	nodes map[uint64]string // paths by node ID, relative to backing
	ids   map[string]uint64
}

const (
	fuseLookup, fuseForget, fuseGetattr, fuseReadlink          = 1, 2, 3, 5
	fuseOpen, fuseRead, fuseStatfs, fuseRelease, fuseFlush     = 14, 15, 17, 18, 25
	fuseInit, fuseOpendir, fuseReaddir, fuseReleasedir         = 26, 27, 28, 29
	fuseAccess, fuseInterrupt, fuseBatchForget, fuseInHeader   = 34, 36, 42, 40
	fuseMkdir, fuseMknod, fuseSymlink, fuseCreate, fuseSetattr = 9, 8, 6, 35, 4
)

func hasFUSE() bool {
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return os.Geteuid() == 0
}

// mountFUSE shows backing at dir until the end of the test.
func mountFUSE(dir, backing string) (*fuseServer, error) {
	dev, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	s := &fuseServer{dev: dev, backing: backing, nodes: map[uint64]string{1: "."}, ids: map[string]uint64{".": 1}}
	s.cond = sync.NewCond(&s.mu)
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", dev)
	if err := errors.Join(
		unix.Pipe2(s.end[:], unix.O_CLOEXEC),
		unix.Mount("test", dir, "fuse", unix.MS_NOSUID|unix.MS_NODEV, options)); err != nil {
		return nil, err
	}
	go s.serve()
	return s, nil
}

// hang makes the server stop answering, or go on.
func (s *fuseServer) hang(yes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hangs = yes
	s.cond.Broadcast()
}

// close ends the server. Whatever waits for it gets an error.
func (s *fuseServer) close(dir string) {
	unix.Unmount(dir, unix.MNT_DETACH)
	s.mu.Lock()
	s.ended = true
	s.cond.Broadcast()
	s.mu.Unlock()
	unix.Close(s.end[1])
}

func (s *fuseServer) serve() {
	defer unix.Close(s.dev)
	defer unix.Close(s.end[0])
	b := make([]byte, 256<<10)
	for {
		fds := []unix.PollFd{{Fd: int32(s.dev), Events: unix.POLLIN}, {Fd: int32(s.end[0]), Events: unix.POLLIN}}
		unix.Poll(fds, -1)
		s.mu.Lock()
		for s.hangs && !s.ended {
			s.cond.Wait()
		}
		ended := s.ended
		n, err := 0, error(nil)
		if !ended {
			n, err = unix.Read(s.dev, b)
		}
		s.mu.Unlock()
		if ended || err == unix.ENODEV {
			return
		}
		if err == nil && n >= fuseInHeader {
			s.answer(b[:n])
		}
	}
}

// answer answers one request.
func (s *fuseServer) answer(req []byte) {
	e := wire.NativeEndian
	opcode, unique, node, body := e.Uint32(req[4:]), e.Uint64(req[8:]), e.Uint64(req[16:]), req[fuseInHeader:]
	if opcode == fuseForget || opcode == fuseBatchForget || opcode == fuseInterrupt {
		return
	}
	reply, err := s.reply(opcode, node, body)
	out := e.AppendUint32(nil, uint32(16+len(reply)))
	var errno syscall.Errno
	errors.As(err, &errno)
	out = e.AppendUint32(out, uint32(-int32(errno)))
	out = e.AppendUint64(out, unique)
	unix.Write(s.dev, append(out, reply...))
}

func (s *fuseServer) reply(opcode uint32, node uint64, body []byte) ([]byte, error) {
	e := wire.NativeEndian
	path := filepath.Join(s.backing, s.nodes[node])
	switch opcode {
	case fuseInit:
		out := make([]byte, 64)
		for i, v := range []uint32{7, 31, 0, 0, 16 | 12<<16, 128 << 10, 1} {
			e.PutUint32(out[4*i:], v)
		}
		return out, nil
	case fuseLookup:
		name := filepath.Join(s.nodes[node], string(body[:len(body)-1]))
		attr, err := s.attr(name)
		if err != nil {
			return nil, err
		}
		out := e.AppendUint64(nil, s.id(name))
		return append(append(out, make([]byte, 32)...), attr...), nil
	case fuseGetattr:
		attr, err := s.attr(s.nodes[node])
		return append(make([]byte, 16), attr...), err
	case fuseReadlink:
		target, err := os.Readlink(path)
		return []byte(target), err
	case fuseOpen, fuseOpendir:
		return make([]byte, 16), nil
	case fuseRead:
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		out := make([]byte, e.Uint32(body[16:]))
		n, _ := f.ReadAt(out, int64(e.Uint64(body[8:])))
		return out[:n], nil
	case fuseReaddir:
		return s.readdir(path, e.Uint64(body[8:]))
	case fuseStatfs:
		return make([]byte, 80), nil
	case fuseRelease, fuseReleasedir, fuseFlush, fuseAccess:
		return nil, nil
	case fuseMkdir, fuseMknod, fuseSymlink, fuseCreate, fuseSetattr:
		return nil, syscall.EROFS
	}
	return nil, syscall.ENOSYS
}

func (s *fuseServer) id(name string) uint64 {
	if s.ids[name] == 0 {
		id := uint64(len(s.ids) + 1)
		s.ids[name], s.nodes[id] = id, name
	}
	return s.ids[name]
}

// attr returns a struct fuse_attr.
func (s *fuseServer) attr(name string) (out []byte, err error) {
	var st unix.Stat_t
	if err := unix.Lstat(filepath.Join(s.backing, name), &st); err != nil {
		return nil, err
	}
	e := wire.NativeEndian
	for _, v := range []int64{int64(st.Ino), st.Size, st.Blocks, st.Atim.Sec, st.Mtim.Sec, st.Ctim.Sec} {
		out = e.AppendUint64(out, uint64(v))
	}
	for _, v := range []uint32{uint32(st.Atim.Nsec), uint32(st.Mtim.Nsec), uint32(st.Ctim.Nsec), st.Mode, uint32(st.Nlink), st.Uid, st.Gid, 0, 4096, 0} {
		out = e.AppendUint32(out, v)
	}
	return out, nil
}

// readdir returns the entries of a directory, all at once.
func (s *fuseServer) readdir(path string, offset uint64) (out []byte, err error) {
	if offset > 0 {
		return nil, nil
	}
	all, err := os.ReadDir(path)
	e := wire.NativeEndian
	for i, f := range all {
		out = e.AppendUint64(out, uint64(i+2))
		out = e.AppendUint64(out, uint64(i+1))
		out = e.AppendUint32(out, uint32(len(f.Name())))
		out = e.AppendUint32(out, 0)
		out = append(out, f.Name()...)
		out = append(out, make([]byte, (8-len(f.Name())%8)%8)...)
	}
	return out, err
}

// showFUSE is the command fuse.
func showFUSE(ts *testscript.TestScript, neg bool, args []string) {
	dir := ts.MkAbs(args[0])
	s, err := mountFUSE(dir, ts.MkAbs(args[1]))
	ts.Check(err)
	instanceOf(ts).fuse[args[0]] = s
	ts.Defer(func() { s.close(dir) })
}

// hangFUSE is the command hang.
func hangFUSE(ts *testscript.TestScript, neg bool, args []string) {
	instanceOf(ts).fuse[args[0]].hang(!neg)
}

// The server shows what is in its directory, and goes on after it has hung.
func TestFUSE(t *testing.T) {
	if !hasFUSE() {
		t.Skip("no /dev/fuse, or no root")
	}
	dir, backing := t.TempDir(), t.TempDir()
	s, err := mountFUSE(dir, backing)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { s.close(dir) })
	want := make([]byte, 100<<10)
	want[99<<10] = 'x'
	if err := os.WriteFile(backing+"/file", want, 0o755); err != nil {
		t.Fatal(err)
	}
	s.hang(true)
	read := make(chan []byte)
	go func() {
		got, _ := os.ReadFile(dir + "/file")
		read <- got
	}()
	select {
	case <-read:
		t.Fatal("it answers while it hangs")
	default:
	}
	s.hang(false)
	if got := <-read; string(got) != string(want) {
		t.Errorf("read %d bytes", len(got))
	}
}
