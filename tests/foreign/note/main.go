// Another implementation of signed notes reads a document of the charter.
//
//	note FILE VKEY...
//
// It prints the names whose signatures verify, one a line, and the SHA-256 of the text. Exit code 1 and what is wrong if none does.
package main

import (
	"crypto/sha256"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(file string, keys []string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var verifiers []note.Verifier
	for _, key := range keys {
		verifier, err := note.NewVerifier(key)
		if err != nil {
			return err
		}
		verifiers = append(verifiers, verifier)
	}
	opened, err := note.Open(text, note.VerifierList(verifiers...))
	if err != nil {
		return err
	}
	for _, signature := range opened.Sigs {
		fmt.Println(signature.Name)
	}
	fmt.Printf("%x\n", sha256.Sum256([]byte(opened.Text)))
	return nil
}
