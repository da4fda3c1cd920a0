package main

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// cacheTime is all the time that one visit gives to the cache, connecting included: a cache that hangs
// (svc -p memcached) is as good as none.
const cacheTime = 500 * time.Millisecond

const counterKey = "visits"

// visit adds one to the counter and returns it, by memcached's text protocol (doc/protocol.txt of memcached).
func visit(cache string) (uint64, error) {
	deadline := time.Now().Add(cacheTime)
	c, err := (&net.Dialer{Deadline: deadline}).Dial(network(cache), cache)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := c.SetDeadline(deadline); err != nil {
		return 0, err
	}
	in := bufio.NewReader(c)
	ask := func(command string) (string, error) {
		if _, err := fmt.Fprint(c, command, "\r\n"); err != nil {
			return "", err
		}
		answer, err := in.ReadString('\n')
		return strings.TrimRight(answer, "\r\n"), err
	}

	// A new cache has no counter yet: then add makes it, unless another visit was first, which incr counts on.
	for range 2 {
		answer, err := ask("incr " + counterKey + " 1")
		if err != nil {
			return 0, err
		}
		if answer != "NOT_FOUND" {
			return number(answer)
		}
		answer, err = ask("add " + counterKey + " 0 0 1\r\n1")
		switch {
		case err != nil:
			return 0, err
		case answer == "STORED":
			return 1, nil
		case answer != "NOT_STORED":
			return number(answer)
		}
	}
	return 0, fmt.Errorf("count a visit in %s: the counter comes and goes", cache)
}

func number(answer string) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(answer), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("count a visit: the cache answered %q", answer)
	}
	return n, nil
}
