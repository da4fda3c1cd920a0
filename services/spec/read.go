package spec

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// MaxFile is the size of the largest setting that is read, in bytes.
const MaxFile = 64 << 10

// ReadFile returns the content of a setting. It does not wait for the writer of
// a FIFO. Errors: those of open(2) and read(2), and what names a file that is
// not a regular file or is too large; all name the file.
func ReadFile(path string) ([]byte, error) { return readUpTo(path, MaxFile) }

// readUpTo is ReadFile with another size of the largest file.
func readUpTo(path string, most int64) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, fmt.Errorf("%s: %w", path, errNotRegular)
	}
	// The size of a file in /proc is 0, and a file may grow while it is read.
	content := make([]byte, 0, min(max(st.Size, 511), most)+1)
	for {
		n, err := unix.Read(fd, content[len(content):cap(content)])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil, &os.PathError{Op: "read", Path: path, Err: err}
		case n <= 0:
			return content, nil
		}
		content = content[:len(content)+n]
		if int64(len(content)) > most {
			return nil, fmt.Errorf("%s: %w", path, tooLarge(most))
		}
		if len(content) == cap(content) {
			content = append(content, 0)[:len(content)]
		}
	}
}

var (
	errNotRegular = errors.New("not a regular file")
	errTooLarge   = errors.New("larger than 64 KiB") // MaxFile; package fmt here would take 25 µs of every start
)

func tooLarge(most int64) error {
	if most == MaxFile {
		return errTooLarge
	}
	return fmt.Errorf("larger than %d MiB", most>>20)
}
