import type { Session } from '@bourse/session'
import { describe, expect, it, vi } from 'vitest'
import { authenticated } from './api.ts'
import { backOff } from './live.ts'
import { clientKey, refusalOf } from './refusal.ts'

function sessionWith(tokens: (string | null)[]) {
  const refresh = vi.fn(async () => void tokens.shift())
  return { session: { accessToken: async () => tokens[0] ?? null, refresh } as unknown as Session, refresh }
}

const refusedAs = (code: string) => Response.json({ errors: [{ message: code, extensions: { code } }] })

describe('requests', () => {
  it('carry the token', async () => {
    const send = vi.fn(async (_input: unknown, _init?: RequestInit) => Response.json({ data: {} }))
    await authenticated(sessionWith(['a']).session, send as typeof fetch)('/graphql')
    expect(new Headers(send.mock.calls[0]?.[1]?.headers).get('Authorization')).toBe('Bearer a')
  })

  it('are asked once more with a new token', async () => {
    const { session, refresh } = sessionWith(['old', 'new'])
    const seen: (string | null)[] = []
    const send = async (_input: unknown, init?: RequestInit) => {
      const token = new Headers(init?.headers).get('Authorization')
      seen.push(token)
      return token === 'Bearer new' ? Response.json({ data: { ok: true } }) : refusedAs('TOKEN_EXPIRED')
    }
    const answer = await authenticated(session, send as typeof fetch)('/graphql', { body: '{}' })
    expect(await answer.json()).toEqual({ data: { ok: true } })
    expect(seen).toEqual(['Bearer old', 'Bearer new'])
    expect(refresh).toHaveBeenCalledTimes(1)
  })

  it('are not asked again for other refusals, nor for visitors', async () => {
    const send = vi.fn(async () => refusedAs('INSUFFICIENT_BALANCE'))
    await authenticated(sessionWith(['a']).session, send as typeof fetch)('/graphql')
    expect(send).toHaveBeenCalledTimes(1)
    const visitor = vi.fn(async () => refusedAs('UNAUTHENTICATED'))
    await authenticated(sessionWith([null]).session, visitor as typeof fetch)('/graphql')
    expect(visitor).toHaveBeenCalledTimes(1)
  })
})

describe('refusals', () => {
  it('are read from every kind of failure', () => {
    const fault = { message: 'no', extensions: { code: 'PRICE_OFF_TICK', details: { tickSize: '0.05' } } }
    const read = { code: 'PRICE_OFF_TICK', message: 'no', details: { tickSize: '0.05' } }
    expect(refusalOf({ message: '', graphQLErrors: [fault] })).toEqual(read)
    expect(refusalOf([fault])).toEqual(read)
    expect(refusalOf([{ message: 'x' }]).code).toBe('INTERNAL_SERVER_ERROR')
    expect(refusalOf(new TypeError('failed to fetch')).code).toBe('NETWORK')
    expect(refusalOf({ message: '', networkError: new Error('x'), graphQLErrors: [] }).code).toBe('NETWORK')
  })
})

describe('reconnecting', () => {
  it('backs off with a bound, and out of step', () => {
    expect(backOff(0, 0)).toBe(300)
    expect(backOff(3, 0)).toBe(2400)
    expect(backOff(1000, 0)).toBe(8000)
    expect(backOff(1000, 1)).toBe(5333)
  })

  it('gives every intent its own key of at most 64 characters', () => {
    const keys = new Set(Array.from({ length: 100 }, clientKey))
    expect(keys.size).toBe(100)
    expect([...keys].every((key) => key.length <= 64)).toBe(true)
  })
})
