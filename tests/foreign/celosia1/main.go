// Command celosia1 is a second implementation of the suite celosia-1 (docs/celosia-1.md): it shares no code with the first.
//
//	celosia1 check FILE   opens every case of a vector file and compares what it finds with what the file says
//	celosia1 make FILE    answers each case with a delivery of its own for the same recipient, as a vector file
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/crypto/curve25519"
)

type hexed []byte

func (h hexed) MarshalJSON() ([]byte, error) { return json.Marshal(hex.EncodeToString(h)) }

func (h *hexed) UnmarshalJSON(in []byte) error {
	var text string
	if err := json.Unmarshal(in, &text); err != nil {
		return err
	}
	out, err := hex.DecodeString(text)
	*h = out
	return err
}

type vectors struct {
	About string `json:"about"`
	Cases []vec  `json:"cases"`
}

// vec is one case; docs/celosia-1.md section 10 says what each field is.
type vec struct {
	Name           string  `json:"name"`
	Network        hexed   `json:"network"`
	Sender         string  `json:"sender"`
	SenderAddress  hexed   `json:"sender-address"`
	SigningSeed    hexed   `json:"signing-seed"`
	VerifyKey      hexed   `json:"verify-key"`
	SenderEpoch    hexed   `json:"sender-epoch-private"`
	RecipientEpoch hexed   `json:"recipient-epoch-private"`
	Day            uint32  `json:"day"`
	Time           uint64  `json:"time"`
	Policy         uint64  `json:"policy"`
	Class          uint64  `json:"class"`
	Padding        string  `json:"padding"`
	Recipients     []hexed `json:"recipients"`
	Ours           []hexed `json:"ours"`
	DataKey        hexed   `json:"data-key"`
	Nonce          hexed   `json:"nonce"`
	BoxNonce       hexed   `json:"box-nonce"`
	Payload        hexed   `json:"payload"`
	ID             hexed   `json:"id"`
	Delivery       hexed   `json:"delivery"`
	Outcome        string  `json:"outcome"`
	EscrowKey      hexed   `json:"escrow-key,omitempty"`
	EscrowEpoch    uint64  `json:"escrow-epoch,omitempty"`
	Sigma          hexed   `json:"sigma,omitempty"`
}

func main() {
	if len(os.Args) != 3 {
		fail("usage: celosia1 check|make FILE")
	}
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		fail(err)
	}
	var all vectors
	if err := json.Unmarshal(text, &all); err != nil {
		fail(err)
	}
	switch os.Args[1] {
	case "check":
		for _, c := range all.Cases {
			if err := c.check(); err != nil {
				fail(c.Name, ": ", err)
			}
		}
		fmt.Printf("%d cases\n", len(all.Cases))
	case "make":
		out := vectors{About: "made by the Go implementation"}
		for _, c := range all.Cases {
			if c.Outcome == "ok" {
				out.Cases = append(out.Cases, c.remake())
			}
		}
		enc := json.NewEncoder(os.Stdout)
		if err := enc.Encode(out); err != nil {
			fail(err)
		}
	default:
		fail("check or make")
	}
}

func fail(what ...interface{}) {
	fmt.Fprintln(os.Stderr, fmt.Sprint(what...))
	os.Exit(1)
}

func raw(list []hexed) (out [][]byte) {
	for _, h := range list {
		out = append(out, h)
	}
	return out
}

