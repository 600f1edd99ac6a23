/**
 * Mounting applications. They are ES modules, which qiankun does not load by itself: the shell
 * imports them and hands qiankun the module under a global name, with an empty page around it.
 * Nothing is sandboxed: the applications are ours, and their styles are scoped when built.
 */
import type { AppName, MountProps } from '@bourse/microapp'
import type { MicroApp } from 'qiankun'

const loaded = new Map<AppName, Promise<void>>()

declare global {
  interface Window {
    __POWERED_BY_QIANKUN__?: boolean
  }
}

function load(name: AppName): Promise<void> {
  const known = loaded.get(name)
  if (known) return known
  const entry = APP_ENTRIES[name]
  if (!entry) return Promise.reject(new Error(`${name} was not built`))
  const loading = Promise.all([
    import(/* webpackIgnore: true */ entry.script) as Promise<object>,
    ...entry.styles.map(loadStyle),
  ]).then(([module]) => {
    Object.assign(window, { [globalName(name)]: module })
  })
  loading.catch(() => loaded.delete(name)) // the next visit tries again
  loaded.set(name, loading)
  return loading
}

/** Visitors of the first page do without it. */
const qiankun = () => import('./qiankun.ts')

function globalName(name: AppName): string {
  return `bourse_${name}`
}

function loadStyle(href: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const link = Object.assign(document.createElement('link'), { rel: 'stylesheet', href })
    link.onload = () => resolve()
    link.onerror = () => {
      link.remove()
      reject(new Error(`${href} could not be loaded`))
    }
    document.head.append(link)
  })
}

/** Fetches an application before it is asked for. */
export function preload(name: AppName): void {
  Promise.all([qiankun(), load(name)]).catch(() => undefined) // mounting will say so
}

/** One application starts or stops at a time, however fast the addresses change. */
let turn: Promise<unknown> = Promise.resolve()

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const done = turn.then(work)
  turn = done.catch(() => undefined)
  return done
}

/** Mounts an application into container; the answer stops it. */
export function mountApp(
  name: AppName,
  container: HTMLElement,
  props: Omit<MountProps, 'container'>,
): { ready: Promise<void>; stop(): void } {
  let stopped = false
  let app: MicroApp | undefined
  const ready = inTurn(async () => {
    if (stopped) return
    const [{ loadMicroApp }] = await Promise.all([qiankun(), load(name)])
    if (stopped) return
    window.__POWERED_BY_QIANKUN__ = true
    const empty = { scripts: [], styles: [], html: '<div></div>' }
    app = loadMicroApp({ name: globalName(name), entry: empty, container, props }, { sandbox: false })
    await app.mountPromise
  })
  return {
    ready,
    stop: () => {
      stopped = true
      void inTurn(async () => {
        if (app && app.getStatus() === 'MOUNTED') await app.unmount()
      })
    },
  }
}
