/**
 * The exchange's API as one person uses it: queries and mutations over HTTP, live data over one
 * WebSocket, both with the session's token, renewed when it has run out.
 */
import type { Session } from '@bourse/session'
import { Client, fetchExchange } from '@urql/core'
import { ConnectionWatch } from './connection.ts'
import { createLive, type Live } from './live.ts'
import { ownWrites } from './ownWrites.ts'

export interface Api {
  urql: Client
  live: Live
  connection: ConnectionWatch
  close(): void
}

export interface ApiOptions {
  /** Of the page's own origin, such as /graphql. */
  endpoint: string
  session: Session
}

export function createApi({ endpoint, session }: ApiOptions): Api {
  const connection = new ConnectionWatch()
  const url = new URL(endpoint, location.href)
  const { live, restart, close } = createLive({
    url: url.href.replace(/^http/, 'ws'),
    session,
    connection,
  })
  const urql = new Client({
    url: url.href,
    exchanges: [ownWrites(), fetchExchange],
    fetch: authenticated(session, fetch.bind(globalThis)),
    preferGetMethod: false,
    requestPolicy: 'network-only',
  })
  let person = personOf(session)
  const stop = session.subscribe(() => {
    const now = personOf(session)
    if (now === person) return
    person = now
    restart() // live data flows as whoever is signed in now
  })
  return {
    urql,
    live,
    connection,
    close: () => {
      stop()
      close()
    },
  }
}

function personOf(session: Session): string | null {
  const state = session.getState()
  return state.status === 'signed-in' ? state.username : null
}

/** How long an answer may take, in milliseconds. A command without one may be sent again with its key. */
const patience = 15_000

/**
 * Sends the session's token along. An answer that says the token is no longer good was refused
 * before anything was done, so it is asked once more with a new token.
 */
export function authenticated(session: Session, send: typeof fetch): typeof fetch {
  const withToken = async (input: RequestInfo | URL, init?: RequestInit) => {
    const token = await session.accessToken()
    const headers = new Headers(init?.headers)
    if (token) headers.set('Authorization', `Bearer ${token}`)
    const late = AbortSignal.timeout(patience)
    const signal = init?.signal ? AbortSignal.any([init.signal, late]) : late
    return { response: await send(input, { ...init, headers, signal }), token }
  }
  return async (input, init) => {
    const { response, token } = await withToken(input, init)
    if (!token || !(await saysExpired(response))) return response
    await session.refresh()
    return (await withToken(input, init)).response
  }
}

async function saysExpired(response: Response): Promise<boolean> {
  try {
    const body = (await response.clone().json()) as { errors?: { extensions?: { code?: string } }[] }
    return (
      body.errors?.some(
        ({ extensions }) => extensions?.code === 'TOKEN_EXPIRED' || extensions?.code === 'UNAUTHENTICATED',
      ) ?? false
    )
  } catch {
    return false // not JSON: urql will say so
  }
}
