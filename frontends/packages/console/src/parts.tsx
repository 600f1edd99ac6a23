import { usePreferences } from '@bourse/design'
import { momentOf, type Refusal, useRefusalText } from '@bourse/locale'
import { Alert, App } from 'antd'
import type { ReactNode } from 'react'
import styles from './console.module.css'

export function PageHead({ title, children }: { title: ReactNode; children?: ReactNode }) {
  return (
    <header className={styles.head}>
      <h1>{title}</h1>
      <div>{children}</div>
    </header>
  )
}

export function RefusalNote({ refusal }: { refusal: Refusal | undefined }) {
  const text = useRefusalText()
  if (!refusal) return null
  return <Alert type="error" showIcon title={text(refusal)} data-testid="error" data-code={refusal.code} />
}

export function Moment({ at }: { at: string | null | undefined }) {
  const { locale } = usePreferences()
  return at ? <time dateTime={at}>{momentOf(at, locale)}</time> : <>—</>
}

/** Says what came of a command: a word of success, or the refusal. */
export function useSay(): { done(text: string): void; refused(refusal: Refusal): void } {
  const { message } = App.useApp()
  const text = useRefusalText()
  return {
    done: (words) => void message.success(words),
    refused: (refusal) => void message.error(text(refusal)),
  }
}
