// Package filter is the tools that stand in a pipe: what comes in on standard
// input is stamped, sorted, kept or shown.
package filter
