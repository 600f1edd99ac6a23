package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Params are the costs of argon2id (RFC 9106). They are written into every hash, so that old
// hashes stay verifiable when the costs are raised.
type Params struct {
	// Memory in KiB, 8*Threads..1 GiB.
	Memory uint32
	// Time is the number of passes, 1..64.
	Time uint32
	// Threads is the degree of parallelism, 1..16.
	Threads uint8
}

// DefaultParams cost about 50 ms and 19 MiB a hash on a 2023 server core: OWASP's first choice for
// argon2id.
func DefaultParams() Params { return Params{Memory: 19 * 1024, Time: 2, Threads: 1} }

func (p Params) valid() bool {
	return p.Threads >= 1 && p.Threads <= 16 &&
		p.Time >= 1 && p.Time <= 64 &&
		p.Memory >= 8*uint32(p.Threads) && p.Memory <= 1<<20
}

const (
	saltBytes = 16
	hashBytes = 32
	// maxWaiting bounds how many callers may queue for a turn; more are told that the house is busy.
	maxWaiting = 256
)

// ErrBusy says that too many passwords wait to be hashed. Nothing was checked.
var ErrBusy = errors.New("auth: too many passwords wait to be checked")

// errMalformedHash says that a stored hash is not one that Hash made.
var errMalformedHash = errors.New("auth: malformed password hash")

// Hasher hashes and checks passwords, a bounded number at a time: each costs megabytes and
// milliseconds by design, and sign-in is open to everyone. It is safe for concurrent use.
type Hasher struct {
	params Params
	rand   io.Reader
	turns  chan struct{}
	queue  chan struct{}
	decoy  string
}

// NewHasher returns a hasher with the given costs; rand must be cryptographic and safe for
// concurrent use.
func NewHasher(params Params, rand io.Reader) (*Hasher, error) {
	if !params.valid() {
		return nil, fmt.Errorf("auth: argon2id costs out of range: %+v", params)
	}
	h := &Hasher{
		params: params,
		rand:   rand,
		turns:  make(chan struct{}, runtime.GOMAXPROCS(0)),
		queue:  make(chan struct{}, maxWaiting),
	}
	// No password has the decoy's hash: the salt is random and the password unguessable.
	secret := make([]byte, hashBytes)
	if _, err := io.ReadFull(rand, secret); err != nil {
		return nil, fmt.Errorf("auth: read randomness: %w", err)
	}
	decoy, err := h.Hash(context.Background(), string(secret))
	if err != nil {
		return nil, err
	}
	h.decoy = decoy
	return h, nil
}

// Hash returns the hash of a password in the PHC string format, with salt and costs in it. It waits
// for its turn: errors are ErrBusy, the context's, or of the source of randomness.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := io.ReadFull(h.rand, salt); err != nil {
		return "", fmt.Errorf("auth: read randomness: %w", err)
	}
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	sum := argon2.IDKey(normalise(password), salt, h.params.Time, h.params.Memory, h.params.Threads, hashBytes)
	return encodeHash(h.params, salt, sum), nil
}

// Verify reports whether the password has this hash, in time that does not depend on how much of
// it is right.
func (h *Hasher) Verify(ctx context.Context, password, hash string) (bool, error) {
	params, salt, want, err := decodeHash(hash)
	if err != nil {
		return false, err
	}
	if err := h.enter(ctx); err != nil {
		return false, err
	}
	defer h.leave()
	got := argon2.IDKey(normalise(password), salt, params.Time, params.Memory, params.Threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// VerifyNobody takes as long as Verify and never agrees. It stands in where no such account
// exists, so that the time of an answer does not tell which usernames do.
func (h *Hasher) VerifyNobody(ctx context.Context, password string) error {
	_, err := h.Verify(ctx, password, h.decoy)
	return err
}

// Outdated reports whether a hash was made with other costs than today's and should be renewed at
// the next sign-in, the only moment when the password is known.
func (h *Hasher) Outdated(hash string) bool {
	params, _, _, err := decodeHash(hash)
	return err != nil || params != h.params
}

func (h *Hasher) enter(ctx context.Context) error {
	select {
	case h.queue <- struct{}{}:
	default:
		return ErrBusy
	}
	select {
	case h.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		<-h.queue
		return ctx.Err()
	}
}

func (h *Hasher) leave() {
	<-h.turns
	<-h.queue
}

func encodeHash(p Params, salt, sum []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.Memory, p.Time, p.Threads,
		base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

// decodeHash bounds the costs that it reads: a hash row that someone tampered with must not be able
// to ask for terabytes.
func decodeHash(hash string) (p Params, salt, sum []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return Params{}, nil, nil, errMalformedHash
	}
	costs := strings.Split(parts[3], ",")
	if len(costs) != 3 {
		return Params{}, nil, nil, errMalformedHash
	}
	memory, err1 := parseCost(costs[0], "m=", 32)
	passes, err2 := parseCost(costs[1], "t=", 32)
	threads, err3 := parseCost(costs[2], "p=", 8)
	salt, err4 := base64.RawStdEncoding.DecodeString(parts[4])
	sum, err5 := base64.RawStdEncoding.DecodeString(parts[5])
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return Params{}, nil, nil, fmt.Errorf("%w: %w", errMalformedHash, err)
	}
	p = Params{Memory: uint32(memory), Time: uint32(passes), Threads: uint8(threads)}
	if !p.valid() || len(salt) < 8 || len(salt) > 64 || len(sum) < 16 || len(sum) > 64 {
		return Params{}, nil, nil, errMalformedHash
	}
	return p, salt, sum, nil
}

func parseCost(s, prefix string, bits int) (uint64, error) {
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return 0, errMalformedHash
	}
	return strconv.ParseUint(digits, 10, bits)
}
