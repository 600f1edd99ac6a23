/**
 * A market's book as this browser holds it: a snapshot, then changes, each naming the sequence it
 * follows. A change that follows another than ours means that one was missed, and only a new
 * snapshot helps.
 */
import { add, compare, isZero, share, snap, trim } from '@bourse/decimal'

export interface Level {
  price: string
  quantity: string
}

export interface Book {
  sequence: string
  /** Best, highest price first. */
  bids: readonly Level[]
  /** Best, lowest price first. */
  asks: readonly Level[]
}

export interface DepthChange extends Book {
  snapshot: boolean
  previousSequence: string
}

/** The book after the change; null when one before it was missed. */
export function applyDepth(book: Book | null, change: DepthChange): Book | null {
  const { sequence } = change
  if (change.snapshot) {
    return { sequence, bids: side([], change.bids, descending), asks: side([], change.asks, ascending) }
  }
  if (!book || change.previousSequence !== book.sequence) return null
  return {
    sequence,
    bids: side(book.bids, change.bids, descending),
    asks: side(book.asks, change.asks, ascending),
  }
}

const ascending = (a: Level, b: Level) => compare(a.price, b.price)
const descending = (a: Level, b: Level) => compare(b.price, a.price)

function side(
  levels: readonly Level[],
  changes: readonly Level[],
  order: (a: Level, b: Level) => number,
): readonly Level[] {
  if (changes.length === 0) return levels
  const byPrice = new Map(levels.map((level) => [trim(level.price), level]))
  for (const { price, quantity } of changes) {
    if (isZero(quantity)) byPrice.delete(trim(price))
    else byPrice.set(trim(price), { price, quantity })
  }
  return [...byPrice.values()].sort(order)
}

export interface Rung extends Level {
  /** This level and all better ones. */
  total: string
  /** Of the deepest total that is shown, in per cent. */
  share: number
}

/** The best `count` levels with running totals; `most` makes both sides' bars comparable. */
export function ladder(levels: readonly Level[], count: number, most?: string): Rung[] {
  let total = '0'
  const rungs = levels.slice(0, count).map((level) => {
    total = add(total, level.quantity)
    return { ...level, total, share: 0 }
  })
  const whole = most ?? total
  for (const rung of rungs) rung.share = share(rung.total, whole)
  return rungs
}

export function depthOf(levels: readonly Level[], count: number): string {
  return levels.slice(0, count).reduce((total, level) => add(total, level.quantity), '0')
}

/** Levels gathered to multiples of `step`: bids down, asks up, so that no price looks better than it is. */
export function gather(levels: readonly Level[], step: string, kind: 'bids' | 'asks'): Level[] {
  const gathered: Level[] = []
  for (const level of levels) {
    const price = snap(level.price, step, kind === 'bids' ? 'down' : 'up')
    const last = gathered.at(-1)
    if (last?.price === price) last.quantity = add(last.quantity, level.quantity)
    else gathered.push({ price, quantity: level.quantity })
  }
  return gathered
}
