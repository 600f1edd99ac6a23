/**
 * Who is signed in, in this tab. The access token lives in memory only. The refresh token lives
 * in sessionStorage, so that a reload keeps the session and another tab may be someone else.
 *
 *   signed-out --signIn/register--> signed-in --refused refresh/signOut--> signed-out
 *       restoring (a reload found a refresh token) --refresh--> signed-in
 *
 * Refresh tokens rotate and a reused one ends the session, therefore at most one refresh runs at
 * a time: within the tab by sharing its promise; across tabs that were duplicated from one
 * another by a lock, and by telling the twin the new tokens.
 */
import {
  RefreshSessionDocument,
  RegisterDocument,
  type RegisterInput,
  type Role,
  SignInDocument,
  type SignInInput,
  SignOutDocument,
  type TokensFragment,
  type TypedDocumentString,
} from './gql/graphql.ts'

export interface Identity {
  role: Role
  username: string
  displayName: string
}

export type SessionState =
  | { status: 'signed-out'; reason?: 'ended' }
  | { status: 'restoring' }
  | ({ status: 'signed-in' } & Identity)

/** A refusal of the API, or NETWORK when none answered. */
export class SessionError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly details: Record<string, string> = {},
  ) {
    super(message)
    this.name = 'SessionError'
  }
}

interface Kept {
  /** Shared by tabs that were duplicated from one another. */
  id: string
  refreshToken: string
}

interface Tokens extends Kept {
  accessToken: string
  expiresAt: number
  identity: Identity
}

type Told = { tokens: Tokens } | { ended: string }

export interface SessionOptions {
  endpoint: string
  fetch?: typeof fetch
  storage?: Storage
  now?: () => number
}

const storageKey = 'bourse.session'
/** A token that ends within this many milliseconds is renewed before it is used. */
const margin = 30_000
/** Browsers cut longer timers to nothing. */
const longestTimer = 2 ** 31 - 1

export class Session {
  private state: SessionState = { status: 'signed-out' }
  private tokens: Tokens | undefined
  private kept: Kept | undefined
  private refreshing: Promise<void> | undefined
  private timer: ReturnType<typeof setTimeout> | undefined
  private readonly listeners = new Set<() => void>()
  private readonly channel: BroadcastChannel | undefined
  private readonly send: typeof fetch
  private readonly storage: Storage
  private readonly now: () => number
  private readonly endpoint: string

  constructor(options: SessionOptions) {
    this.endpoint = options.endpoint
    this.send = options.fetch ?? fetch.bind(globalThis)
    this.storage = options.storage ?? sessionStorage
    this.now = options.now ?? Date.now
    if (typeof BroadcastChannel !== 'undefined') {
      this.channel = new BroadcastChannel(storageKey)
      this.channel.onmessage = (message: MessageEvent<Told>) => this.hear(message.data)
    }
    this.kept = this.load()
    if (this.kept) this.state = { status: 'restoring' }
  }

  getState = (): SessionState => this.state

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  /** Goes on with the session that a reload interrupted. Without a network it stays `restoring` and tries again. */
  async restore(): Promise<void> {
    if (this.state.status !== 'restoring') return
    try {
      await this.refresh()
    } catch {
      if (this.state.status === 'restoring') this.timer = setTimeout(() => void this.restore(), 3000)
    }
  }

  async signIn(input: SignInInput): Promise<Identity> {
    const data = await this.ask(SignInDocument, { input })
    return this.begin(data.signIn)
  }

  async register(input: RegisterInput): Promise<Identity> {
    const data = await this.ask(RegisterDocument, { input })
    return this.begin(data.register)
  }

  /** Ends the session here at once, and at the exchange as soon as it hears of it. */
  async signOut(): Promise<void> {
    const kept = this.kept
    this.end()
    if (!kept) return
    this.channel?.postMessage({ ended: kept.id } satisfies Told)
    await this.ask(SignOutDocument, { refreshToken: kept.refreshToken }).catch(() => undefined)
  }

  /** A token that is good for at least half a minute; null for a visitor. Throws SessionError NETWORK when it cannot be renewed now. */
  async accessToken(): Promise<string | null> {
    if (!this.kept) return null
    if (!this.tokens || this.tokens.expiresAt - this.now() < margin) await this.refresh()
    return this.tokens?.accessToken ?? null
  }

  /** Renews the pair, whatever time is left: the API said that the token is no longer good. */
  refresh(): Promise<void> {
    this.refreshing ??= this.exclusively(() => this.renew()).finally(() => {
      this.refreshing = undefined
    })
    return this.refreshing
  }

