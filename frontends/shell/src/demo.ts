/** Whether this is a demonstration house, and who may sign in to it: told by the exchange itself. */
import type { Role } from '@bourse/session'
import { useEffect, useState } from 'react'

export interface DemoSignIn {
  role: Role
  username: string
  password: string
}

export interface Demo {
  signIns: DemoSignIn[]
  /** Lets anyone register. */
  inviteCode: string
}

let asked: Promise<Demo | null> | undefined
let known: Demo | null | undefined

async function ask(): Promise<Demo | null> {
  const response = await fetch('/demo.json')
  if (!response.ok) return null
  const answer = (await response.json()) as {
    demo?: boolean
    inviteCode?: string
    signIns?: Partial<DemoSignIn>[]
  }
  if (answer.demo !== true) return null
  const signIns = (answer.signIns ?? []).flatMap(({ role, username, password }): DemoSignIn[] => {
    const upper = role?.toUpperCase()
    const known = upper === 'MEMBER' || upper === 'AGENT' || upper === 'ADMIN' ? upper : undefined
    return known && username && password ? [{ role: known, username, password }] : []
  })
  return { signIns, inviteCode: answer.inviteCode ?? '' }
}

/** What a demonstration house offers; null in a real one, undefined while nobody has answered. */
export function useDemo(): Demo | null | undefined {
  const [demo, setDemo] = useState(known)
  useEffect(() => {
    let gone = false
    asked ??= ask().catch(() => null)
    void asked.then((answer) => {
      known = answer
      if (!gone) setDemo(answer)
    })
    return () => {
      gone = true
    }
  }, [])
  return demo
}
