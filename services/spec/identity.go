package spec

// Identity tells services apart: the same directory under a new name is the
// same service. An inode number is used again at once where a directory is
// removed and another one is made, hence the time of birth.
type Identity struct {
	Dev, Ino uint64
	Born     uint64 // in nanoseconds since 1970, 0 where the file system does not tell
	Key      string // Source.Key
}
