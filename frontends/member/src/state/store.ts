import { useSyncExternalStore } from 'react'

/** A value that many components watch. With `paced`, watchers hear of changes once per animation frame. */
export class Store<T> {
  private readonly listeners = new Set<() => void>()
  private frame = 0

  constructor(
    private value: T,
    private readonly paced = false,
  ) {}

  /** The newest value, also when watchers have not heard of it yet. */
  get = (): T => this.value

  set(value: T): void {
    if (Object.is(value, this.value)) return
    this.value = value
    if (!this.paced) this.tell()
    else if (!this.frame) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0
        this.tell()
      })
    }
  }

  update(change: (value: T) => T): void {
    this.set(change(this.value))
  }

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener()
  }
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get)
}
