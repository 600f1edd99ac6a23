/** Whether this is a demonstration house, and who may sign in to it: told by the exchange itself. */
import type { Role } from '@bourse/session'
import { useEffect, useState } from 'react'

export interface DemoSignIn {
  role: Role
  username: string
  password: string
}

let asked: Promise<DemoSignIn[] | null> | undefined

async function ask(): Promise<DemoSignIn[] | null> {
  const response = await fetch('/demo.json')
  if (!response.ok) return null
  const answer = (await response.json()) as { demo?: boolean; signIns?: Partial<DemoSignIn>[] }
  if (answer.demo !== true) return null
  return (answer.signIns ?? []).flatMap(({ role, username, password }) => {
    const upper = role?.toUpperCase()
    const known = upper === 'MEMBER' || upper === 'AGENT' || upper === 'ADMIN' ? upper : undefined
    return known && username && password ? [{ role: known, username, password }] : []
  })
}

/** The sign-ins of a demonstration house; null in a real one and while nobody has answered. */
export function useDemo(): DemoSignIn[] | null {
  const [signIns, setSignIns] = useState<DemoSignIn[] | null>(null)
  useEffect(() => {
    let gone = false
    asked ??= ask().catch(() => null)
    void asked.then((answer) => {
      if (!gone) setSignIns(answer)
    })
    return () => {
      gone = true
    }
  }, [])
  return signIns
}
