package svdir

import (
	"encoding/binary"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"svinit/services/tai64n"
)

// The record in the file status. Bytes 0 to 17 are daemontools', 18 and 19
// runit's, the rest ours:
//
//	 0        8        12     16       17     18        19      20      21       23      31         35      36
//	| TAI64  | nanos  | pid  | paused | want | gotTERM | state | flags | wait   | ready | restarts | spare |
//	|  big-endian     | LE   |  0/1   | u/d/0|  0/1    | 0/1/2 |       |      big-endian           |   0   |
//
// svstat reads 18 bytes and asks for no more, sv reads 20 and asks for 20,
// and daemontools-encore takes 38 for a second record: so ours has 36.
const (
	// StatusSize is what we write.
	StatusSize = 36
	// statusMin is daemontools' record, the least that can be read.
	statusMin = 18
	runitSize = 20
)

// State is byte 19 of the record: runit's word for what runs.
type State uint8

const (
	StateDown   State = 0
	StateRun    State = 1
	StateFinish State = 2
)

// Want is byte 17 of the record: what the service was last told to be.
type Want uint8

const (
	WantUp   Want = 'u'
	WantDown Want = 'd'
	// WantOnce is a service told to run and not to be restarted. runit
	// writes 'd' for it; we follow daemontools.
	WantOnce Want = 0
)

// The bits of Flags.
const (
	// FlagEnded says that the wait status is that of a process that has ended.
	FlagEnded = 1 << 0
	// FlagStarting says that a process is about to execute the program, which
	// takes long. There is no PID then.
	FlagStarting = 1 << 1
	// FlagFinishing says that PID is that of the executable finish, as State
	// says too; only we write it.
	FlagFinishing = 1 << 2
	// FlagReadiness says that the service tells when it is ready: it is not
	// before Ready is set. Without it, it is ready as soon as it is up.
	FlagReadiness = 1 << 3
	// FlagReleased says that the supervisor has released the service, and that this is
	// its last record.
	FlagReleased = 1 << 4
)

// Status is what supervise/status says of a service.
type Status struct {
	Since   time.Time // of the last change of PID
	PID     int       // 0 when nothing runs
	Paused  bool
	Want    Want
	GotTERM bool  // TERM was sent and the process has not ended yet
	State   State // from the PID where the record is daemontools' own

	Flags      uint8
	WaitStatus uint16    // of the last process that ended, as wait(2) packs it
	Ready      time.Time // whole seconds; zero when not ready
	Restarts   uint32    // starts after the first, since the service was taken up
}

// ErrFormat is a record too short to be one. The text is daemontools'.
var ErrFormat = errors.New("bad format")

// Append appends the StatusSize bytes of the record to b.
func (s Status) Append(b []byte) []byte {
	b = tai64n.Append(b, s.Since)
	b = binary.LittleEndian.AppendUint32(b, uint32(s.PID))
	b = append(b, bit(s.Paused), byte(s.Want), bit(s.GotTERM), byte(s.State), s.Flags)
	b = binary.BigEndian.AppendUint16(b, s.WaitStatus)
	var ready uint64
	if !s.Ready.IsZero() {
		ready = tai64n.Seconds(s.Ready)
	}
	b = binary.BigEndian.AppendUint64(b, ready)
	b = binary.BigEndian.AppendUint32(b, s.Restarts)
	return append(b, 0)
}

// ParseStatus reads a record of daemontools (18 bytes or more), runit (20 or
// more) or svinit (36). Its only error is ErrFormat, when b has less.
func ParseStatus(b []byte) (Status, error) {
	if len(b) < statusMin {
		return Status{}, ErrFormat
	}
	s := Status{
		Since:  tai64n.Parse(b),
		PID:    int(binary.LittleEndian.Uint32(b[12:])),
		Paused: b[16] != 0,
		Want:   Want(b[17]),
	}
	if s.PID != 0 {
		s.State = StateRun
	}
	if len(b) >= runitSize {
		s.GotTERM, s.State = b[18] != 0, State(b[19])
	}
	if len(b) >= StatusSize {
		s.Flags = b[20]
		s.WaitStatus = binary.BigEndian.Uint16(b[21:])
		if r := binary.BigEndian.Uint64(b[23:]); r != 0 {
			s.Ready = tai64n.Unix(r, 0)
		}
		s.Restarts = binary.BigEndian.Uint32(b[31:])
	}
	return s, nil
}

// Age returns for how many seconds the record has held, 0 when it is of the
// future. daemontools compares whole labels without sign and takes their
// difference through a double, which shows only in labels that nobody wrote.
func (s Status) Age(now time.Time) uint64 {
	then, at := tai64n.Seconds(s.Since), tai64n.Seconds(now)
	if at < then {
		return 0
	}
	return uint64(float64(at - then))
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// ReadStatus reads the record of the state directory. Errors: those of
// opening and reading (an *os.PathError), and ErrFormat.
func ReadStatus(state string) (Status, error) {
	var b [StatusSize]byte
	n, err := ReadRecord(state, b[:])
	if err != nil {
		return Status{}, err
	}
	return ParseStatus(b[:n])
}

// ReadRecord reads the bytes of the record into b and returns how many there
// are, or would fit. Errors: those of opening and reading (an *os.PathError).
func ReadRecord(state string, b []byte) (int, error) {
	path := state + "/status"
	dir, _, err := openDir(unix.AT_FDCWD, state, false)
	if err != nil {
		return 0, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(dir)
	// Not through os.File, whose poller would cost svstat a quarter of its
	// system calls; and not waiting, should somebody have made it a FIFO.
	fd, err := openat(dir, "status", unix.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return 0, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, b)
	if err != nil {
		return 0, &os.PathError{Op: "read", Path: path, Err: err}
	}
	return n, nil
}
