// Command go_tlog reads a log's files with golang.org/x/mod/sumdb and checks everything in them and every proof it is
// given: the checkpoint's signatures, every leaf, every inclusion proof, every consistency proof. Exit status 1 and a
// line that says what is wrong, or 0.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type consistency struct {
	Old     int64    `json:"old"`
	New     int64    `json:"new"`
	OldRoot []byte   `json:"old_root"`
	NewRoot []byte   `json:"new_root"`
	Proof   [][]byte `json:"proof"`
}

type input struct {
	Folder      string        `json:"folder"`
	LogKey      string        `json:"log_key"`
	Witnesses   []string      `json:"witnesses"`
	Inclusion   [][][]byte    `json:"inclusion"`
	Consistency []consistency `json:"consistency"`
}

func main() {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		fail(err)
	}
	if err := check(in); err != nil {
		fail(err)
	}
	fmt.Printf("%d inclusion proofs, %d consistency proofs\n", len(in.Inclusion), len(in.Consistency))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func check(in input) error {
	tree, err := openCheckpoint(in)
	if err != nil {
		return err
	}
	hashes := tlog.TileHashReader(tree, &tiles{folder: in.Folder, kept: map[string][]byte{}})
	leaves, err := readLeaves(in.Folder, tree.N)
	if err != nil {
		return err
	}
	if int64(len(in.Inclusion)) != tree.N {
		return fmt.Errorf("%d inclusion proofs for %d leaves", len(in.Inclusion), tree.N)
	}
	for i, leaf := range leaves {
		if err := checkLeaf(tree, hashes, int64(i), leaf, in.Inclusion[i]); err != nil {
			return fmt.Errorf("leaf %d: %w", i, err)
		}
	}
	for _, each := range in.Consistency {
		if err := checkConsistency(tree, hashes, each); err != nil {
			return fmt.Errorf("consistency from %d to %d: %w", each.Old, each.New, err)
		}
	}
	return nil
}

func openCheckpoint(in input) (tlog.Tree, error) {
	data, err := os.ReadFile(filepath.Join(in.Folder, "checkpoint"))
	if err != nil {
		return tlog.Tree{}, err
	}
	verifier, err := note.NewVerifier(in.LogKey)
	if err != nil {
		return tlog.Tree{}, err
	}
	verifiers := []note.Verifier{verifier}
	for _, key := range in.Witnesses {
		witness, err := newWitness(key)
		if err != nil {
			return tlog.Tree{}, err
		}
		verifiers = append(verifiers, witness)
	}
	opened, err := note.Open(data, note.VerifierList(verifiers...))
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(opened.Sigs) != len(verifiers) {
		return tlog.Tree{}, fmt.Errorf("%d of %d signatures verify", len(opened.Sigs), len(verifiers))
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func readLeaves(folder string, size int64) ([][]byte, error) {
	var leaves [][]byte
	for n := int64(0); int64(len(leaves)) < size; n++ {
		width := min(256, size-n*256)
		data, err := os.ReadFile(filepath.Join(folder, tilePath("entries", n, int(width))))
		if err != nil {
			return nil, err
		}
		for i := int64(0); i < width; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, errors.New("a bundle ends inside an entry")
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			leaves, data = append(leaves, data[2:end]), data[end:]
		}
		if len(data) > 0 {
			return nil, errors.New("a bundle goes on after its last entry")
		}
	}
	return leaves, nil
}

func checkLeaf(tree tlog.Tree, hashes tlog.HashReader, n int64, leaf []byte, packed [][]byte) error {
	proof, err := tlog.ProveRecord(tree.N, n, hashes)
	if err != nil {
		return err
	}
	given := toHashes(packed)
	if !slices.Equal(given, []tlog.Hash(proof)) {
		return errors.New("another inclusion proof")
	}
	return tlog.CheckRecord(tlog.RecordProof(given), tree.N, tree.Hash, n, tlog.RecordHash(leaf))
}

func checkConsistency(tree tlog.Tree, hashes tlog.HashReader, each consistency) error {
	given := toHashes(each.Proof)
	proof, err := tlog.ProveTree(each.New, each.Old, hashes)
	if err != nil {
		return err
	}
	if !slices.Equal(given, []tlog.Hash(proof)) {
		return errors.New("another consistency proof")
	}
	for size, root := range map[int64][]byte{each.Old: each.OldRoot, each.New: each.NewRoot} {
		found, err := tlog.TreeHash(size, hashes)
		if err != nil {
			return err
		}
		if !bytes.Equal(found[:], root) {
			return fmt.Errorf("another root of %d leaves", size)
		}
	}
	return tlog.CheckTree(tlog.TreeProof(given), each.New, tlog.Hash(each.NewRoot), each.Old, tlog.Hash(each.OldRoot))
}

func toHashes(packed [][]byte) []tlog.Hash {
	hashes := make([]tlog.Hash, len(packed))
	for i, each := range packed {
		hashes[i] = tlog.Hash(each)
	}
	return hashes
}

// tiles reads a log's tiles; sumdb asks for tiles of height 8 and verifies them against the root.
type tiles struct {
	folder string
	kept   map[string][]byte
}

func (t *tiles) Height() int                         { return 8 }
func (t *tiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		path := tilePath(strconv.Itoa(tile.L), tile.N, tile.W)
		if _, ok := t.kept[path]; !ok {
			data, err := os.ReadFile(filepath.Join(t.folder, path))
			if err != nil {
				return nil, err
			}
			t.kept[path] = data
		}
		found = append(found, t.kept[path])
	}
	return found, nil
}

func tilePath(level string, n int64, width int) string {
	path := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		path = fmt.Sprintf("x%03d/%s", n%1000, path)
	}
	if width < 256 {
		path += fmt.Sprintf(".p/%d", width)
	}
	return "tile/" + level + "/" + path
}

// witness verifies cosignatures (C2SP tlog-cosignature v1), which sumdb does not know.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func newWitness(vkey string) (*witness, error) {
	parts := strings.SplitN(vkey, "+", 3)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return nil, errors.New("no key of a witness")
	}
	digest := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	return &witness{parts[0], binary.BigEndian.Uint32(digest[:4]), key[1:]}, nil
}

func (w *witness) Name() string    { return w.name }
func (w *witness) KeyHash() uint32 { return w.hash }

func (w *witness) Verify(text, signature []byte) bool {
	if len(signature) != 72 {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(signature))
	return ed25519.Verify(w.key, append([]byte(head), text...), signature[8:])
}
