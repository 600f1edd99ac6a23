import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { knownCodes, refusalText } from './refusals.ts'

const project = join(import.meta.dirname, '../../../..')

function codesOfTheSchema(): string[] {
  const folder = join(project, 'graph/schema')
  const text = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.graphqls'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
  const lists = text.match(/Codes:[A-Z_,\s]+/g) ?? []
  return [...new Set(lists.flatMap((list) => list.slice(6).match(/[A-Z]+(_[A-Z]+)+|[A-Z]{6,}/g) ?? []))]
}

/** The exchange's own table, where it stands beside this project's frontends. */
function codesOfTheExchange(): string[] {
  const folder = join(project, 'engine/fault')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.go') && !name.endsWith('_test.go'))
    .flatMap((name) => [...readFileSync(join(folder, name), 'utf8').matchAll(/\bCode\s*=\s*"([A-Z_]+)"/g)])
    .map((match) => match[1] ?? '')
}

describe('texts of refusals', () => {
  it('cover every code that the schema names', () => {
    const codes = codesOfTheSchema()
    expect(codes.length).toBeGreaterThan(20)
    expect(codes.filter((code) => !knownCodes.includes(code))).toEqual([])
  })

  it('cover every code of the exchange', () => {
    expect(codesOfTheExchange().filter((code) => !knownCodes.includes(code))).toEqual([])
  })

  it('stand in both languages', () => {
    for (const code of knownCodes) {
      const english = refusalText({ code, message: '' }, 'en')
      const chinese = refusalText({ code, message: '' }, 'zh-Hans')
      expect(english, code).toMatch(/[.]$/)
      expect(chinese, code).toMatch(/[\u4e00-\u9fff].*。$/)
    }
  })

  it('keep an unknown code in sight', () => {
    expect(refusalText({ code: 'NEW_ONE', message: 'no' }, 'en')).toBe('no (NEW_ONE)')
  })

  it('show what would be right', () => {
    const refusal = { code: 'PRICE_OFF_TICK', message: '', details: { tickSize: '0.05' } }
    expect(refusalText(refusal, 'en')).toContain('0.05')
  })
})
