/** Small pieces that several screens show. */
import { usePreferences } from '@bourse/design'
import { type Refusal, useRefusalText, useTexts } from '@bourse/locale'
import type { ReactNode } from 'react'
import styles from './app.module.css'
import { useMember } from './state/member.tsx'
import { texts } from './texts.ts'

export function Empty({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <div className={styles.empty}>
      <p>{children}</p>
      {action}
    </div>
  )
}

export function Skeleton({ rows, height = 44 }: { rows: number; height?: number }) {
  return (
    <div className={styles.skeleton} aria-hidden="true">
      {Array.from({ length: rows }, (_, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all the same
        <span key={i} style={{ height }} />
      ))}
    </div>
  )
}

export function Refused({ refusal, retry }: { refusal: Refusal; retry?: () => void }) {
  const text = useTexts(texts)
  const say = useRefusalText()
  return (
    <div className={styles.refused} role="alert" data-testid="error" data-code={refusal.code}>
      <span>{say(refusal)}</span>
      {retry && (
        <button type="button" className={styles.quiet} onClick={retry}>
          {text.retry}
        </button>
      )}
    </div>
  )
}

export function SignInFirst() {
  const text = useTexts(texts)
  const { leave } = useMember()
  return (
    <Empty
      action={
        <button type="button" className={styles.primary} onClick={() => leave('/sign-in')}>
          {text.signIn}
        </button>
      }
    >
      {text.signInFirst}
    </Empty>
  )
}

/** A private figure: dots while balances are hidden. */
export function Private({ children }: { children: ReactNode }) {
  const { hideBalances } = usePreferences()
  return hideBalances ? <span className={styles.hidden}>••••</span> : children
}

export function Segments<T extends string>(props: {
  label: string
  value: T
  options: readonly { value: NoInfer<T>; label: ReactNode; testId?: string }[]
  onChange: (value: NoInfer<T>) => void
  wide?: boolean
}) {
  return (
    <div
      className={styles.segments}
      role="tablist"
      aria-label={props.label}
      data-wide={props.wide || undefined}
    >
      {props.options.map(({ value, label, testId }) => (
        <button
          key={value}
          type="button"
          role="tab"
          data-testid={testId}
          aria-selected={value === props.value}
          onClick={() => props.onChange(value)}
        >
          {label}
        </button>
      ))}
    </div>
  )
}
