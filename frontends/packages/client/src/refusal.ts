import type { Refusal } from '@bourse/locale'
import { randomKey } from '@bourse/session'

interface Fault {
  message: string
  extensions?: Record<string, unknown>
}

interface Combined {
  message: string
  networkError?: Error | undefined
  graphQLErrors?: readonly Fault[] | undefined
}

/** What the exchange said, from whatever a query or a subscription failed with. */
export function refusalOf(error: unknown): Refusal {
  const faults = faultsOf(error)
  const first = faults?.[0]
  if (!first) return { code: 'NETWORK', message: error instanceof Error ? error.message : String(error) }
  const details = first.extensions?.details
  return {
    code: codeIn(first) ?? 'INTERNAL_SERVER_ERROR',
    message: first.message,
    ...(isTexts(details) ? { details } : {}),
  }
}

export function codeOf(error: unknown): string {
  return refusalOf(error).code
}

/** A key that makes a command safe to send again: one per intent, not one per request. */
export function clientKey(): string {
  return randomKey()
}

function faultsOf(error: unknown): readonly Fault[] | undefined {
  if (Array.isArray(error)) return error as Fault[]
  if (typeof error !== 'object' || error === null) return undefined
  const { graphQLErrors } = error as Combined
  return graphQLErrors?.length ? graphQLErrors : undefined
}

function codeIn(fault: Fault): string | undefined {
  const code = fault.extensions?.code
  return typeof code === 'string' ? code : undefined
}

function isTexts(details: unknown): details is Record<string, string> {
  return (
    typeof details === 'object' &&
    details !== null &&
    Object.values(details).every((value) => typeof value === 'string')
  )
}
