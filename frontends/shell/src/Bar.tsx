import { setPreferences, useDark, usePreferences } from '@bourse/design'
import { useTexts } from '@bourse/locale'
import { homeOf, navigate, usePath } from '@bourse/microapp'
import { type Session, useSession } from '@bourse/session'
import type { MouseEvent } from 'react'
import { useDemo } from './demo.ts'
import styles from './shell.module.css'
import { texts } from './texts.ts'

export function linkTo(path: string) {
  return {
    href: path,
    onClick: (e: MouseEvent) => {
      if (e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return
      e.preventDefault()
      navigate(path)
    },
  }
}

export function Bar({ session }: { session: Session }) {
  const text = useTexts(texts)
  const state = useSession(session)
  const { locale } = usePreferences()
  const dark = useDark()
  const demo = useDemo()
  const path = usePath()
  const signedIn = state.status === 'signed-in'
  const signOut = () => {
    void session.signOut()
    navigate('/')
  }
  return (
    <header className={styles.bar} data-person={signedIn || undefined}>
      <a className={styles.brand} {...linkTo(signedIn ? homeOf[state.role] : '/')}>
        <Mark />
        <span>Bourse</span>
      </a>
      {signedIn && (
        <span className={styles.person} data-testid="signed-in-as" title={state.username}>
          {state.displayName}
          <small>{text[state.role.toLowerCase() as 'member' | 'agent' | 'admin']}</small>
        </span>
      )}
      <span className={styles.space}>
        {demo && (
          <span className={styles.demo} data-testid="demo-banner" title={text.demo}>
            <b>{text.demoShort}</b>
            <span>{text.demoWhat}</span>
          </span>
        )}
      </span>
      <button
        type="button"
        className={styles.icon}
        data-testid="language"
        aria-label={text.languageLabel}
        onClick={() => setPreferences({ locale: locale === 'en' ? 'zh-Hans' : 'en' })}
      >
        {text.language}
      </button>
      <button
        type="button"
        className={styles.icon}
        data-testid="theme"
        aria-label={dark ? text.light : text.dark}
        title={dark ? text.light : text.dark}
        onClick={() => setPreferences({ theme: dark ? 'light' : 'dark' })}
      >
        <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
          {dark ? (
            <path
              d="M10 6.2a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.6ZM10 1v2.4M10 16.6V19M1 10h2.4M16.6 10H19M3.6 3.6l1.7 1.7M14.7 14.7l1.7 1.7M3.6 16.4l1.7-1.7M14.7 5.3l1.7-1.7"
              fill="none"
              stroke="currentColor"
              strokeWidth="1.6"
              strokeLinecap="round"
            />
          ) : (
            <path
              d="M17 11.8A7.2 7.2 0 0 1 8.2 3a7.2 7.2 0 1 0 8.8 8.8Z"
              fill="none"
              stroke="currentColor"
              strokeWidth="1.6"
              strokeLinejoin="round"
            />
          )}
        </svg>
      </button>
      {signedIn && (
        <button type="button" className={styles.quiet} data-testid="sign-out" onClick={signOut}>
          {text.signOut}
        </button>
      )}
      {state.status === 'signed-out' && path !== '/sign-in' && (
        <a className={styles.primary} {...linkTo('/sign-in')} data-testid="go-sign-in">
          {text.signIn}
        </a>
      )}
    </header>
  )
}

export function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="var(--accent)" />
      <path
        d="M9 7v18M16 5v22M23 9v16"
        stroke="var(--on-accent)"
        strokeWidth="1.8"
        strokeLinecap="round"
        opacity="0.75"
      />
      <path d="M7 11h4v9H7zM14 9h4v7h-4zM21 13h4v8h-4z" fill="var(--on-accent)" />
    </svg>
  )
}
