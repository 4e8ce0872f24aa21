package main

import (
	"encoding/binary"
	"errors"
)

var errForm = errors.New("Header")

// reader reads deterministic CBOR: definite lengths, shortest heads. The first failure sticks.
type reader struct {
	in  []byte
	bad bool
}

// head reads the head of one item: its major type and argument.
func (r *reader) head() (major byte, argument uint64) {
	if r.bad || len(r.in) == 0 {
		r.bad = true
		return 0, 0
	}
	first := r.in[0]
	r.in = r.in[1:]
	major, info := first>>5, first&31
	if info < 24 {
		return major, uint64(info)
	}
	size := map[byte]int{24: 1, 25: 2, 26: 4, 27: 8}[info]
	if size == 0 || len(r.in) < size {
		r.bad = true
		return 0, 0
	}
	for _, b := range r.in[:size] {
		argument = argument<<8 | uint64(b)
	}
	r.in = r.in[size:]
	least := map[int]uint64{1: 24, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}[size]
	if argument < least {
		r.bad = true
	}
	return major, argument
}

func (r *reader) expect(major byte) uint64 {
	got, argument := r.head()
	if got != major {
		r.bad = true
	}
	return argument
}

func (r *reader) uint() uint64 { return r.expect(0) }

func (r *reader) list() uint64 {
	n := r.expect(4)
	if n > uint64(len(r.in)) {
		r.bad = true
		return 0
	}
	return n
}

func (r *reader) array(n uint64) {
	if r.list() != n {
		r.bad = true
	}
}

func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.in)) {
		r.bad = true
		return nil
	}
	out := r.in[:n]
	r.in = r.in[n:]
	return out
}

func (r *reader) bytes() []byte { return r.take(r.expect(2)) }
func (r *reader) text() string  { return string(r.take(r.expect(3))) }

func (r *reader) fixed(n int) []byte {
	out := r.bytes()
	if len(out) != n {
		r.bad = true
		return make([]byte, n)
	}
	return out
}

// null reads a null if one is next.
func (r *reader) null() bool {
	if len(r.in) > 0 && r.in[0] == 0xf6 {
		r.in = r.in[1:]
		return true
	}
	return false
}

func (r *reader) done() bool { return !r.bad && len(r.in) == 0 }

// writer writes the same.
type writer struct{ out []byte }

func (w *writer) head(major byte, n uint64) {
	var wide [8]byte
	binary.BigEndian.PutUint64(wide[:], n)
	major <<= 5
	switch {
	case n < 24:
		w.out = append(w.out, major|byte(n))
	case n < 1<<8:
		w.out = append(append(w.out, major|24), wide[7:]...)
	case n < 1<<16:
		w.out = append(append(w.out, major|25), wide[6:]...)
	case n < 1<<32:
		w.out = append(append(w.out, major|26), wide[4:]...)
	default:
		w.out = append(append(w.out, major|27), wide[:]...)
	}
}

func (w *writer) list(n int)     { w.head(4, uint64(n)) }
func (w *writer) uint(n uint64)  { w.head(0, n) }
func (w *writer) bytes(b []byte) { w.head(2, uint64(len(b))); w.out = append(w.out, b...) }
func (w *writer) text(s string)  { w.head(3, uint64(len(s))); w.out = append(w.out, s...) }
func (w *writer) null()          { w.out = append(w.out, 0xf6) }
