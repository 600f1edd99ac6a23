/**
 * Subscriptions over one WebSocket. Every subscription of the API begins with a snapshot, so a
 * subscription that ended for whatever reason (connection lost, token expired, reader too slow)
 * is simply opened again: the caller sees a new snapshot and no gap.
 */
import type { Session } from '@bourse/session'
import { type DocumentNode, print } from 'graphql'
import { type Client, type ClientOptions, createClient } from 'graphql-ws'
import type { ConnectionWatch } from './connection.ts'
import { refusalOf } from './refusal.ts'

export interface LiveSink<Data> {
  next(data: Data): void
  /** The exchange refused for good: asking again would not help. */
  refused?(code: string): void
}

export type Live = <Data, Variables>(
  document: Operation<Data, Variables>,
  variables: Variables,
  sink: LiveSink<Data>,
) => () => void

/** A typed document; the phantom member carries its types. */
export type Operation<Data, Variables> = DocumentNode & {
  __apiType?: (variables: Variables) => Data
}

/** Refusals that asking again, perhaps as someone signed in anew, can mend. */
const passing = new Set([
  'NETWORK',
  'SUBSCRIPTION_LAGGED',
  'TOKEN_EXPIRED',
  'UNAUTHENTICATED',
  'UNAVAILABLE',
  'OVERLOADED',
  'RATE_LIMITED',
  'INTERNAL_SERVER_ERROR',
])
const needsToken = new Set(['TOKEN_EXPIRED', 'UNAUTHENTICATED'])

/** 0.3 s, doubling up to 8 s, each shortened by up to a third so that clients do not return in step. */
export function backOff(attempt: number, chance = Math.random()): number {
  const longest = Math.min(8000, 300 * 2 ** Math.min(attempt, 10))
  return Math.round(longest * (1 - chance / 3))
}

const wait = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

/**
 * graphql-ws rejects a promise that nobody holds when the last subscription goes while it still
 * connects. Nothing is wrong then, so nothing is reported.
 */
if (typeof window !== 'undefined') {
  window.addEventListener('unhandledrejection', (event) => {
    const { code, reason } = (event.reason ?? {}) as { code?: unknown; reason?: unknown }
    if (code === 1000 && reason === 'All Subscriptions Gone') event.preventDefault()
  })
}

export interface LiveOptions {
  url: string
  session: Session
  connection: ConnectionWatch
  /** For tests. */
  webSocketImpl?: unknown
}

export function createLive({ url, session, connection, webSocketImpl }: LiveOptions): {
  live: Live
  restart(): void
  close(): void
} {
  let closed = false
  const options: ClientOptions = {
    url,
    webSocketImpl,
    lazy: true,
    lazyCloseTimeout: 3000,
    keepAlive: 10_000,
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: (attempt) => wait(backOff(attempt)),
    shouldRetry: () => !closed,
    connectionParams: async () => {
      const token = await session.accessToken()
      return token ? { authorization: `Bearer ${token}` } : {}
    },
    on: {
      connected: () => connection.set('open'),
      closed: (event) => {
        // 1000 is our own lazy close: nothing is subscribed, nothing is missed. 4403 ends a connection with its
        // token, and graphql-ws comes back at once with the next one.
        const code = (event as { code?: number }).code
        connection.set(code === 1000 || code === 4403 ? 'connecting' : 'lost')
      },
    },
  }
  const client = createClient(options)
  const live: Live = (document, variables, sink) =>
    follow(client, session, connection, print(document), variables, sink)
  return {
    live,
    restart: () => client.terminate(),
    close: () => {
      closed = true
      void client.dispose()
    },
  }
}

function follow<Data, Variables>(
  client: Client,
  session: Session,
  connection: ConnectionWatch,
  query: string,
  variables: Variables,
  sink: LiveSink<Data>,
): () => void {
  let stopped = false
  let stop = () => {}
  let attempt = 0

  const again = async (code: string) => {
    if (stopped) return
    if (!passing.has(code) || (needsToken.has(code) && session.getState().status === 'signed-out')) {
      sink.refused?.(code)
      return
    }
    if (code === 'NETWORK') connection.set('lost')
    await wait(backOff(attempt++))
    if (stopped) return
    if (needsToken.has(code)) {
      await session.refresh().catch(() => undefined)
      client.terminate() // the connection carries the old token
    }
    open()
  }

  const open = () => {
    if (stopped) return
    let settled = false
    const settle = (code: string) => {
      if (settled) return
      settled = true
      void again(code)
    }
    stop = client.subscribe<Data>(
      { query, variables: variables as Record<string, unknown> },
      {
        next: (result) => {
          if (stopped || settled) return
          if (result.errors?.length) {
            settle(refusalOf(result.errors).code)
          } else if (result.data) {
            attempt = 0
            sink.next(result.data)
          }
        },
        error: (error) => settle(socketRefusal(error)),
        complete: () => settle('SUBSCRIPTION_LAGGED'),
      },
    )
  }

  open()
  return () => {
    stopped = true
    stop()
  }
}

/** A closing code says what a GraphQL error would; anything else is the network. */
function socketRefusal(error: unknown): string {
  const code = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined
  if (code === 4401 || code === 4403) return 'TOKEN_EXPIRED'
  return refusalOf(error).code
}
