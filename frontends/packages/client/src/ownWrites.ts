/**
 * Lets a person read their own writes, whichever process of the exchange answers: what a command was
 * told it had come to, the queries after it insist on.
 */
import { type Exchange, makeOperation, mapExchange } from '@urql/core'

const header = 'Bourse-Min-Sequence'

export function ownWrites(): Exchange {
  let written = 0n
  return mapExchange({
    onOperation: (operation) =>
      operation.kind !== 'query' || written === 0n
        ? operation
        : makeOperation(operation.kind, operation, {
            ...operation.context,
            fetchOptions: { headers: { [header]: String(written) } },
          }),
    onResult: ({ operation, data, error }) => {
      if (operation.kind === 'mutation') {
        const told = sequenceIn(data)
        if (told > written) written = told
      }
      // What cannot be shown in good time is shown late: asked again, there is an answer, though an older one.
      if (error?.graphQLErrors.some(({ extensions }) => extensions.code === 'SEQUENCE_NOT_REACHED')) {
        written = 0n
      }
    },
  })
}

/** The latest sequence that the commands of an answer speak of; 0 where none does. */
function sequenceIn(data: unknown): bigint {
  let latest = 0n
  for (const answer of Object.values((data ?? {}) as Record<string, unknown>)) {
    const { sequence } = (answer ?? {}) as { sequence?: unknown }
    if (typeof sequence !== 'string' || !/^\d+$/.test(sequence)) continue
    const told = BigInt(sequence)
    if (told > latest) latest = told
  }
  return latest
}
