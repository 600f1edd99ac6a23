/** The page of an application that runs without the shell: its own session, and a plain way in. */
import { applyPreferences, usePreferences } from '@bourse/design'
import { defineTexts, useRefusalText, useTexts } from '@bourse/locale'
import { Session, SessionError, useSession } from '@bourse/session'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { endpoint } from './contract.ts'
import type { Lifecycle } from './lifecycle.tsx'
import { navigate } from './route.ts'

const texts = defineTexts({
  en: { username: 'Username', password: 'Password', signIn: 'Sign in' },
  'zh-Hans': { username: '用户名', password: '密码', signIn: '登录' },
})

interface Manifest {
  entries: { entry?: { initial?: { js?: string[]; css?: string[] } } }
}

/** The application's built entry, by the name that its build wrote down. */
async function entryOf(base: string): Promise<Lifecycle> {
  const manifest = (await (await fetch(`${base}/manifest.json`)).json()) as Manifest
  const { js = [], css = [] } = manifest.entries.entry?.initial ?? {}
  for (const href of css)
    document.head.append(Object.assign(document.createElement('link'), { rel: 'stylesheet', href }))
  // While developing, hot updates (.mjs) stand beside the entry.
  return import(/* webpackIgnore: true */ js.find((name) => name.endsWith('.js')) ?? '')
}

export async function runAlone(base: string): Promise<void> {
  applyPreferences()
  const app = await entryOf(base)
  const session = new Session({ endpoint })
  void session.restore()
  const root = document.getElementById('root') ?? document.body.appendChild(document.createElement('div'))
  createRoot(root).render(<Alone base={base} app={app} session={session} />)
}

function Alone({ base, app, session }: { base: string; app: Lifecycle; session: Session }) {
  const state = useSession(session)
  const host = useRef<HTMLDivElement>(null)
  const [asked, setAsked] = useState(false)
  const signedIn = state.status === 'signed-in'
  useEffect(() => {
    const container = host.current
    if (!container || asked) return
    const props = { container, session, base, leave: () => setAsked(true) }
    // One after the other, also when React mounts twice.
    const mounted = app.bootstrap().then(() => app.mount(props))
    return () => void mounted.then(() => app.unmount(props))
  }, [app, session, base, asked])
  useEffect(() => {
    if (signedIn) setAsked(false)
  }, [signedIn])
  if (asked && !signedIn) return <SignIn session={session} onDone={() => navigate(base)} />
  return <div ref={host} style={{ minHeight: '100dvh' }} />
}

function SignIn({ session, onDone }: { session: Session; onDone(): void }) {
  const text = useTexts(texts)
  const refusal = useRefusalText()
  const { locale } = usePreferences()
  const [error, setError] = useState<string>()
  const submit = async (e: FormEvent<HTMLFormElement>) => {
    e.preventDefault()
    const form = new FormData(e.currentTarget)
    try {
      await session.signIn({ username: String(form.get('username')), password: String(form.get('password')) })
      onDone()
    } catch (failure) {
      setError(refusal(failure instanceof SessionError ? failure : { code: 'NETWORK', message: '' }))
    }
  }
  return (
    <form
      onSubmit={submit}
      lang={locale}
      style={{ display: 'grid', gap: 12, maxWidth: 320, margin: '15vh auto' }}
    >
      <label>
        {text.username} <input name="username" data-testid="username" autoComplete="username" required />
      </label>
      <label>
        {text.password}{' '}
        <input
          name="password"
          data-testid="password"
          type="password"
          autoComplete="current-password"
          required
        />
      </label>
      {error && <p role="alert">{error}</p>}
      <button type="submit" data-testid="sign-in">
        {text.signIn}
      </button>
    </form>
  )
}
