package main

import "sort"

// samples of one quantity, in its unit.
type samples []float64

// quantile returns a sample; it does not interpolate.
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

// results are the samples of several contenders, or the reason why a contender
// has none. A contender that failed once is not measured again, since each
// failure can take the whole timeout.
type results struct {
	samples  map[string]samples
	failures map[string]string
	peers    map[string]bool
	exact    bool // the samples have no noise
}

func newResults() *results {
	return &results{samples: map[string]samples{}, failures: map[string]string{}, peers: map[string]bool{}}
}

func (r *results) add(contender string, peer bool, v float64) {
	r.samples[contender] = append(r.samples[contender], v)
	r.peers[contender] = peer
}

func (r *results) fail(contender string, reason string) { r.failures[contender] = reason }

func (r *results) failed(contender string) bool { return r.failures[contender] != "" }

// median of a contender; false if it has no samples or failed.
func (r *results) median(contender string) (float64, bool) {
	s := r.samples[contender]
	return s.median(), len(s) > 0 && !r.failed(contender)
}

// best is the peer with the smallest median, or with the largest.
func (r *results) best(largest bool) (contender string, v float64) {
	for name, peer := range r.peers {
		m, ok := r.median(name)
		if !ok || !peer {
			continue
		}
		if contender == "" || (m < v) != largest && m != v {
			contender, v = name, m
		}
	}
	return contender, v
}

// minSamples is the number of samples from which quartiles say something.
const minSamples = 5

// apart reports whether the samples of two contenders differ by more than their
// noise: the ranges between their quartiles have nothing in common.
func (r *results) apart(one, other string) bool {
	a, b := r.samples[one], r.samples[other]
	if r.exact {
		return true
	}
	if len(a) < minSamples || len(b) < minSamples {
		return false
	}
	return a.quantile(0.25) > b.quantile(0.75) || b.quantile(0.25) > a.quantile(0.75)
}
