// A second implementation of the file of a document (docs/documents.md section 3).
//
//	document open KEY ID SIZE PADDED FILE    the content to standard output, the root to standard error
//	document seal KEY ID PADDED FILE         seals standard input into the file, the root to standard error
//	document check VECTORS                   opens every vector at its place, and nowhere else
//
// Keys and ids are hexadecimal. Exit code 1 and what is wrong, if something is.
package main

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/hkdf"
)

const (
	chunk    = 1 << 20
	overhead = 24 + 16
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 6 && args[0] == "open":
		return openFile(args[1], args[2], args[3], args[4], args[5])
	case len(args) == 5 && args[0] == "seal":
		return sealFile(args[1], args[2], args[3], args[4])
	case len(args) == 2 && args[0] == "check":
		return check(args[1])
	}
	return errors.New("open KEY ID SIZE PADDED FILE, seal KEY ID PADDED FILE, or check VECTORS")
}

// document is a document's id and the cipher of its chunks.
type document struct {
	id   []byte
	aead cipher.AEAD
}

func newDocument(key, id string) (*document, error) {
	dataKey, err := hex.DecodeString(key)
	if err != nil {
		return nil, err
	}
	name, err := hex.DecodeString(id)
	if err != nil {
		return nil, err
	}
	chunkKey := make([]byte, 32)
	if _, err := io.ReadFull(hkdf.New(sha256.New, dataKey, name, []byte("celosia document 1")), chunkKey); err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(chunkKey)
	return &document{name, aead}, err
}

func (d *document) bound(index uint64, last bool) []byte {
	data := append([]byte("celosia chunk 1"), d.id...)
	var place [9]byte
	binary.BigEndian.PutUint64(place[:], index)
	if last {
		place[8] = 1
	}
	return append(data, place[:]...)
}

func (d *document) open(index uint64, last bool, sealed []byte) ([]byte, error) {
	if len(sealed) < overhead {
		return nil, errors.New("too short for a chunk")
	}
	return d.aead.Open(nil, sealed[:24], sealed[24:], d.bound(index, last))
}

func (d *document) seal(index uint64, last bool, plain []byte) ([]byte, error) {
	nonce := make([]byte, 24)
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return d.aead.Seal(nonce, nonce, plain, d.bound(index, last)), nil
}

func openFile(key, id, sizeText, paddedText, path string) error {
	size, err := strconv.ParseUint(sizeText, 10, 64)
	if err != nil {
		return err
	}
	padded, err := strconv.ParseUint(paddedText, 10, 64)
	if err != nil {
		return err
	}
	doc, err := newDocument(key, id)
	if err != nil {
		return err
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var content []byte
	var leaves [][]byte
	chunks := (padded + chunk - 1) / chunk
	for index := uint64(0); index < chunks; index++ {
		length := uint64(chunk + overhead)
		if uint64(len(file)) < length {
			length = uint64(len(file))
		}
		plain, err := doc.open(index, index+1 == chunks, file[:length])
		if err != nil {
			return fmt.Errorf("chunk %d: %w", index, err)
		}
		leaves = append(leaves, leaf(file[:length]))
		content = append(content, plain...)
		file = file[length:]
	}
	if len(file) != 0 || uint64(len(content)) != padded || size > padded {
		return errors.New("the file has another length")
	}
	if len(bytes.Trim(content[size:], "\x00")) != 0 {
		return errors.New("the padding is not made of zeros")
	}
	fmt.Fprintln(os.Stderr, hex.EncodeToString(root(leaves)))
	_, err = os.Stdout.Write(content[:size])
	return err
}

func sealFile(key, id, paddedText, path string) error {
	padded, err := strconv.ParseUint(paddedText, 10, 64)
	if err != nil {
		return err
	}
	doc, err := newDocument(key, id)
	if err != nil {
		return err
	}
	content, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	content = append(content, make([]byte, padded-uint64(len(content)))...)
	var file []byte
	var leaves [][]byte
	for index := uint64(0); len(content) > 0; index++ {
		length := chunk
		if len(content) < length {
			length = len(content)
		}
		sealed, err := doc.seal(index, length == len(content), content[:length])
		if err != nil {
			return err
		}
		file, leaves, content = append(file, sealed...), append(leaves, leaf(sealed)), content[length:]
	}
	fmt.Fprintln(os.Stderr, hex.EncodeToString(root(leaves)))
	return os.WriteFile(path, file, 0o600)
}

// vector is a chunk of tests/vectors/document.json.
type vector struct {
	Index  uint64 `json:"index"`
	Last   bool   `json:"last"`
	Plain  string `json:"plain"`
	Sealed string `json:"sealed"`
}

func check(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var file struct {
		DataKey string   `json:"dataKey"`
		ID      string   `json:"id"`
		Chunks  []vector `json:"chunks"`
		Root    string   `json:"root"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return err
	}
	doc, err := newDocument(file.DataKey, file.ID)
	if err != nil {
		return err
	}
	var leaves [][]byte
	for _, one := range file.Chunks {
		sealed, err := hex.DecodeString(one.Sealed)
		if err != nil {
			return err
		}
		leaves = append(leaves, leaf(sealed))
		plain, err := doc.open(one.Index, one.Last, sealed)
		if err != nil || hex.EncodeToString(plain) != one.Plain {
			return fmt.Errorf("chunk %d does not open", one.Index)
		}
		if _, err := doc.open(one.Index, !one.Last, sealed); err == nil {
			return fmt.Errorf("chunk %d opens where it does not belong", one.Index)
		}
		if _, err := doc.open(one.Index+1, one.Last, sealed); err == nil {
			return fmt.Errorf("chunk %d opens where it does not belong", one.Index)
		}
	}
	if hex.EncodeToString(root(leaves)) != file.Root {
		return errors.New("another root")
	}
	fmt.Printf("%d chunks\n", len(file.Chunks))
	return nil
}

func leaf(sealed []byte) []byte {
	sum := sha256.Sum256(append([]byte{0}, sealed...))
	return sum[:]
}

// root is MTH of RFC 9162 section 2.1.1 over leaf hashes; there is at least one.
func root(leaves [][]byte) []byte {
	if len(leaves) == 1 {
		return leaves[0]
	}
	split := 1
	for split*2 < len(leaves) {
		split *= 2
	}
	sum := sha256.Sum256(append(append([]byte{1}, root(leaves[:split])...), root(leaves[split:])...))
	return sum[:]
}
