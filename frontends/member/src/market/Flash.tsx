import { compare } from '@bourse/decimal'
import { type ReactNode, useEffect, useRef } from 'react'
import styles from './market.module.css'

/** Lights up green or red, briefly, when the value rises or falls. */
export function Flash(props: {
  value: string | null
  className?: string | undefined
  children: ReactNode
  testId?: string
}) {
  const element = useRef<HTMLSpanElement>(null)
  const before = useRef(props.value)
  useEffect(() => {
    const [was, is] = [before.current, props.value]
    before.current = is
    const span = element.current
    if (!span || !was || !is || was === is) return
    const name = compare(is, was) > 0 ? styles.flashUp : styles.flashDown
    if (!name) return
    span.classList.remove(styles.flashUp ?? '', styles.flashDown ?? '')
    void span.offsetWidth // starts the animation anew
    span.classList.add(name)
  }, [props.value])
  return (
    <span ref={element} className={props.className} data-testid={props.testId}>
      {props.children}
    </span>
  )
}
