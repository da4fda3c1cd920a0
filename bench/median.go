package main

import "sort"

// samples of one thing, in its unit.
type samples []float64

// quantile interpolates nothing: it is a sample that was seen.
func (s samples) quantile(q float64) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := append(samples(nil), s...)
	sort.Float64s(sorted)
	return sorted[int(q*float64(len(sorted)-1)+0.5)]
}

// median is the middle sample, or the mean of the middle two.
func (s samples) median() float64 {
	if len(s)%2 == 1 || len(s) == 0 {
		return s.quantile(0.5)
	}
	sorted := append(samples(nil), s...)
	sort.Float64s(sorted)
	return (sorted[len(s)/2-1] + sorted[len(s)/2]) / 2
}

// A tally collects the samples of several contenders, and why one gave up:
// who failed once is not asked again, since a hang costs its whole timeout.
type tally struct {
	samples map[string]samples
	trouble map[string]string
	peers   map[string]bool
}

func newTally() *tally {
	return &tally{map[string]samples{}, map[string]string{}, map[string]bool{}}
}

func (t *tally) add(who string, peer bool, v float64) {
	t.samples[who] = append(t.samples[who], v)
	t.peers[who] = peer
}

func (t *tally) fail(who string, why string) { t.trouble[who] = why }

func (t *tally) failed(who string) bool { return t.trouble[who] != "" }

// median of a contender, if it has one.
func (t *tally) median(who string) (float64, bool) {
	s := t.samples[who]
	return s.median(), len(s) > 0 && !t.failed(who)
}

// best is the peer with the smallest median, or the largest.
func (t *tally) best(largest bool) (who string, v float64) {
	for name, peer := range t.peers {
		m, ok := t.median(name)
		if !ok || !peer {
			continue
		}
		if who == "" || (m < v) != largest && m != v {
			who, v = name, m
		}
	}
	return who, v
}
