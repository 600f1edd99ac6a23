/**
 * What the router explained last, and whether the next run asks it to. The secret is kept for this tab alone.
 */
import { useSyncExternalStore } from 'react'
import type { Explanation } from './router.ts'

export interface Explained extends Explanation {
  /** Why there is nothing. */
  problem?: string
}

interface State {
  secret: string
  /** Runs ask for plan and timings. */
  withRuns: boolean
  last: Explained | undefined
}

const secretKey = 'bourse.explain.secret'
const runsKey = 'bourse.explain.runs'

let state: State = {
  secret: sessionStorage.getItem(secretKey) ?? '',
  withRuns: sessionStorage.getItem(runsKey) === 'yes',
  last: undefined,
}
const listeners = new Set<() => void>()

export function change(part: Partial<State>) {
  state = { ...state, ...part }
  sessionStorage.setItem(secretKey, state.secret)
  sessionStorage.setItem(runsKey, state.withRuns ? 'yes' : 'no')
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const current = () => state
export const useExplain = () => useSyncExternalStore(subscribe, current)

/** The secret may come behind the # of the address, which no server sees; it does not stay there. */
export function takeSecret() {
  const given = new URLSearchParams(location.hash.slice(1)).get('explain')
  if (!given) return
  change({ secret: given, withRuns: true })
  history.replaceState(null, '', location.pathname + location.search)
}

/** The headers that ask for explanations. */
export function asking(what: 'plan, timings' | 'plan-only'): Record<string, string> {
  return { 'Bourse-Explain': what, ...(state.secret ? { 'Bourse-Explain-Secret': state.secret } : {}) }
}
