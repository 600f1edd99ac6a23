/** In place of lodash's: qiankun remembers answers by their first argument. */
export default function memoize<A, R>(work: (argument: A) => R): (argument: A) => R {
  const known = new Map<A, R>()
  return (argument) => {
    if (!known.has(argument)) known.set(argument, work(argument))
    return known.get(argument) as R
  }
}
