package spec

import (
	"errors"
	"strconv"
)

// maxNotify is the highest descriptor for notifications.
const maxNotify = 255

// parseNotify understands the content of notification-fd.
func parseNotify(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n < 3 || n > maxNotify {
		return 0, errors.New(strconv.Quote(text) + " is not the number of a descriptor from 3 to " + strconv.Itoa(maxNotify))
	}
	return int(n), nil
}
