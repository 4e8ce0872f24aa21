package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"sort"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/curve25519"
	"golang.org/x/crypto/hkdf"
	"golang.org/x/crypto/sha3"
)

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func derive(salt, ikm []byte, info []byte) []byte {
	out := make([]byte, 64)
	if _, err := io.ReadFull(hkdf.New(sha256.New, ikm, salt, info), out); err != nil {
		panic(err)
	}
	return out
}

func seal(key, nonce, aad, plain []byte) []byte {
	cipher, err := chacha20poly1305.NewX(key)
	if err != nil {
		panic(err)
	}
	return cipher.Seal(nil, nonce, plain, aad)
}

func open(key, nonce, aad, sealed []byte) ([]byte, error) {
	cipher, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	return cipher.Open(nil, nonce, sealed, aad)
}

// padme is the function of the paper (PETS 2019), in its own words.
func padme(length uint64) uint64 {
	if length < 2 {
		return length
	}
	e := uint64(bits.Len64(length) - 1)
	s := uint64(bits.Len64(e))
	mask := uint64(1)<<(e-s) - 1
	return (length + mask) &^ mask
}

func padded(profile string, length uint64) uint64 {
	switch least := length + 8; profile {
	case "none":
		return least
	case "padme-1k":
		if least < 1024 {
			return 1024
		}
		return padme(least)
	case "bucket":
		for _, size := range []uint64{4096, 16384} {
			if least <= size {
				return size
			}
		}
		return (least + 65535) / 65536 * 65536
	default:
		return padme(least)
	}
}

func pad(message []byte, total uint64) []byte {
	out := make([]byte, total)
	binary.BigEndian.PutUint64(out, uint64(len(message)))
	copy(out[8:], message)
	return out
}

func unpad(in []byte) ([]byte, bool) {
	if len(in) < 8 {
		return nil, false
	}
	n := binary.BigEndian.Uint64(in)
	if n > uint64(len(in)-8) {
		return nil, false
	}
	for _, b := range in[8+n:] {
		if b != 0 {
			return nil, false
		}
	}
	return in[8 : 8+n], true
}

// pair gives the keys from own to peer and back.
func pair(network, private, own, peer []byte) (out, in []byte, err error) {
	shared, err := curve25519.X25519(private, peer)
	if err != nil || bytes.Equal(own, peer) {
		return nil, nil, errors.New("EpochKey")
	}
	lower, higher := own, peer
	if bytes.Compare(own, peer) > 0 {
		lower, higher = peer, own
	}
	both := derive(network, shared, cat([]byte("celosia-1 pair"), lower, higher))
	if bytes.Equal(own, lower) {
		return both[:32], both[32:], nil
	}
	return both[32:], both[:32], nil
}

func boxAAD(from, to []byte, day uint32, id []byte) []byte {
	var d [4]byte
	binary.BigEndian.PutUint32(d[:], day)
	return cat([]byte("celosia-1 box"), from, to, d[:], id)
}

func statement(purpose string, network, message []byte) []byte {
	return cat([]byte(purpose), []byte{0}, network, message)
}

func node(left, right []byte) []byte {
	h := sha256.Sum256(cat([]byte{1}, left, right))
	return h[:]
}

func leaf(salt, address []byte) []byte {
	h := sha256.Sum256(cat([]byte{0}, salt, address))
	return h[:]
}

type opening struct {
	address, salt []byte
	index         uint32
	path          [][]byte
}

func (o opening) proves(root []byte) bool {
	if len(o.path) > 16 || o.index>>len(o.path) != 0 {
		return false
	}
	hash, at := leaf(o.salt, o.address), o.index
	for _, sibling := range o.path {
		if at&1 == 0 {
			hash = node(hash, sibling)
		} else {
			hash = node(sibling, hash)
		}
		at >>= 1
	}
	return bytes.Equal(hash, root)
}

