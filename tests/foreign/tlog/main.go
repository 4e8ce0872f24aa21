// A second implementation of the verifier of a log, on the Go packages for signed notes and transparency logs.
//
//	tlog FOLDER VKEY [OLDER-CHECKPOINT]
//
// It verifies the checkpoint, every entry, every hash of every tile, and that the log goes on from the older checkpoint.
// Exit code 0 and "good", or 1 and what is wrong.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// folder reads tiles of a copied log. Its paths are those of C2SP tlog-tiles, which leave out the height.
type folder string

func (f folder) Height() int { return height }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		data, err := f.read(tile)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (f folder) read(tile tlog.Tile) ([]byte, error) {
	path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	path = strings.Replace(path, "tile/data/", "tile/entries/", 1)
	data, err := os.ReadFile(filepath.Join(string(f), path))
	if os.IsNotExist(err) && tile.W < 1<<height {
		// A partial tile may have gone when the full one came.
		full := tile
		full.W = 1 << height
		if data, err = f.read(full); err == nil && tile.L >= 0 {
			data = data[:tile.W*tlog.HashSize]
		}
	}
	return data, err
}

// entries splits a bundle: each entry behind its length in two bytes.
func entries(data []byte) ([][]byte, error) {
	var all [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("the bundle breaks off")
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		all = append(all, data[2:end])
		data = data[end:]
	}
	return all, nil
}

// head opens a checkpoint: origin, size, root, and lines of extensions.
func head(path, vkey string) (tlog.Tree, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func verify(f folder, vkey, older string) error {
	tree, err := head(filepath.Join(string(f), "checkpoint"), vkey)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := everything(f, tree); err != nil {
		return err
	}
	if older == "" {
		return nil
	}
	old, err := head(older, vkey)
	if err != nil {
		return fmt.Errorf("older checkpoint: %w", err)
	}
	if old.N > tree.N {
		return fmt.Errorf("rolled back: %d entries, the older checkpoint has %d", tree.N, old.N)
	}
	proof, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, f))
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
		return fmt.Errorf("forked: %w", err)
	}
	return nil
}

// everything builds the tree again out of the entries, and compares each tile with it.
func everything(f folder, tree tlog.Tree) error {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		all := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			all[i] = stored[index]
		}
		return all, nil
	})
	for at := int64(0); at < tree.N; {
		tile := tlog.Tile{H: height, L: -1, N: at >> height, W: int(min(tree.N-at, 1<<height))}
		data, err := f.read(tile)
		if err != nil {
			return err
		}
		all, err := entries(data)
		if err != nil || len(all) < tile.W {
			return fmt.Errorf("entries from %d on: %d of %d, %v", at, len(all), tile.W, err)
		}
		for _, entry := range all[:tile.W] {
			hashes, err := tlog.StoredHashes(at, entry, reader)
			if err != nil {
				return err
			}
			stored = append(stored, hashes...)
			at++
		}
	}
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return err
	}
	for _, tile := range tlog.NewTiles(height, 0, tree.N) {
		expected, err := tlog.ReadTileData(tile, reader)
		if err != nil {
			return err
		}
		data, err := f.read(tile)
		if err != nil {
			return err
		}
		if string(data) != string(expected) {
			return fmt.Errorf("%s is not of its entries", tile.Path())
		}
	}
	if root != tree.Hash {
		return fmt.Errorf("the entries lead to another root than the checkpoint's")
	}
	return nil
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: tlog FOLDER VKEY [OLDER-CHECKPOINT]")
		os.Exit(2)
	}
	older := ""
	if len(os.Args) > 3 {
		older = os.Args[3]
	}
	if err := verify(folder(os.Args[1]), os.Args[2], older); err != nil {
		fmt.Println("not good:", err)
		os.Exit(1)
	}
	fmt.Println("good")
}
