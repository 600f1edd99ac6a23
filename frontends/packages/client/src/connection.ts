/** Whether live data flows, and since when not. */
export type ConnectionState = 'connecting' | 'open' | 'lost'

export interface Connection {
  state: ConnectionState
  /** When the state began, in milliseconds since 1970. */
  since: number
}

export class ConnectionWatch {
  private current: Connection = { state: 'connecting', since: Date.now() }
  private readonly listeners = new Set<() => void>()

  get = (): Connection => this.current

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  set(state: ConnectionState): void {
    if (state === this.current.state) return
    this.current = { state, since: Date.now() }
    for (const listener of [...this.listeners]) listener()
  }
}
