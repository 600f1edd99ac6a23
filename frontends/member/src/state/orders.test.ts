import { describe, expect, it } from 'vitest'
import { applyAnswer, applyOrders, byOrder, type Fill, noOrders, type Order, together } from './orders.ts'

const order = (id: string, part: Partial<Order> = {}): Order => ({
  id,
  market: { symbol: 'BTC-USDT' },
  side: 'BUY',
  type: 'LIMIT',
  timeInForce: 'GTC',
  price: '100',
  quantity: '2',
  filledQuantity: '0',
  remainingQuantity: '2',
  averagePrice: null,
  status: 'OPEN',
  cancelReason: null,
  placedAt: `2026-01-01T00:00:0${id}Z`,
  ...part,
})

const fill = (trade: string): Fill => ({
  trade: { id: trade, market: { symbol: 'BTC-USDT' } },
  order: { id: '1' },
  side: 'BUY',
  liquidity: 'TAKER',
  price: '100',
  quantity: '1',
  fee: '0.1',
  executedAt: '2026-01-01T00:00:00Z',
})

const snapshot = { snapshot: true, sequence: '5', orders: [order('1'), order('2')], fills: [] }
const held = applyOrders(noOrders, snapshot)
const ids = (orders: { open: readonly Order[] }) => orders.open.map(({ id }) => id)

describe('open orders', () => {
  it('begin with a snapshot, newest first', () => {
    expect(ids(held)).toEqual(['2', '1'])
  })

  it('leave when they end, and a new snapshot forgets the rest', () => {
    const next = applyOrders(held, {
      snapshot: false,
      sequence: '6',
      orders: [order('1', { status: 'FILLED' })],
      fills: [],
    })
    expect(ids(next)).toEqual(['2'])
    expect(ids(applyOrders(next, { ...snapshot, orders: [order('3')] }))).toEqual(['3'])
  })

  it('take a command answer only where the feed has not gone past it', () => {
    expect(ids(applyAnswer(held, order('3'), '6'))).toEqual(['3', '2', '1'])
    const filled = applyOrders(held, {
      snapshot: false,
      sequence: '7',
      orders: [order('3', { status: 'FILLED' })],
      fills: [],
    })
    expect(ids(applyAnswer(filled, order('3'), '6'))).toEqual(['2', '1'])
    expect(ids(applyAnswer(held, order('2', { status: 'CANCELLED' }), '6'))).toEqual(['1'])
  })
})

describe('fills', () => {
  it('come newest first and once', () => {
    const next = applyOrders(held, {
      snapshot: false,
      sequence: '6',
      orders: [],
      fills: [fill('a'), fill('b')],
    })
    const again = applyOrders(next, {
      snapshot: false,
      sequence: '7',
      orders: [],
      fills: [fill('b'), fill('c')],
    })
    expect(again.fills.map((f) => f.trade.id)).toEqual(['c', 'b', 'a'])
  })

  it('are told of together, at their mean price', () => {
    const two = [
      { ...fill('a'), price: '100.00', quantity: '1' },
      { ...fill('b'), price: '103.00', quantity: '2' },
    ]
    const other = { ...fill('c'), order: { id: '2' } }
    expect(byOrder([...two, other]).map((fills) => fills.length)).toEqual([2, 1])
    expect(together(two)).toEqual({ quantity: '3', price: '102.00' })
    expect(together([fill('a')])).toEqual({ quantity: '1', price: '100' })
  })
})
