/**
 * Exact decimals as the API sends them: text such as "12.50". Arithmetic runs on BigInt, so no
 * price, quantity or amount ever passes through a float. The functions take and give text; they
 * know nothing of markets beyond a step (a tick or a lot) that values are multiples of.
 *
 * Text that is not a decimal throws RangeError, except where a function says otherwise: text
 * from the API is always a decimal, and text from a person passes isDecimal or accepts first.
 */

interface Exact {
  /** value = units / 10^scale */
  units: bigint
  scale: number
}

export type Rounding = 'down' | 'up'

const pattern = /^-?\d+(\.\d+)?$/

export function isDecimal(text: string): boolean {
  return pattern.test(text)
}

function read(text: string): Exact {
  if (!isDecimal(text)) throw new RangeError(`not a decimal: ${JSON.stringify(text)}`)
  const point = text.indexOf('.')
  if (point < 0) return { units: BigInt(text), scale: 0 }
  return { units: BigInt(text.slice(0, point) + text.slice(point + 1)), scale: text.length - point - 1 }
}

function write({ units, scale }: Exact): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0')
  const sign = units < 0n ? '-' : ''
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

function rescale(value: Exact, scale: number): bigint {
  return value.units * 10n ** BigInt(scale - value.scale)
}

function together(a: string, b: string): [bigint, bigint, number] {
  const left = read(a)
  const right = read(b)
  const scale = Math.max(left.scale, right.scale)
  return [rescale(left, scale), rescale(right, scale), scale]
}

export function add(a: string, b: string): string {
  const [left, right, scale] = together(a, b)
  return write({ units: left + right, scale })
}

export function subtract(a: string, b: string): string {
  const [left, right, scale] = together(a, b)
  return write({ units: left - right, scale })
}

export function multiply(a: string, b: string): string {
  const left = read(a)
  const right = read(b)
  return write({ units: left.units * right.units, scale: left.scale + right.scale })
}

/** a / b with `scale` decimals, rounded towards minus infinity. Division by zero throws RangeError. */
export function divideDown(a: string, b: string, scale: number): string {
  const [left, right] = together(a, b)
  return write({ units: floorDivide(left * 10n ** BigInt(scale), right), scale })
}

export function compare(a: string, b: string): -1 | 0 | 1 {
  const [left, right] = together(a, b)
  return left < right ? -1 : left > right ? 1 : 0
}

export function isZero(text: string): boolean {
  return read(text).units === 0n
}

export function isPositive(text: string): boolean {
  return read(text).units > 0n
}

export function sum(values: Iterable<string>): string {
  let total = '0'
  for (const value of values) total = add(total, value)
  return total
}

/** How many decimals a step has that count: 2 for "0.01", 0 for "5" and "1.00". */
export function decimalsOf(step: string): number {
  const { scale } = read(trim(step))
  return scale
}

/** Without zeros at the end: "1.50" becomes "1.5", "2.00" becomes "2". */
export function trim(text: string): string {
  if (!text.includes('.')) return text
  return text.replace(/\.?0+$/, '')
}

/** Cut to `scale` decimals, towards minus infinity, or filled up with zeros. */
export function roundDown(text: string, scale: number): string {
  const value = read(text)
  if (value.scale <= scale) return write({ units: rescale(value, scale), scale })
  return write({ units: floorDivide(value.units, 10n ** BigInt(value.scale - scale)), scale })
}

/** The nearest multiple of `step` at or below (down), or at or above (up), with the step's decimals. */
export function snap(text: string, step: string, rounding: Rounding = 'down'): string {
  const [value, unit, scale] = together(text, step)
  let count = floorDivide(value, unit)
  if (rounding === 'up' && count * unit !== value) count += 1n
  return roundDown(write({ units: count * unit, scale }), decimalsOf(step))
}

export function isMultiple(text: string, step: string): boolean {
  const [value, unit] = together(text, step)
  return value % unit === 0n
}

/**
 * One press of a stepper: the next multiple of `step` above or below, never under `least`. Text
 * that is not a decimal counts as zero, so that an empty field can be stepped.
 */
export function stepBy(text: string, step: string, direction: 1 | -1, least = '0'): string {
  const from = isDecimal(text) ? text : '0'
  const on = snap(from, step, direction > 0 ? 'down' : 'up')
  const next = direction > 0 ? add(on, step) : subtract(on, step)
  return compare(next, least) < 0 ? snap(least, step, 'up') : roundDown(next, decimalsOf(step))
}

/** Whether a person may have typed this much of a value with at most `decimals` decimals. */
export function accepts(text: string, decimals: number): boolean {
  return decimals === 0
    ? /^\d{0,18}$/.test(text)
    : new RegExp(`^\\d{0,18}(\\.\\d{0,${decimals}})?$`).test(text)
}

/** What was typed as a decimal: ".5" and "5." become "0.5" and "5"; null while there is no number. */
export function typed(text: string): string | null {
  const whole = text.replace(/\.$/, '').replace(/^\./, '0.')
  return isDecimal(whole) ? whole : null
}

/** For people: thousands apart, and `decimals` decimals where given (cut, never rounded up). */
export function format(text: string, decimals?: number): string {
  const shown = decimals === undefined ? text : roundDown(text, decimals)
  const sign = shown.startsWith('-') ? '-' : ''
  const [whole = '0', fraction] = shown.replace('-', '').split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return sign + (fraction === undefined ? grouped : `${grouped}.${fraction}`)
}

/** An amount for people without needless zeros: at least two decimals, all that count. */
export function tidy(text: string): string {
  const exact = trim(text)
  return format(exact, Math.max(2, decimalsOf(exact)))
}

/** A fraction as a signed percentage with two decimals: "0.0125" becomes "+1.25%". */
export function percent(fraction: string): string {
  const shown = roundTowardsZero(multiply(fraction, '100'), 2)
  const positive = isPositive(shown)
  return `${positive ? '+' : ''}${isZero(shown) ? shown.replace('-', '') : shown}%`
}

/** Short for people: 1234567 becomes 1.23M. Cut, not rounded. */
export function compact(text: string): string {
  const units = [
    ['1000000000', 'B'],
    ['1000000', 'M'],
    ['1000', 'K'],
  ] as const
  const size = text.startsWith('-') ? text.slice(1) : text
  for (const [unit, letter] of units) {
    if (compare(size, unit) >= 0) return `${roundTowardsZero(divideDown(text, unit, 6), 2)}${letter}`
  }
  return format(trim(roundTowardsZero(text, 4)))
}

/** How far `part` is of `whole`, in whole percent from 0 to 100; 0 where whole is zero. For bars, not for money. */
export function share(part: string, whole: string): number {
  if (isZero(whole)) return 0
  const [left, right] = together(part, whole)
  return Math.min(100, Math.max(0, Number((left * 100n) / right)))
}

function roundTowardsZero(text: string, scale: number): string {
  return text.startsWith('-') ? `-${roundDown(text.slice(1), scale)}` : roundDown(text, scale)
}

function floorDivide(a: bigint, b: bigint): bigint {
  if (b === 0n) throw new RangeError('division by zero')
  const quotient = a / b
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient
}
