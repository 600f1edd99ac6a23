/** The page around the applications: the bar at the top, signing in, and which application shows. */

import { useTexts } from '@bourse/locale'
import { type AppName, homeOf, navigate, usePath } from '@bourse/microapp'
import { type Role, type Session, useSession } from '@bourse/session'
import { useEffect, useRef, useState } from 'react'
import { mountApp } from './apps.ts'
import { Bar } from './Bar.tsx'
import { Landing } from './Landing.tsx'
import { Register, SignIn } from './SignIn.tsx'
import styles from './shell.module.css'
import { texts } from './texts.ts'

const roleOf: Record<AppName, Role> = { member: 'MEMBER', agent: 'AGENT', admin: 'ADMIN' }

export function Shell({ session }: { session: Session }) {
  const text = useTexts(texts)
  return (
    <div className={styles.page}>
      <a className={styles.skip} href="#content">
        {text.skip}
      </a>
      <Bar session={session} />
      <main id="content" className={styles.content} tabIndex={-1}>
        <Screen session={session} />
      </main>
    </div>
  )
}

function Screen({ session }: { session: Session }) {
  const text = useTexts(texts)
  const path = usePath()
  const state = useSession(session)
  const [, first = ''] = path.split('/')
  switch (first) {
    case '':
      return <Landing session={session} />
    case 'sign-in':
      return <SignIn session={session} />
    case 'register':
      return <Register session={session} />
    case 'member':
    case 'agent':
    case 'admin':
      break
    default:
      return (
        <section className={styles.notice}>
          <h1>404</h1>
          <p>{text.notFound}</p>
        </section>
      )
  }
  if (state.status === 'restoring') return <p className={styles.notice}>{text.restoring}</p>
  if (state.status === 'signed-in' && state.role !== roleOf[first]) return <WrongRole role={state.role} />
  // Markets are open to visitors; the consoles are not.
  if (state.status === 'signed-out' && first !== 'member') return <SignIn session={session} />
  // Whoever signs in or out gets the application anew: nothing of the person before remains.
  const person = state.status === 'signed-in' ? state.username : ''
  return <Mounted key={`${first} ${person}`} name={first} session={session} />
}

function WrongRole({ role }: { role: Role }) {
  const text = useTexts(texts)
  const home = homeOf[role]
  return (
    <section className={styles.notice}>
      <p>{text.wrongRole(text[home.slice(1) as AppName])}</p>
      <button type="button" className={styles.primary} onClick={() => navigate(home)}>
        {text.goHome}
      </button>
    </section>
  )
}

function Mounted({ name, session }: { name: AppName; session: Session }) {
  const text = useTexts(texts)
  const container = useRef<HTMLDivElement>(null)
  const [phase, setPhase] = useState<'loading' | 'ready' | 'failed'>('loading')
  const [attempt, setAttempt] = useState(0)
  // biome-ignore lint/correctness/useExhaustiveDependencies: an attempt is a new mount
  useEffect(() => {
    if (!container.current) return
    let gone = false
    setPhase('loading')
    const props = { session, base: `/${name}`, leave: navigate }
    const app = mountApp(name, container.current, props)
    app.ready.then(
      () => gone || setPhase('ready'),
      () => gone || setPhase('failed'),
    )
    return () => {
      gone = true
      app.stop()
    }
  }, [name, session, attempt])
  return (
    <>
      {phase === 'loading' && (
        <p className={styles.loading} role="status">
          {text.loading}
        </p>
      )}
      {phase === 'failed' && (
        <section className={styles.notice} role="alert">
          <p>{text.failed}</p>
          <button type="button" className={styles.primary} onClick={() => setAttempt(attempt + 1)}>
            {text.retry}
          </button>
        </section>
      )}
      <div ref={container} className={styles.app} hidden={phase === 'failed'} />
    </>
  )
}