// audience makes the tree over random salts, and the openings in the order of the addresses.
func audience(addresses [][]byte, random func(int) []byte) (root []byte, openings []opening) {
	width := 8
	for width < len(addresses) {
		width *= 2
	}
	var leaves [][]byte
	for _, address := range addresses {
		salt := random(16)
		openings = append(openings, opening{address: address, salt: salt})
		leaves = append(leaves, leaf(salt, address))
	}
	for len(leaves) < width {
		leaves = append(leaves, random(32))
	}
	sort.Slice(leaves, func(i, j int) bool { return bytes.Compare(leaves[i], leaves[j]) < 0 })
	for i := range openings {
		o, level := &openings[i], leaves
		own := leaf(o.salt, o.address)
		at := sort.Search(len(leaves), func(i int) bool { return bytes.Compare(leaves[i], own) >= 0 })
		o.index = uint32(at)
		for ; len(level) > 1; at /= 2 {
			o.path = append(o.path, level[at^1])
			level = above(level)
		}
	}
	for len(leaves) > 1 {
		leaves = above(leaves)
	}
	return leaves[0], openings
}

func above(level [][]byte) (out [][]byte) {
	for i := 0; i < len(level); i += 2 {
		out = append(out, node(level[i], level[i+1]))
	}
	return out
}

// header is what is checked of a header; the rest is read over, shape by shape.
type header struct {
	network, sender, id, audience []byte
	suite, policy, time           uint64
	day                           uint64
	class, flag                   uint64
	escrow, sigma                 []byte
	member                        string
	recipients                    [][]byte
}

func parseHeader(in []byte) (header, error) {
	r, h := &reader{in: in}, header{}
	r.array(13)
	h.network, h.suite, h.policy, h.day, h.class, h.time = r.fixed(32), r.uint(), r.uint(), r.uint(), r.uint(), r.uint()
	h.sender, h.member, h.id = r.fixed(32), r.text(), r.fixed(64)
	r.array(5)
	h.flag = r.uint()
	for i := r.list(); i > 0; i-- {
		r.array(2)
		r.fixed(64)
		r.fixed(64)
	}
	exec := r.bytes()
	mandatory := r.list()
	for i := mandatory; i > 0; i-- {
		r.fixed(32)
	}
	if !r.null() {
		r.bytes()
	}
	named := !r.null()
	if named {
		for i := r.list(); i > 0 && !r.bad; i-- {
			h.recipients = append(h.recipients, r.fixed(32))
		}
	}
	h.audience = r.fixed(32)
	if !r.null() {
		h.escrow = r.bytes()
		if len(h.escrow) > 1024 {
			r.bad = true
		}
	}
	rules := named == (h.flag == 3) && (len(exec) > 0) == (h.flag == 3) && (mandatory > 0) == (h.flag == 2)
	if !r.done() || !rules || h.class > 3 || h.flag > 3 || h.suite > 255 {
		return h, errForm
	}
	return h, nil
}

type delivery struct {
	member                                     string
	from, to, boxNonce, box, nonce, ciphertext []byte
	day                                        uint64
}

func parseDelivery(in []byte) (delivery, error) {
	r, d := &reader{in: in}, delivery{}
	r.array(9)
	version := r.uint()
	d.member, d.from, d.day, d.to = r.text(), r.fixed(32), r.uint(), r.fixed(32)
	d.boxNonce, d.box, d.nonce, d.ciphertext = r.fixed(24), r.bytes(), r.fixed(24), r.bytes()
	if !r.done() || version != 1 || d.day > 1<<32-1 {
		return d, errors.New("Delivery")
	}
	return d, nil
}

func (d delivery) encode() []byte {
	w := &writer{}
	w.list(9)
	w.uint(1)
	w.text(d.member)
	w.bytes(d.from)
	w.uint(d.day)
	w.bytes(d.to)
	w.bytes(d.boxNonce)
	w.bytes(d.box)
	w.bytes(d.nonce)
	w.bytes(d.ciphertext)
	return w.out
}

func payloadID(ciphertext []byte) []byte {
	h := sha3.Sum512(ciphertext)
	return h[:]
}

