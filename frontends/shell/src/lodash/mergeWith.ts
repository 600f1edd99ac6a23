/** In place of lodash's: qiankun merges flat records of hooks, one key at a time. */
export default function mergeWith(
  target: Record<string, unknown>,
  ...rest: [...(Record<string, unknown> | undefined)[], (held: unknown, more: unknown) => unknown]
): Record<string, unknown> {
  const merge = rest.pop() as (held: unknown, more: unknown) => unknown
  for (const source of rest as (Record<string, unknown> | undefined)[]) {
    for (const [key, value] of Object.entries(source ?? {})) target[key] = merge(target[key], value)
  }
  return target
}
