// Command threshold is a second implementation of the capsule and of its officers' answers (docs/threshold.md): it shares no code with the
// first, and its group is that of another library.
//
//	threshold check FILE   computes every case of a vector file anew, opens it with every k officers in a row, and compares
//	threshold make FILE    answers each case with one of its own, of as many officers and the same label, as a vector file
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	ristretto "github.com/gtank/ristretto255"
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
	Generator hexed `json:"generator"`
	Cases     []vec `json:"cases"`
}

// vec is one case; docs/threshold.md says what each field is.
type vec struct {
	Name      string    `json:"name"`
	Threshold int       `json:"threshold"`
	Key       hexed     `json:"key"`
	DataKey   hexed     `json:"data-key"`
	Sigma     hexed     `json:"sigma"`
	Label     hexed     `json:"label"`
	Capsule   hexed     `json:"capsule"`
	Officers  []officer `json:"officers"`
}

type officer struct {
	Index     uint16 `json:"index"`
	Share     hexed  `json:"share"`
	Verifying hexed  `json:"verifying"`
	Hedge     hexed  `json:"hedge"`
	Partial   hexed  `json:"partial"`
}

func main() {
	if len(os.Args) != 3 {
		fail("usage: threshold check|make FILE")
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
		if !bytes.Equal(all.Generator, gbar.Encode(nil)) {
			fail("another second generator")
		}
		for _, c := range all.Cases {
			if err := c.check(); err != nil {
				fail(c.Name, ": ", err)
			}
		}
		fmt.Println(len(all.Cases), "cases")
	case "make":
		all.Generator = gbar.Encode(nil)
		for i := range all.Cases {
			all.Cases[i] = all.Cases[i].answer()
		}
		out, err := json.Marshal(all)
		if err != nil {
			fail(err)
		}
		fmt.Println(string(out))
	default:
		fail("check or make")
	}
}

func fail(what ...any) {
	fmt.Fprintln(os.Stderr, fmt.Sprint(what...))
	os.Exit(1)
}

func (c vec) check() error {
	if !bytes.Equal(c.Capsule, makeCapsule(c.Key, c.DataKey, c.Sigma, c.Label)) {
		return fmt.Errorf("another capsule")
	}
	if err := sound(c.Key, c.Capsule, c.Label); err != nil {
		return err
	}
	if sound(c.Key, c.Capsule, append([]byte{1}, c.Label...)) == nil {
		return fmt.Errorf("sound for another label")
	}
	for _, o := range c.Officers {
		partial, err := answer(o, c.Key, c.Capsule, c.Label)
		if err != nil {
			return err
		}
		if !bytes.Equal(o.Partial, partial) {
			return fmt.Errorf("officer %d answers something else", o.Index)
		}
		if err := verify(o.Partial, o.Verifying, c.Capsule, c.Label); err != nil {
			return err
		}
	}
	for at := 0; at+c.Threshold <= len(c.Officers); at++ {
		opened, err := open(c.Officers[at:at+c.Threshold], c.Capsule, c.Sigma, c.Label)
		if err != nil {
			return err
		}
		if !bytes.Equal(opened, c.DataKey) {
			return fmt.Errorf("another data key")
		}
	}
	return nil
}

// answer is a case of our own: a committee, a key and a sigma that nobody has seen before.
func (c vec) answer() vec {
	polynomial := make([]*ristretto.Scalar, c.Threshold)
	for i := range polynomial {
		polynomial[i] = ristretto.NewScalar().FromUniformBytes(random(64))
	}
	made := vec{Name: c.Name, Threshold: c.Threshold, Label: c.Label, DataKey: random(32), Sigma: random(32)}
	made.Key = base(polynomial[0]).Encode(nil)
	made.Capsule = makeCapsule(made.Key, made.DataKey, made.Sigma, made.Label)
	for _, o := range c.Officers {
		share := ristretto.NewScalar().Zero()
		for i := range polynomial {
			share.Multiply(share, small(o.Index))
			share.Add(share, polynomial[len(polynomial)-1-i])
		}
		of := officer{Index: o.Index, Share: share.Encode(nil), Verifying: base(share).Encode(nil), Hedge: random(32)}
		partial, err := answer(of, made.Key, made.Capsule, made.Label)
		if err != nil {
			fail(err)
		}
		of.Partial = partial
		made.Officers = append(made.Officers, of)
	}
	return made
}

func random(length int) []byte {
	out := make([]byte, length)
	if _, err := rand.Read(out); err != nil {
		fail(err)
	}
	return out
}
