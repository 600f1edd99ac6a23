import type { Session } from '@bourse/session'
import { gql } from '@urql/core'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ConnectionWatch } from './connection.ts'
import { createLive } from './live.ts'

/** The exchange's end of a WebSocket: it acknowledges, and answers a subscription with the token that it was opened with. */
class Wire {
  static readonly CONNECTING = 0
  static readonly OPEN = 1
  static readonly CLOSING = 2
  static readonly CLOSED = 3
  static readonly all: Wire[] = []
  readyState = Wire.OPEN
  onopen: (() => void) | undefined
  onclose: ((event: { code: number; reason: string }) => void) | undefined
  onmessage: ((event: { data: string }) => void) | undefined
  private token = 'nobody'

  constructor() {
    Wire.all.push(this)
    queueMicrotask(() => this.onopen?.())
  }

  send(text: string) {
    const message = JSON.parse(text) as { type: string; id: string; payload?: { authorization?: string } }
    if (message.type === 'connection_init') {
      this.token = message.payload?.authorization ?? this.token
      this.tell({ type: 'connection_ack' })
    }
    if (message.type === 'subscribe') {
      this.tell({ id: message.id, type: 'next', payload: { data: { token: this.token } } })
    }
  }

  close(code: number) {
    this.readyState = Wire.CLOSED
    this.onclose?.({ code, reason: '' })
  }

  private tell(message: unknown) {
    queueMicrotask(() => this.onmessage?.({ data: JSON.stringify(message) }))
  }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('comes back with a new token when the old one ends its connection, and nobody notices', async () => {
  const tokens = ['old', 'new']
  const session = { accessToken: async () => tokens.shift() } as unknown as Session
  const connection = new ConnectionWatch()
  const { live, close } = createLive({
    url: 'ws://exchange/graphql',
    session,
    connection,
    webSocketImpl: Wire,
  })
  const next = vi.fn()
  const refused = vi.fn()
  const states: string[] = []
  connection.subscribe(() => void states.push(connection.get().state))
  const stop = live(gql`subscription Token { token }`, {}, { next, refused })
  await vi.waitFor(() => expect(next).toHaveBeenLastCalledWith({ token: 'Bearer old' }))
  Wire.all.at(-1)?.close(4403)
  await vi.waitFor(() => expect(next).toHaveBeenLastCalledWith({ token: 'Bearer new' }))
  expect(next).toHaveBeenCalledTimes(2)
  expect(refused).not.toHaveBeenCalled()
  expect(states).toEqual(['open', 'connecting', 'open'])
  stop()
  close()
})
