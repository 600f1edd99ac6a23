import { useTexts } from '@bourse/locale'
import { homeOf, navigate } from '@bourse/microapp'
import { type Session, useSession } from '@bourse/session'
import { useEffect } from 'react'
import { linkTo } from './Bar.tsx'
import { useDemo } from './demo.ts'
import { DemoSignIns } from './SignIn.tsx'
import styles from './shell.module.css'
import { texts } from './texts.ts'

export function Landing({ session }: { session: Session }) {
  const text = useTexts(texts)
  const state = useSession(session)
  const demo = useDemo()
  const home = state.status === 'signed-in' ? homeOf[state.role] : null
  useEffect(() => {
    if (home) navigate(home, 'replace')
  }, [home])
  return (
    <div className={styles.landing}>
      <section className={styles.hero}>
        <h1>{text.title}</h1>
        <p>{text.lead}</p>
        <div className={styles.actions}>
          <a className={styles.primary} {...linkTo('/member')} data-testid="open-markets">
            {text.openMarkets}
          </a>
          <a className={styles.quiet} {...linkTo('/register')}>
            {text.register}
          </a>
        </div>
      </section>
      {/* Known at once or later, but together: nothing moves that was read already. */}
      {demo !== undefined && (
        <>
          <DemoSignIns session={session} />
          <section className={styles.cards}>
            {(['member', 'agent', 'admin'] as const).map((name) => (
              <a key={name} className={styles.card} {...linkTo(`/${name}`)}>
                <strong>{text[name]}</strong>
                <span>{text[`${name}What`]}</span>
              </a>
            ))}
          </section>
        </>
      )}
    </div>
  )
}
