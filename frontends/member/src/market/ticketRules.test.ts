import { describe, expect, it } from 'vitest'
import { assess, type Draft, portion, portionOf } from './ticketRules.ts'

const market = {
  symbol: 'BTC-USDT',
  phase: 'CONTINUOUS' as const,
  tickSize: '0.05',
  lotSize: '0.001',
  minNotional: '10',
  makerFeeRate: '0.001',
  takerFeeRate: '0.002',
  base: { code: 'BTC', scale: 8 },
  quote: { code: 'USDT', scale: 2 },
}
const means = { base: '1.5', quote: '1000' }
const book = {
  sequence: '1',
  bids: [{ price: '99', quantity: '1' }],
  asks: [
    { price: '100', quantity: '1' },
    { price: '102', quantity: '1' },
  ],
}
const buy: Draft = { side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', price: '100', quantity: '1' }
const judge = (part: Partial<Draft>, m: Partial<typeof market> | { phase: 'HALTED' } = {}) =>
  assess({ ...buy, ...part }, { ...market, ...m }, means, book, '100')

describe('a ticket', () => {
  it('works out total and fee as the exchange does', () => {
    expect(judge({})).toMatchObject({ problem: null, notional: '100.00', fee: '0.20', total: '100.20' })
    expect(judge({ side: 'SELL' })).toMatchObject({ problem: null, fee: '0.20', total: '99.80' })
    expect(judge({ price: '33.35', quantity: '1.001' })).toMatchObject({ notional: '33.38', fee: '0.06' })
  })

  it('foresees refusals', () => {
    expect(judge({}, { phase: 'HALTED' }).problem).toBe('MARKET_HALTED')
    expect(judge({ price: '' }).problem).toBe('INVALID_PRICE')
    expect(judge({ price: '0' }).problem).toBe('INVALID_PRICE')
    expect(judge({ price: '100.01' }).problem).toBe('PRICE_OFF_TICK')
    expect(judge({ quantity: '' }).problem).toBe('INVALID_QUANTITY')
    expect(judge({ quantity: '0.000' }).problem).toBe('INVALID_QUANTITY')
    expect(judge({ quantity: '0.0015' }).problem).toBe('QUANTITY_OFF_LOT')
    expect(judge({ quantity: '0.099' }).problem).toBe('BELOW_MIN_NOTIONAL')
    expect(judge({ quantity: '0.1' }).problem).toBeNull()
    expect(judge({ quantity: '10' }).problem).toBe('INSUFFICIENT_BALANCE')
    expect(judge({ side: 'SELL', quantity: '1.501' }).problem).toBe('INSUFFICIENT_BALANCE')
  })

  it('names the most that can be bought, fee included', () => {
    const most = judge({}).most as string
    expect(most).toBe('9.980')
    expect(judge({ quantity: most }).problem).toBeNull()
    expect(judge({ quantity: '9.981' }).problem).toBe('INSUFFICIENT_BALANCE')
  })

  it('walks the book for market orders', () => {
    expect(judge({ type: 'MARKET', price: '', quantity: '1.5' }).notional).toBe('151.00')
    expect(judge({ type: 'MARKET', side: 'SELL', quantity: '0.5' }).notional).toBe('49.50')
    const empty = { ...book, asks: [] }
    expect(assess({ ...buy, type: 'MARKET' }, market, means, empty, null).problem).toBe('NO_LIQUIDITY')
  })

  it('asks nothing of the balance of a visitor', () => {
    expect(assess({ ...buy, quantity: '999' }, market, null, book, null)).toMatchObject({
      problem: null,
      most: null,
    })
  })

  it('warns of a price far from the last', () => {
    expect(judge({ price: '109.95' }).deviation).toBeNull()
    expect(judge({ price: '110' }).deviation).toBe('0.1000')
    expect(judge({ price: '80' }).deviation).toBe('-0.2000')
  })

  it('takes portions in whole lots', () => {
    expect(portion('9.980', 25, '0.001')).toBe('2.495')
    expect(portion('0.003', 50, '0.001')).toBe('0.001')
    expect(portion('9.980', 100, '0.001')).toBe('9.980')
    expect(portion('9.980', 5, '0.001')).toBe('0.499')
    expect(portionOf('4.99', '9.98')).toBe(50)
    expect(portionOf('', '9.98')).toBe(0)
    expect(portionOf('99', '9.98')).toBe(100)
  })
})
