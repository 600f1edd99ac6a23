package rate

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"bourse/router/patience"
)

// Redis is a Store that several routers share. The clock is that of Redis.
type Redis struct{ client redis.UniversalClient }

// NewRedis makes a Store; the caller closes the client. It must heed deadlines (ContextTimeoutEnabled), because a limiter that waits for a
// Redis that does not answer would be worse than none.
func NewRedis(client redis.UniversalClient) (*Redis, error) {
	if err := patience.Heeded(client); err != nil {
		return nil, fmt.Errorf("rate: %w", err)
	}
	return &Redis{client}, nil
}

// take is Memory.Take, said to Redis. KEYS are the accounts; ARGV has interval, burst and cost of each. It answers with three numbers
// for each: whether it is allowed, the microseconds to wait (below 0: for ever), and what remains.
var take = redis.NewScript(`
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
local answer, nexts, all = {}, {}, true
for i, key in ipairs(KEYS) do
  local interval, burst, cost = tonumber(ARGV[3*i-2]), tonumber(ARGV[3*i-1]), tonumber(ARGV[3*i])
  local tolerance = burst * interval
  local full = tonumber(redis.call('GET', key) or '0')
  if full > now + tolerance then
    full = now + tolerance
    redis.call('SET', key, string.format('%.3f', full), 'PX', math.ceil(tolerance / 1000))
  end
  full = math.max(full, now)
  local next = full + cost * interval
  local allowed, wait = 1, 0
  if cost > burst then
    allowed, wait, next = 0, -1, full
  elseif next - now > tolerance + 0.000001 * interval then
    allowed, wait, next = 0, math.ceil(next - now - tolerance), full
  end
  all = all and allowed == 1
  nexts[i] = next
  answer[3*i-2], answer[3*i-1] = allowed, wait
  answer[3*i] = math.max(0, math.floor((now + tolerance - next) / interval + 0.000001))
end
if all then
  for i, key in ipairs(KEYS) do
    if nexts[i] > now then
      redis.call('SET', key, string.format('%.3f', nexts[i]), 'PX', math.ceil((nexts[i] - now) / 1000))
    end
  end
end
return answer
`)

// Take implements Store, in one round trip.
func (r *Redis) Take(ctx context.Context, asks []Ask) ([]Verdict, error) {
	keys, args := make([]string, len(asks)), make([]any, 0, 3*len(asks))
	for i, a := range asks {
		keys[i] = a.Key
		args = append(args, strconv.FormatFloat(a.Interval, 'f', -1, 64), a.Burst, a.Cost)
	}
	answer, err := take.Run(ctx, r.client, keys, args...).Int64Slice()
	if err != nil {
		return nil, fmt.Errorf("ask Redis for a rate limit: %w", err)
	}
	if len(answer) != 3*len(asks) {
		return nil, fmt.Errorf("ask Redis for a rate limit: %d numbers for %d rules", len(answer), len(asks))
	}
	verdicts := make([]Verdict, len(asks))
	for i := range verdicts {
		wait := time.Duration(answer[3*i+1]) * time.Microsecond
		if wait < 0 {
			wait = Never
		}
		verdicts[i] = Verdict{Allowed: answer[3*i] == 1, RetryAfter: wait, Remaining: int(answer[3*i+2])}
	}
	return verdicts, nil
}