func (c vec) check() error {
	payload, h, err := receive(c.Network, c.RecipientEpoch, raw(c.Ours), ed25519.PublicKey(c.VerifyKey), c.Delivery)
	outcome := "ok"
	if err != nil {
		outcome = err.Error()
	}
	switch c.Outcome {
	case "Capsule", "CapsuleEpoch", "CapsuleForm":
		// Everything before the capsule holds; its arithmetic is that of tests/foreign/threshold.
		c.Outcome = "ok"
		if outcome == "ok" {
			return nil
		}
	}
	if outcome != c.Outcome {
		return fmt.Errorf("%s where %s is said", outcome, c.Outcome)
	}
	if outcome != "ok" {
		return nil
	}
	d, err := parseDelivery(c.Delivery)
	if err != nil {
		return err
	}
	same := bytes.Equal(payload, c.Payload) && bytes.Equal(h.id, c.ID) && h.member == c.Sender && bytes.Equal(h.sender, c.SenderAddress)
	if len(c.Sigma) > 0 {
		same = same && bytes.Equal(h.sigma, c.Sigma) && len(h.escrow) == 184 && binary.BigEndian.Uint64(h.escrow) == c.EscrowEpoch
	}
	same = same && h.policy == c.Policy && h.class == c.Class && h.time == c.Time && bytes.Equal(d.encode(), c.Delivery)
	if !same {
		return fmt.Errorf("opens to something else than the file says")
	}
	if want := 33 + padded(c.Padding, uint64(len(payload))) + 16; uint64(len(d.ciphertext)) != want {
		return fmt.Errorf("%d bytes of ciphertext where padding makes %d", len(d.ciphertext), want)
	}
	if len(c.DataKey) == 32 {
		keys := derive(c.Network, c.DataKey, []byte("celosia-1 payload"+c.Sender))
		again := seal(keys[:32], c.Nonce, cat([]byte{1}, keys[32:], c.Network), pad(payload, padded(c.Padding, uint64(len(payload)))))
		if !bytes.Equal(cat([]byte{1}, keys[32:], again), d.ciphertext) {
			return fmt.Errorf("the same key and nonce make another ciphertext")
		}
	}
	return nil
}

func random(n int) []byte {
	out := make([]byte, n)
	if _, err := rand.Read(out); err != nil {
		fail(err)
	}
	return out
}

// remake makes a delivery of its own: other keys, another signature, the same words and recipient.
func (c vec) remake() vec {
	c.SigningSeed, c.SenderEpoch, c.DataKey = random(32), random(32), random(32)
	c.EscrowKey, c.EscrowEpoch, c.Sigma = nil, 0, nil
	c.Nonce, c.BoxNonce = random(24), random(24)
	signing := ed25519.NewKeyFromSeed(c.SigningSeed)
	c.VerifyKey = hexed(signing.Public().(ed25519.PublicKey))
	from, err := curve25519.X25519(c.SenderEpoch, curve25519.Basepoint)
	if err != nil {
		fail(err)
	}
	to, err := curve25519.X25519(c.RecipientEpoch, curve25519.Basepoint)
	if err != nil {
		fail(err)
	}
	keys := derive(c.Network, c.DataKey, []byte("celosia-1 payload"+c.Sender))
	prefix := cat([]byte{1}, keys[32:])
	total := padded(c.Padding, uint64(len(c.Payload)))
	ciphertext := cat(prefix, seal(keys[:32], c.Nonce, cat(prefix, c.Network), pad(c.Payload, total)))
	c.ID = payloadID(ciphertext)
	root, openings := audience(raw(c.Recipients), random)
	h := c.header(root)
	signature := ed25519.Sign(signing, statement("celosia header 1", c.Network, h))
	var proofs []byte
	var count uint16
	for _, o := range openings {
		if !contains(raw(c.Ours), o.address) {
			continue
		}
		count++
		var index [4]byte
		binary.BigEndian.PutUint32(index[:], o.index)
		proofs = cat(proofs, o.address, o.salt, index[:], []byte{byte(len(o.path))}, cat(o.path...))
	}
	parcel := cat(c.DataKey, []byte{byte(count >> 8), byte(count)}, proofs, signature, h)
	size := uint64(len(parcel) + 8)
	if size < 512 {
		size = 512
	}
	out, _, err := pair(c.Network, c.SenderEpoch, from, to)
	if err != nil {
		fail(err)
	}
	box := seal(out, c.BoxNonce, boxAAD(from, to, c.Day, c.ID), pad(parcel, padme(size)))
	d := delivery{c.Sender, from, to, c.BoxNonce, box, c.Nonce, ciphertext, uint64(c.Day)}
	c.Delivery = d.encode()
	return c
}

func (c vec) header(root []byte) []byte {
	w := &writer{}
	w.list(13)
	w.bytes(c.Network)
	w.uint(1)
	w.uint(c.Policy)
	w.uint(uint64(c.Day))
	w.uint(c.Class)
	w.uint(c.Time)
	w.bytes(c.SenderAddress)
	w.text(c.Sender)
	w.bytes(c.ID)
	w.list(5)
	w.uint(0)
	w.list(0)
	w.bytes(nil)
	w.list(0)
	w.null()
	w.null()
	w.bytes(root)
	w.null()
	return w.out
}
