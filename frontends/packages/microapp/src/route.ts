/**
 * Addresses below an application's base. Enough of a router for a handful of screens: a pattern
 * such as /market/:symbol, the browser's back button, and links that are real links.
 */
import { createContext, type MouseEvent, useCallback, useContext, useMemo, useSyncExternalStore } from 'react'

const BaseContext = createContext('')
export const Base = BaseContext.Provider

const moved = 'bourse:moved'

/** Goes to an address of the page, base included. */
export function navigate(path: string, how: 'push' | 'replace' = 'push'): void {
  if (path === location.pathname + location.search) return
  if (how === 'push') history.pushState(null, '', path)
  else history.replaceState(null, '', path)
  window.dispatchEvent(new Event(moved))
}

function onMove(listener: () => void): () => void {
  window.addEventListener('popstate', listener)
  window.addEventListener(moved, listener)
  return () => {
    window.removeEventListener('popstate', listener)
    window.removeEventListener(moved, listener)
  }
}

/** The path as it stands in the address bar. */
export function usePath(): string {
  return useSyncExternalStore(onMove, () => location.pathname)
}

/** The path below the application's base, beginning with a slash. */
export function useLocalPath(): string {
  const base = useContext(BaseContext)
  const path = usePath()
  return useMemo(() => localPath(path, base), [path, base])
}

export function localPath(path: string, base: string): string {
  if (path !== base && !path.startsWith(`${base}/`)) return '/'
  return path.slice(base.length).replace(/\/+$/, '') || '/'
}

/** The parameters where the path fits the pattern, else null. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/')
  const found = path.split('/')
  if (wanted.length !== found.length) return null
  const parameters: Record<string, string> = {}
  for (const [i, part] of wanted.entries()) {
    const value = found[i] ?? ''
    if (part.startsWith(':')) {
      try {
        parameters[part.slice(1)] = decodeURIComponent(value)
      } catch {
        return null
      }
    } else if (part !== value) {
      return null
    }
  }
  return parameters
}

/** What a link to a local path needs: a real address, and no reload on a plain click. */
export function useLinks(): {
  go: (path: string, how?: 'push' | 'replace') => void
  link: (path: string) => { href: string; onClick: (e: MouseEvent) => void }
} {
  const base = useContext(BaseContext)
  const go = useCallback(
    (path: string, how?: 'push' | 'replace') => navigate(path === '/' ? base : base + path, how),
    [base],
  )
  const link = useCallback(
    (path: string) => ({
      href: path === '/' ? base : base + path,
      onClick: (e: MouseEvent) => {
        if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return
        e.preventDefault()
        go(path)
      },
    }),
    [base, go],
  )
  return { go, link }
}