// receive opens a delivery as the specification says, with the name of the check that failed.
func receive(network, private []byte, addresses [][]byte, key ed25519.PublicKey, wire []byte) ([]byte, header, error) {
	fail := func(name string) ([]byte, header, error) { return nil, header{}, errors.New(name) }
	d, err := parseDelivery(wire)
	if err != nil {
		return nil, header{}, err
	}
	own, err := curve25519.X25519(private, curve25519.Basepoint)
	if err != nil || !bytes.Equal(own, d.to) {
		return fail("UnknownEpoch")
	}
	_, in, err := pair(network, private, own, d.from)
	if err != nil {
		return nil, header{}, err
	}
	id := payloadID(d.ciphertext)
	plain, err := open(in, d.boxNonce, boxAAD(d.from, d.to, uint32(d.day), id), d.box)
	if err != nil {
		return fail("Box")
	}
	parcel, ok := unpad(plain)
	if !ok || len(parcel) < 34 {
		return fail("Header")
	}
	dataKey, rest := parcel[:32], parcel[34:]
	count := binary.BigEndian.Uint16(parcel[32:])
	var sigma []byte
	if count&(1<<15) != 0 {
		if len(rest) < 32 {
			return fail("Header")
		}
		sigma, rest = rest[:32], rest[32:]
	}
	var openings []opening
	for i := count &^ (1 << 15); i > 0; i-- {
		if len(rest) < 53 || len(rest) < 53+32*int(rest[52]) {
			return fail("Header")
		}
		o := opening{address: rest[:32], salt: rest[32:48], index: binary.BigEndian.Uint32(rest[48:])}
		depth := int(rest[52])
		rest = rest[53:]
		for ; depth > 0; depth-- {
			o.path = append(o.path, rest[:32])
			rest = rest[32:]
		}
		openings = append(openings, o)
	}
	if len(rest) < 64 {
		return fail("Header")
	}
	signature, raw := rest[:64], rest[64:]
	h, err := parseHeader(raw)
	switch {
	case err != nil:
		return nil, h, err
	case h.suite != 1:
		return fail("Suite")
	case !bytes.Equal(h.network, network):
		return fail("Network")
	case !bytes.Equal(h.id, id):
		return fail("Id")
	case h.day != h.time/86_400_000 || h.day > d.day+1:
		return fail("Day")
	case h.member != d.member:
		return fail("Sender")
	case !ed25519.Verify(key, statement("celosia header 1", network, raw), signature):
		return fail("Signature")
	}
	addressed := 0
	for _, o := range openings {
		if !o.proves(h.audience) {
			return fail("Audience")
		}
		if contains(addresses, o.address) {
			addressed++
		}
	}
	if addressed == 0 {
		return fail("Audience")
	}
	payload, err := openContent(network, h.member, dataKey, d.nonce, d.ciphertext)
	if err == nil && (sigma != nil) != (h.escrow != nil) {
		return fail("Sigma")
	}
	// The arithmetic of the capsule is that of tests/foreign/threshold.
	h.sigma = sigma
	return payload, h, err
}

func openContent(network []byte, sender string, dataKey, nonce, ciphertext []byte) ([]byte, error) {
	if len(ciphertext) < 33 {
		return nil, errors.New("Ciphertext")
	}
	if ciphertext[0] != 1 {
		return nil, errors.New("Suite")
	}
	keys := derive(network, dataKey, []byte("celosia-1 payload"+sender))
	if !bytes.Equal(keys[32:], ciphertext[1:33]) {
		return nil, errors.New("Commitment")
	}
	plain, err := open(keys[:32], nonce, cat(ciphertext[:33], network), ciphertext[33:])
	if err != nil {
		return nil, errors.New("Ciphertext")
	}
	payload, ok := unpad(plain)
	if !ok {
		return nil, errors.New("Padding")
	}
	return payload, nil
}

func contains(list [][]byte, one []byte) bool {
	for _, other := range list {
		if bytes.Equal(other, one) {
			return true
		}
	}
	return false
}
