package machine

import "time"

const (
	// MinLife is daemontools' rule: never two starts within one second. A
	// service that has lived as long is restarted at once.
	MinLife = time.Second
	// MaxRetry is the longest pause before what could not be started is tried
	// again. The pauses are 1 s, then twice as long each time. A change of the
	// service directory ends a pause.
	MaxRetry = 30 * time.Second
)

// RetryDelay returns the pause after a failure, when so many failures in a row
// came before it.
func RetryDelay(failures uint) time.Duration {
	return min(MinLife<<min(failures, 16), MaxRetry)
}
