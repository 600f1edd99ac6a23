/** In place of lodash's: qiankun joins hooks, single ones and lists. */
export default function concat<T>(first: T | T[], ...more: (T | T[])[]): T[] {
  return ([] as T[]).concat(first, ...more)
}
