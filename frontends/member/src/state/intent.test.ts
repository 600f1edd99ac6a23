import { describe, expect, it } from 'vitest'
import { Intent } from './intent.ts'

const order = { side: 'BUY', price: '100', quantity: '1' }

describe('an intent', () => {
  it('keeps its key until it is answered or changed', () => {
    let n = 0
    const intent = new Intent(() => `key-${++n}`)
    expect(intent.keyFor(order)).toBe('key-1')
    expect(intent.keyFor({ ...order })).toBe('key-1')
    expect(intent.keyFor({ ...order, price: '101' })).toBe('key-2')
    intent.answered()
    expect(intent.keyFor({ ...order, price: '101' })).toBe('key-3')
  })
})
