// Package chain is the tools that change something of their process and then
// become the program that the rest of their arguments names.
package chain
