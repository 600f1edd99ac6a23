import { describe, expect, it } from 'vitest'
import * as decimal from './index.ts'

describe('arithmetic', () => {
  it('has no float drift', () => {
    expect(decimal.add('0.1', '0.2')).toBe('0.3')
    expect(decimal.multiply('1.1', '1.1')).toBe('1.21')
    expect(decimal.subtract('1', '0.000000000001')).toBe('0.999999999999')
    expect(decimal.add('9007199254740993', '0.1')).toBe('9007199254740993.1')
  })

  it('keeps signs below one', () => {
    expect(decimal.subtract('0.05', '0.10')).toBe('-0.05')
    expect(decimal.compare('-0.5', '0.25')).toBe(-1)
    expect(decimal.compare('1.50', '1.5')).toBe(0)
  })

  it('divides downwards', () => {
    expect(decimal.divideDown('1', '3', 4)).toBe('0.3333')
    expect(decimal.divideDown('-1', '3', 4)).toBe('-0.3334')
    expect(() => decimal.divideDown('1', '0.0', 4)).toThrow(RangeError)
  })

  it('agrees with BigInt on many random pairs', () => {
    let seed = 20261123
    const next = (limit: number) => {
      seed = (seed * 1103515245 + 12345) % 2147483648
      return seed % limit
    }
    for (let i = 0; i < 2000; i++) {
      const a = BigInt(next(1e9) - 5e8)
      const b = BigInt(next(1e9) - 5e8)
      const text = (n: bigint) => decimal.roundDown(decimal.multiply(n.toString(), '0.0001'), 4)
      expect(decimal.add(text(a), text(b))).toBe(text(a + b))
      expect(decimal.compare(text(a), text(b))).toBe(a < b ? -1 : a > b ? 1 : 0)
    }
  })

  it('refuses what is not a decimal', () => {
    for (const text of ['', '.', '1e3', '0x1', ' 1', '1.', '.5', '--1', 'NaN']) {
      expect(() => decimal.add(text, '1'), text).toThrow(RangeError)
    }
  })
})

describe('ticks and lots', () => {
  it('snaps to a step, also one that is no power of ten', () => {
    expect(decimal.snap('101.37', '0.05')).toBe('101.35')
    expect(decimal.snap('101.37', '0.05', 'up')).toBe('101.40')
    expect(decimal.snap('7', '2.5')).toBe('5.0')
    expect(decimal.snap('0.00012345', '0.0001')).toBe('0.0001')
    expect(decimal.snap('3.99', '1')).toBe('3')
  })

  it('steps to the next multiple', () => {
    expect(decimal.stepBy('', '0.01', 1)).toBe('0.01')
    expect(decimal.stepBy('0.01', '0.01', -1)).toBe('0.00')
    expect(decimal.stepBy('0', '0.01', -1)).toBe('0.00')
    expect(decimal.stepBy('10.003', '0.01', 1)).toBe('10.01')
    expect(decimal.stepBy('10.003', '0.01', -1)).toBe('10.00')
    expect(decimal.stepBy('0.5', '0.1', -1, '0.5')).toBe('0.5')
  })

  it('knows multiples and decimals of a step', () => {
    expect(decimal.isMultiple('1.25', '0.05')).toBe(true)
    expect(decimal.isMultiple('1.26', '0.05')).toBe(false)
    expect([decimal.decimalsOf('0.010'), decimal.decimalsOf('5'), decimal.decimalsOf('1.00')]).toEqual([
      2, 0, 0,
    ])
  })
})

describe('typing', () => {
  it('refuses extra digits', () => {
    expect(decimal.accepts('1.23', 2)).toBe(true)
    expect(decimal.accepts('1.234', 2)).toBe(false)
    expect(decimal.accepts('1.', 0)).toBe(false)
    expect(decimal.accepts('-1', 2)).toBe(false)
    expect(decimal.accepts('1,5', 2)).toBe(false)
    expect(decimal.accepts('', 2)).toBe(true)
  })

  it('reads unfinished numbers', () => {
    expect(decimal.typed('5.')).toBe('5')
    expect(decimal.typed('.5')).toBe('0.5')
    expect(decimal.typed('.')).toBeNull()
    expect(decimal.typed('')).toBeNull()
  })
})

describe('for people', () => {
  it('groups thousands and cuts to the asked decimals', () => {
    expect(decimal.format('1234567.891', 2)).toBe('1,234,567.89')
    expect(decimal.format('-1234.5')).toBe('-1,234.5')
    expect(decimal.format('999')).toBe('999')
    expect(decimal.format('0.5', 4)).toBe('0.5000')
  })

  it('shows amounts without needless zeros', () => {
    expect(decimal.tidy('2.00000000')).toBe('2.00')
    expect(decimal.tidy('1450.669700')).toBe('1,450.6697')
    expect(decimal.tidy('1000')).toBe('1,000.00')
  })

  it('shows changes with a sign', () => {
    expect(decimal.percent('0.0125')).toBe('+1.25%')
    expect(decimal.percent('-0.03')).toBe('-3.00%')
    expect(decimal.percent('0.0000')).toBe('0.00%')
    expect(decimal.percent('-0.00001')).toBe('0.00%')
  })

  it('shortens large volumes', () => {
    expect(decimal.compact('1234567')).toBe('1.23M')
    expect(decimal.compact('999.12345')).toBe('999.1234')
    expect(decimal.compact('-1500')).toBe('-1.50K')
  })

  it('measures bars', () => {
    expect(decimal.share('1', '3')).toBe(33)
    expect(decimal.share('5', '0')).toBe(0)
    expect(decimal.share('9', '3')).toBe(100)
  })
})
