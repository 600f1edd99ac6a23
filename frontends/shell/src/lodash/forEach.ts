/** In place of lodash's: qiankun walks lists and node lists. */
export default function forEach<T>(list: ArrayLike<T>, work: (item: T, index: number) => void): void {
  Array.from(list).forEach(work)
}
