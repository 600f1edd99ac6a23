import { describe, expect, it } from 'vitest'
import { applyDepth, type Book, type DepthChange, depthOf, gather, ladder } from './depth.ts'

const snapshot: DepthChange = {
  snapshot: true,
  sequence: '10',
  previousSequence: '0',
  bids: [
    { price: '100', quantity: '1' },
    { price: '99', quantity: '2' },
  ],
  asks: [
    { price: '101', quantity: '3' },
    { price: '102', quantity: '4' },
  ],
}

const change = (previousSequence: string, sequence: string, part: Partial<Book>): DepthChange => ({
  snapshot: false,
  bids: [],
  asks: [],
  ...part,
  sequence,
  previousSequence,
})

const held = applyDepth(null, snapshot) as Book

describe('a book', () => {
  it('begins with a snapshot', () => {
    expect(held).toEqual({ sequence: '10', bids: snapshot.bids, asks: snapshot.asks })
    expect(applyDepth(null, change('0', '1', {}))).toBeNull()
  })

  it('takes changes in sequence', () => {
    const bids = [
      { price: '100', quantity: '0' },
      { price: '99.5', quantity: '7' },
      { price: '9', quantity: '1' },
    ]
    const next = applyDepth(held, change('10', '11', { bids, asks: [{ price: '102', quantity: '0.5' }] }))
    expect(next?.bids.map((l) => `${l.quantity}@${l.price}`)).toEqual(['7@99.5', '2@99', '1@9'])
    expect(next?.asks.map((l) => `${l.quantity}@${l.price}`)).toEqual(['3@101', '0.5@102'])
    expect(held.bids[0]).toEqual({ price: '100', quantity: '1' })
  })

  it('takes one price for one level, however it is written', () => {
    const next = applyDepth(held, change('10', '11', { asks: [{ price: '101.00', quantity: '0.00' }] }))
    expect(next?.asks).toEqual([{ price: '102', quantity: '4' }])
  })

  it('notices a gap', () => {
    expect(applyDepth(held, change('11', '12', {}))).toBeNull()
    expect(applyDepth(held, change('9', '10', {}))).toBeNull()
  })

  it('is replaced by a snapshot, whatever came before', () => {
    const again = applyDepth(held, { ...snapshot, sequence: '50', bids: [] })
    expect(again).toEqual({ sequence: '50', bids: [], asks: snapshot.asks })
  })

  it('ends equal to the snapshots of another, on random changes', () => {
    let seed = 7
    const next = (limit: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648
      return seed % limit
    }
    const truth = new Map<string, string>()
    let book = applyDepth(null, { ...snapshot, bids: [], asks: [] }) as Book
    for (let i = 0; i < 500; i++) {
      const level = { price: String(next(30)), quantity: String(next(3)) }
      if (level.quantity === '0') truth.delete(level.price)
      else truth.set(level.price, level.quantity)
      book = applyDepth(book, change(book.sequence, String(100 + i), { bids: [level] })) as Book
    }
    const expected = [...truth].sort((a, b) => Number(b[0]) - Number(a[0]))
    expect(book.bids.map((l) => [l.price, l.quantity])).toEqual(expected)
  })
})

describe('what is shown of it', () => {
  it('adds up from the best price', () => {
    const most = depthOf(held.asks, 2)
    expect(most).toBe('7')
    expect(ladder(held.asks, 2).map((r) => [r.total, r.share])).toEqual([
      ['3', 42],
      ['7', 100],
    ])
    expect(ladder(held.bids, 1, most).map((r) => r.share)).toEqual([14])
  })

  it('gathers levels without making a price look better', () => {
    const levels = [
      { price: '101.5', quantity: '1' },
      { price: '101.9', quantity: '2' },
      { price: '102.1', quantity: '3' },
    ]
    expect(gather(levels, '1', 'asks')).toEqual([
      { price: '102', quantity: '3' },
      { price: '103', quantity: '3' },
    ])
    expect(gather([...levels].reverse(), '1', 'bids')).toEqual([
      { price: '102', quantity: '3' },
      { price: '101', quantity: '3' },
    ])
  })
})
