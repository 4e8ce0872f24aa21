package main

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	ristretto "github.com/gtank/ristretto255"
	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/hkdf"
)

// gbar is the second generator.
var gbar = func() *ristretto.Element {
	wide := sha512.Sum512([]byte("celosia threshold 1 second generator"))
	return ristretto.NewElement().FromUniformBytes(wide[:])
}()

// hash is H of the specification.
func hash(name string, parts ...[]byte) *ristretto.Scalar {
	h := sha512.New()
	for _, part := range append([][]byte{[]byte("celosia threshold 1"), []byte(name)}, parts...) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		h.Write(part)
	}
	return ristretto.NewScalar().FromUniformBytes(h.Sum(nil))
}

func base(s *ristretto.Scalar) *ristretto.Element { return ristretto.NewElement().ScalarBaseMult(s) }

func times(s *ristretto.Scalar, p *ristretto.Element) *ristretto.Element {
	return ristretto.NewElement().ScalarMult(s, p)
}

// minus is fP - eQ.
func minus(f *ristretto.Scalar, p *ristretto.Element, e *ristretto.Scalar, q *ristretto.Element) *ristretto.Element {
	return ristretto.NewElement().Subtract(times(f, p), times(e, q))
}

func small(n uint16) *ristretto.Scalar {
	var wide [64]byte
	binary.LittleEndian.PutUint16(wide[:], n)
	return ristretto.NewScalar().FromUniformBytes(wide[:])
}

// plus is s + x*e.
func plus(s, x, e *ristretto.Scalar) []byte {
	f := ristretto.NewScalar().Multiply(x, e)
	return f.Add(f, s).Encode(nil)
}

func element(in []byte) (*ristretto.Element, error) {
	out := ristretto.NewElement()
	if err := out.Decode(in); err != nil {
		return nil, err
	}
	if out.Equal(ristretto.NewElement().Zero()) == 1 {
		return nil, errors.New("the identity")
	}
	return out, nil
}

func scalar(in []byte) (*ristretto.Scalar, error) {
	out := ristretto.NewScalar()
	return out, out.Decode(in)
}

func makeCapsule(key, dataKey, sigma, label []byte) []byte {
	y, err := element(key)
	if err != nil {
		fail(err)
	}
	r, s := hash("r", key, dataKey, sigma, label), hash("s", key, dataKey, sigma, label)
	bigR, bar := base(r).Encode(nil), times(r, gbar).Encode(nil)
	wrap := wrapper(bigR, times(r, y).Encode(nil), sigma, label)(dataKey)
	e := hash("pok", key, wrap, label, bigR, base(s).Encode(nil), bar, times(s, gbar).Encode(nil))
	var out []byte
	for _, part := range [][]byte{bigR, bar, e.Encode(nil), plus(s, r, e), wrap} {
		out = append(out, part...)
	}
	return out
}

func kek(bigR, z, sigma, label []byte) []byte {
	digest := sha256.Sum256(label)
	info := append([]byte("celosia threshold 1 kek"), digest[:]...)
	out := make([]byte, 32)
	if _, err := io.ReadFull(hkdf.New(sha256.New, append(append([]byte{}, z...), sigma...), bigR, info), out); err != nil {
		fail(err)
	}
	return out
}

func wrapper(bigR, z, sigma, label []byte) func([]byte) []byte {
	cipher, err := chacha20poly1305.NewX(kek(bigR, z, sigma, label))
	if err != nil {
		fail(err)
	}
	return func(dataKey []byte) []byte { return cipher.Seal(nil, make([]byte, 24), dataKey, label) }
}

// sound checks the proof of a capsule.
func sound(key, capsule, label []byte) error {
	if len(capsule) != 176 {
		return errors.New("not 176 bytes")
	}
	bigR, err := element(capsule[:32])
	if err != nil {
		return err
	}
	bar, err := element(capsule[32:64])
	if err != nil {
		return err
	}
	e, err := scalar(capsule[64:96])
	if err != nil {
		return err
	}
	f, err := scalar(capsule[96:128])
	if err != nil {
		return err
	}
	sG, sBar := minus(f, base(small(1)), e, bigR).Encode(nil), minus(f, gbar, e, bar).Encode(nil)
	if hash("pok", key, capsule[128:], label, capsule[:32], sG, capsule[32:64], sBar).Equal(e) != 1 {
		return errors.New("the capsule's proof does not hold")
	}
	return nil
}

func be(n uint16) []byte { return []byte{byte(n >> 8), byte(n)} }

// answer is an officer's part in opening a capsule.
func answer(o officer, key, capsule, label []byte) ([]byte, error) {
	if err := sound(key, capsule, label); err != nil {
		return nil, err
	}
	x, err := scalar(o.Share)
	if err != nil {
		return nil, err
	}
	bigR, err := element(capsule[:32])
	if err != nil {
		return nil, err
	}
	t := hash("nonce", o.Share, o.Hedge, key, be(o.Index), capsule, label)
	s := times(x, bigR).Encode(nil)
	e := hash("share", be(o.Index), base(x).Encode(nil), capsule, label, s, base(t).Encode(nil), times(t, bigR).Encode(nil))
	var out []byte
	for _, part := range [][]byte{be(o.Index), s, e.Encode(nil), plus(t, x, e)} {
		out = append(out, part...)
	}
	return out, nil
}

// verify checks the proof of an officer's answer.
func verify(partial, verifying, capsule, label []byte) error {
	if len(partial) != 98 {
		return errors.New("not 98 bytes")
	}
	s, err := element(partial[2:34])
	if err != nil {
		return err
	}
	e, err := scalar(partial[34:66])
	if err != nil {
		return err
	}
	f, err := scalar(partial[66:])
	if err != nil {
		return err
	}
	h, err := element(verifying)
	if err != nil {
		return err
	}
	bigR, err := element(capsule[:32])
	if err != nil {
		return err
	}
	tG, tR := minus(f, base(small(1)), e, h).Encode(nil), minus(f, bigR, e, s).Encode(nil)
	if hash("share", partial[:2], verifying, capsule, label, partial[2:34], tG, tR).Equal(e) != 1 {
		return fmt.Errorf("the proof of officer %d does not hold", binary.BigEndian.Uint16(partial))
	}
	return nil
}

// open interpolates and unwraps.
func open(officers []officer, capsule, sigma, label []byte) ([]byte, error) {
	z := ristretto.NewElement().Zero()
	for _, own := range officers {
		above, below := small(1), small(1)
		for _, other := range officers {
			if other.Index != own.Index {
				above.Multiply(above, small(other.Index))
				below.Multiply(below, ristretto.NewScalar().Subtract(small(other.Index), small(own.Index)))
			}
		}
		s, err := element(own.Partial[2:34])
		if err != nil {
			return nil, err
		}
		z.Add(z, times(above.Multiply(above, ristretto.NewScalar().Invert(below)), s))
	}
	cipher, err := chacha20poly1305.NewX(kek(capsule[:32], z.Encode(nil), sigma, label))
	if err != nil {
		return nil, err
	}
	return cipher.Open(nil, make([]byte, 24), capsule[128:], label)
}
