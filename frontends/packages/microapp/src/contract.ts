/**
 * What the shell hands to an application that it mounts. The shell owns the page, the session
 * and the bar at the top; the application owns everything inside `container` and every address
 * below `base`.
 */
import type { Role, Session } from '@bourse/session'

export type AppName = 'member' | 'agent' | 'admin'

export interface MountProps {
  container: HTMLElement
  session: Session
  /** Such as /member: the application's addresses begin with it. */
  base: string
  /** Goes to an address of the shell, such as /sign-in. */
  leave(path: string): void
}

export const homeOf: Record<Role, `/${AppName}`> = { MEMBER: '/member', AGENT: '/agent', ADMIN: '/admin' }

/** One endpoint for everything, on the page's own origin. */
export const endpoint = '/graphql'
