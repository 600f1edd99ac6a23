import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Session, SessionError } from './session.ts'

/** The exchange's session endpoint in miniature: rotating refresh tokens, reuse ends the session. */
class Exchange {
  now = Date.parse('2026-01-01T00:00:00Z')
  current = ''
  count = 0
  refreshes = 0
  down = false
  answerWith: string | undefined

  fetch = vi.fn(async (_url: unknown, init?: RequestInit): Promise<Response> => {
    if (this.down) throw new TypeError('network')
    const { query, variables } = JSON.parse(String(init?.body)) as {
      query: string
      variables: { refreshToken?: string; input?: { password: string } }
    }
    if (this.answerWith) return this.refuse(this.answerWith)
    if (query.includes('signIn(')) {
      return variables.input?.password === 'right' ? this.issue('signIn') : this.refuse('INVALID_CREDENTIALS')
    }
    if (query.includes('refreshSession(')) {
      this.refreshes++
      await Promise.resolve()
      return variables.refreshToken === this.current
        ? this.issue('refreshSession')
        : this.refuse('UNAUTHENTICATED')
    }
    this.current = ''
    return Response.json({ data: { signOut: { signedOut: true } } })
  })

  private issue(field: string): Response {
    this.count++
    this.current = `refresh-${this.count}`
    const tokens = {
      accessToken: `access-${this.count}`,
      accessTokenExpiresAt: new Date(this.now + 300_000).toISOString(),
      refreshToken: this.current,
      refreshTokenExpiresAt: new Date(this.now + 86_400_000).toISOString(),
      role: 'MEMBER',
      username: 'ann',
      displayName: 'Ann',
    }
    return Response.json({ data: { [field]: tokens } })
  }

  private refuse(code: string): Response {
    return Response.json({ data: null, errors: [{ message: code, extensions: { code } }] })
  }
}

let exchange: Exchange
const open = () =>
  new Session({ endpoint: '/graphql', fetch: exchange.fetch as typeof fetch, now: () => exchange.now })
const signIn = (session: Session) => session.signIn({ username: 'ann', password: 'right' })

beforeEach(() => {
  sessionStorage.clear()
  exchange = new Exchange()
})

describe('a session', () => {
  it('signs in and keeps the access token out of storage', async () => {
    const session = open()
    expect(await session.accessToken()).toBeNull()
    await signIn(session)
    expect(session.getState()).toEqual({
      status: 'signed-in',
      role: 'MEMBER',
      username: 'ann',
      displayName: 'Ann',
    })
    expect(await session.accessToken()).toBe('access-1')
    expect(JSON.stringify({ ...sessionStorage })).not.toContain('access-1')
    expect(exchange.refreshes).toBe(0)
  })

  it('tells why a sign-in was refused', async () => {
    const refused = open().signIn({ username: 'ann', password: 'wrong' })
    await expect(refused).rejects.toMatchObject({ name: 'SessionError', code: 'INVALID_CREDENTIALS' })
  })

  it('renews a token before it ends', async () => {
    const session = open()
    await signIn(session)
    exchange.now += 269_000
    expect(await session.accessToken()).toBe('access-1')
    exchange.now += 2_000
    expect(await session.accessToken()).toBe('access-2')
  })

  it('renews once, however many ask', async () => {
    const session = open()
    await signIn(session)
    exchange.now += 400_000
    const tokens = await Promise.all([session.accessToken(), session.accessToken(), session.accessToken()])
    expect(tokens).toEqual(['access-2', 'access-2', 'access-2'])
    expect(exchange.refreshes).toBe(1)
  })

  it('goes on after a reload', async () => {
    await signIn(open())
    const reloaded = open()
    expect(reloaded.getState().status).toBe('restoring')
    await reloaded.restore()
    expect(reloaded.getState()).toMatchObject({ status: 'signed-in', username: 'ann' })
  })

  it('ends when the refresh token is refused', async () => {
    const session = open()
    await signIn(session)
    exchange.current = 'rotated by someone else'
    await expect(session.refresh()).rejects.toBeInstanceOf(SessionError)
    expect(session.getState()).toEqual({ status: 'signed-out', reason: 'ended' })
    expect(await session.accessToken()).toBeNull()
  })

  it('outlives an exchange that does not answer, or cannot now', async () => {
    const session = open()
    await signIn(session)
    exchange.now += 400_000
    exchange.down = true
    await expect(session.accessToken()).rejects.toMatchObject({ code: 'NETWORK' })
    exchange.down = false
    exchange.answerWith = 'UNAVAILABLE'
    await expect(session.accessToken()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    exchange.answerWith = undefined
    expect(session.getState().status).toBe('signed-in')
    expect(await session.accessToken()).toBe('access-2')
  })

  it('signs out here even when the exchange does not hear it', async () => {
    const session = open()
    await signIn(session)
    exchange.down = true
    await session.signOut()
    expect(session.getState()).toEqual({ status: 'signed-out' })
    expect(open().getState()).toEqual({ status: 'signed-out' })
  })

  it('tells its listeners, and only of changes', async () => {
    const session = open()
    const listener = vi.fn()
    session.subscribe(listener)
    await signIn(session)
    await session.refresh()
    expect(listener).toHaveBeenCalledTimes(1)
    await session.signOut()
    expect(listener).toHaveBeenCalledTimes(2)
  })

  it('shares renewed tokens with a duplicated tab', async () => {
    const session = open()
    await signIn(session)
    const twin = open()
    await twin.restore()
    await vi.waitFor(async () => expect(await session.accessToken()).toBe('access-2'))
    await session.refresh()
    await vi.waitFor(async () => expect(await twin.accessToken()).toBe('access-3'))
    await session.signOut()
    await vi.waitFor(() => expect(twin.getState().status).toBe('signed-out'))
  })
})
