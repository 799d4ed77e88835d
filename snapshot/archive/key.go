package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
)

// maxKeys bounds a file of recipients or identities, in bytes.
const maxKeys = 256 << 10

// Recipients reads a file of public keys, one a line: age1…, age1pq…, ssh-ed25519
// or ssh-rsa; blank lines and those that begin with # are skipped. A line is
// never part of an error: somebody may have put a secret key there. Keys that
// age does not let stand together are refused with its own words.
func Recipients(file string) ([]age.Recipient, error) {
	b, err := readKeys(file)
	if err != nil {
		return nil, err
	}
	var out []age.Recipient
	n := 0
	for line := range strings.Lines(string(b)) {
		n++
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		r, err := recipient(line)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", file, n, err)
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s names no recipient", file)
	}
	if _, err := age.Encrypt(io.Discard, out...); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return out, nil
}

func recipient(line string) (age.Recipient, error) {
	switch {
	case strings.HasPrefix(line, "AGE-SECRET-KEY-"), strings.HasPrefix(line, "-----BEGIN"):
		return nil, errors.New("this is a secret key: only public ones belong here (age-keygen -y makes one of it)")
	case strings.HasPrefix(line, "ssh-"):
		r, err := agessh.ParseRecipient(line)
		if err != nil {
			return nil, errors.New("this is no ssh-ed25519 or ssh-rsa public key that age can use")
		}
		return r, nil
	case strings.HasPrefix(line, "ecdsa-"), strings.HasPrefix(line, "sk-"):
		return nil, errors.New("age cannot encrypt for an ssh key of this kind: ssh-ed25519 or ssh-rsa")
	}
	list, err := age.ParseRecipients(strings.NewReader(line))
	if err != nil || len(list) != 1 {
		return nil, errors.New("this is no public key of age or ssh")
	}
	return list[0], nil
}

// Identities reads a file of secret keys: those of age, or one ssh key without a
// passphrase. What is in it is never part of an error.
func Identities(file string) ([]age.Identity, error) {
	b, err := readKeys(file)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("-----BEGIN")) {
		id, err := agessh.ParseIdentity(b)
		if err != nil {
			return nil, fmt.Errorf("%s is no ssh key that can be used (ed25519 or rsa, without a passphrase)", file)
		}
		return []age.Identity{id}, nil
	}
	ids, err := age.ParseIdentities(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s holds no identity of age (AGE-SECRET-KEY-…) nor an ssh key", file)
	}
	return ids, nil
}

func readKeys(file string) ([]byte, error) {
	st, err := os.Stat(file)
	if err == nil && (!st.Mode().IsRegular() || st.Size() > maxKeys) {
		err = fmt.Errorf("%s is no file of keys", file)
	}
	if err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

// witness makes an identity for one writing: with its public half among the
// recipients, what was written can be read back and verified in full, and then
// the secret half is forgotten. It is of a kind that age lets stand with the others.
func witness(recipients []age.Recipient) (age.Identity, age.Recipient, error) {
	for _, r := range recipients {
		if _, ok := r.(*age.HybridRecipient); ok {
			id, err := age.GenerateHybridIdentity()
			if err != nil {
				return nil, nil, err
			}
			return id, id.Recipient(), nil
		}
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, nil, err
	}
	return id, id.Recipient(), nil
}
