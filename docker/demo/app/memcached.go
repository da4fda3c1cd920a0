package main

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// cacheTimeout bounds all communication with the cache for one visit, including connect: the cache may hang
// (svc -p memcached).
const cacheTimeout = 500 * time.Millisecond

const counterKey = "visits"

// visit increments the counter and returns it, with memcached's text protocol (doc/protocol.txt of memcached).
func visit(cache string) (uint64, error) {
	deadline := time.Now().Add(cacheTimeout)
	c, err := (&net.Dialer{Deadline: deadline}).Dial(network(cache), cache)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := c.SetDeadline(deadline); err != nil {
		return 0, err
	}
	in := bufio.NewReader(c)
	request := func(command string) (string, error) {
		if _, err := fmt.Fprint(c, command, "\r\n"); err != nil {
			return "", err
		}
		response, err := in.ReadString('\n')
		return strings.TrimRight(response, "\r\n"), err
	}

	// A new cache has no counter yet: then add creates it. If another visit has created it in the meantime,
	// incr succeeds in the second round.
	for range 2 {
		response, err := request("incr " + counterKey + " 1")
		if err != nil {
			return 0, err
		}
		if response != "NOT_FOUND" {
			return parseNumber(response)
		}
		response, err = request("add " + counterKey + " 0 0 1\r\n1")
		switch {
		case err != nil:
			return 0, err
		case response == "STORED":
			return 1, nil
		case response != "NOT_STORED":
			return parseNumber(response)
		}
	}
	return 0, fmt.Errorf("count a visit in %s: the counter appears and disappears", cache)
}

func parseNumber(response string) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(response), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("count a visit: unexpected response of the cache: %q", response)
	}
	return n, nil
}