  private async renew(): Promise<void> {
    const kept = this.kept
    if (!kept) return
    try {
      const data = await this.ask(RefreshSessionDocument, { refreshToken: kept.refreshToken })
      if (this.kept?.id === kept.id) this.adopt(data.refreshSession, kept.id)
    } catch (error) {
      const refused = error instanceof SessionError && error.code !== 'NETWORK' && !transient.has(error.code)
      if (refused && this.kept?.id === kept.id) this.end('ended')
      throw error
    }
  }

  /** Runs work while no twin tab does; a twin that just renewed has told us its tokens, which then do. */
  private async exclusively(work: () => Promise<void>): Promise<void> {
    const before = this.kept?.refreshToken
    if (!this.kept || !navigator.locks) return work()
    await navigator.locks.request(`${storageKey}.${this.kept.id}`, async () => {
      await new Promise((resolve) => setTimeout(resolve, 0))
      if (this.kept?.refreshToken === before) await work()
    })
  }

  private begin(tokens: TokensFragment): Identity {
    this.adopt(tokens, randomKey())
    return identityOf(tokens)
  }

  private adopt(answer: TokensFragment, id: string): void {
    const tokens: Tokens = {
      id,
      refreshToken: answer.refreshToken,
      accessToken: answer.accessToken,
      expiresAt: Date.parse(answer.accessTokenExpiresAt),
      identity: identityOf(answer),
    }
    this.hold(tokens)
    this.channel?.postMessage({ tokens } satisfies Told)
  }

  private hold(tokens: Tokens): void {
    this.tokens = tokens
    this.kept = { id: tokens.id, refreshToken: tokens.refreshToken }
    this.save()
    this.plan(tokens.expiresAt - this.now() - margin)
    this.become({ status: 'signed-in', ...tokens.identity })
  }

  private plan(delay: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(
      () => {
        this.refresh().catch(() => {
          if (this.kept) this.plan(5000)
        })
      },
      Math.min(Math.max(delay, 1000), longestTimer),
    )
  }

  private hear(told: Told): void {
    if ('ended' in told) {
      if (told.ended === this.kept?.id) this.end()
    } else if (told.tokens.id === this.kept?.id) {
      this.hold(told.tokens)
    }
  }

  private end(reason?: 'ended'): void {
    clearTimeout(this.timer)
    this.tokens = undefined
    this.kept = undefined
    this.save()
    this.become(reason ? { status: 'signed-out', reason } : { status: 'signed-out' })
  }

  private become(state: SessionState): void {
    if (JSON.stringify(state) === JSON.stringify(this.state)) return
    this.state = state
    for (const listener of [...this.listeners]) listener()
  }

  private load(): Kept | undefined {
    try {
      const kept = JSON.parse(this.storage.getItem(storageKey) ?? 'null') as Partial<Kept> | null
      if (typeof kept?.id === 'string' && typeof kept.refreshToken === 'string') {
        return { id: kept.id, refreshToken: kept.refreshToken }
      }
    } catch {
      // blocked or foreign storage: a visitor
    }
    return undefined
  }

  private save(): void {
    try {
      if (this.kept) this.storage.setItem(storageKey, JSON.stringify(this.kept))
      else this.storage.removeItem(storageKey)
    } catch {
      // blocked storage: the session lasts as long as the page
    }
  }

  private async ask<Data, Variables>(
    document: TypedDocumentString<Data, Variables>,
    variables: Variables,
  ): Promise<Data> {
    let answer: Answer<Data>
    try {
      const response = await this.send(this.endpoint, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Accept: 'application/graphql-response+json, application/json',
        },
        body: JSON.stringify({ query: document.toString(), variables }),
      })
      answer = (await response.json()) as Answer<Data>
    } catch {
      throw new SessionError('NETWORK', 'no answer')
    }
    const error = answer.errors?.[0]
    if (error) {
      throw new SessionError(
        error.extensions?.code ?? 'INTERNAL_SERVER_ERROR',
        error.message,
        error.extensions?.details,
      )
    }
    if (!answer.data) throw new SessionError('NETWORK', 'an answer without data')
    return answer.data
  }
}

/** 128 random bits as text. Works on plain http too, where crypto.randomUUID is not there. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}

/** Refusals that say nothing about the session itself. */
const transient = new Set(['UNAVAILABLE', 'OVERLOADED', 'RATE_LIMITED', 'INTERNAL_SERVER_ERROR'])

interface Answer<Data> {
  data?: Data | null
  errors?: { message: string; extensions?: { code?: string; details?: Record<string, string> } }[]
}

function identityOf({ role, username, displayName }: TokensFragment): Identity {
  return { role, username, displayName }
}
