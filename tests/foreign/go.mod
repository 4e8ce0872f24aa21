module celosia.test/foreign

go 1.18

require (
	github.com/gtank/ristretto255 v0.1.2
	golang.org/x/crypto v0.23.0
	golang.org/x/mod v0.20.0
)

require golang.org/x/sys v0.20.0 // indirect
