package house

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// minSecret is the least number of bytes of a secret that signs tokens.
const minSecret = 32

// ErrNoSecret refuses a production house that has nothing to sign with.
var ErrNoSecret = errors.New(`no secret: set BOURSE_SECRET to at least 32 random bytes, such as the output of
"openssl rand -hex 32", and keep it; or start a demonstration with --demo`)

// secret is the configured one, or for a demonstration one that the data directory keeps.
func (c Config) secret() ([]byte, error) {
	if len(c.Secret) > 0 {
		if len(c.Secret) < minSecret {
			return nil, fmt.Errorf("the secret has %d bytes; %d are needed", len(c.Secret), minSecret)
		}
		return c.Secret, nil
	}
	if !c.Demo {
		return nil, ErrNoSecret
	}
	return keptSecret(filepath.Join(c.DataDir, "secret"))
}

// keptSecret reads a secret from the file, or makes one and writes it there.
func keptSecret(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err == nil {
		if kept := strings.TrimSpace(string(text)); len(kept) >= minSecret {
			return []byte(kept), nil
		}
		return nil, fmt.Errorf("%s holds no secret; delete it to make a new one", file)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	raw := make([]byte, minSecret)
	if _, err := rand.Read(raw); err != nil {
		return nil, fmt.Errorf("make a secret: %w", err)
	}
	made := hex.EncodeToString(raw)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	if err := os.WriteFile(file, []byte(made+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("keep the secret: %w", err)
	}
	return []byte(made), nil
}
