/* The catalogues: both languages say the same things, and English knows every rule and measurand. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fill, switchLanguage, words, wordFor } from '../src/words'
import { en } from '../src/words/en'
import { zh } from '../src/words/zh'

/** What the service says in Chinese itself. */
const ENGLISH_ONLY = ['ruleTitle', 'measurand']

function leaves(table: object, path = ''): [string, string][] {
  return Object.entries(table).flatMap(([key, value]: [string, unknown]) => {
    if (path === '' && ENGLISH_ONLY.includes(key)) return []
    return typeof value === 'object' && value !== null ? leaves(value, `${path}${key}.`) : [[path + key, String(value)]]
  })
}

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort()

describe('the catalogues', () => {
  it('have the same keys, none empty', () => {
    expect(leaves(en).map(([key]) => key)).toEqual(leaves(zh).map(([key]) => key))
    expect([...leaves(en), ...leaves(zh)].filter(([, text]) => text.trim() === '')).toEqual([])
  })

  it('fill in the same names', () => {
    const chinese = new Map(leaves(zh))
    for (const [key, text] of leaves(en)) expect([key, placeholders(text)]).toEqual([key, placeholders(chinese.get(key) ?? '')])
  })

  it('have an English title for every rule in the rule book', () => {
    const book = readFileSync('../docs/reference/rules.md', 'utf-8')
    const codes = [...book.matchAll(/^### ([A-Z]\d{3}) /gm)].map((match) => match[1])
    expect(codes.length).toBeGreaterThan(40)
    expect(codes.filter((code) => en.ruleTitle[code ?? ''] === undefined)).toEqual([])
  })

  it('have an English name for every measurand', () => {
    const table = readFileSync('../domain/measurands.py', 'utf-8')
    const names = [...table.matchAll(/^ {4}\("([a-z0-9_]+)", /gm)].map((match) => match[1])
    expect(names.length).toBeGreaterThan(20)
    expect(names.filter((name) => en.measurand[name ?? ''] === undefined)).toEqual([])
  })

  it('have a word for every state, step and severity of the interface', () => {
    const { components } = JSON.parse(readFileSync('openapi.json', 'utf-8')) as {
      components: { schemas: Record<string, { enum?: (string | number)[] }> }
    }
    const tables = {
      AlarmState: zh.alarmState,
      AlarmEvent: zh.alarmEvent,
      HazardState: zh.hazardState,
      HazardStep: zh.hazardEvent,
      Severity: zh.severity,
      Grade: zh.grade,
      Channel: zh.channel,
      RiskClass: zh.risk,
    }
    for (const [name, table] of Object.entries(tables))
      expect(Object.keys(table)).toEqual(expect.arrayContaining((components.schemas[name]?.enum ?? ['missing']).map(String)))
  })
})

describe('words', () => {
  it('are Chinese first and English at a switch', () => {
    expect(words.value.language.tag).toBe('zh-CN')
    switchLanguage()
    expect(words.value.language.tag).toBe('en-GB')
    switchLanguage()
  })

  it('are filled in by name; a name nobody gave stays visible', () => {
    expect(fill('{count} 条，{what}', { count: 3 })).toBe('3 条，{what}')
  })

  it('give a code that a newer service added as it is', () => {
    expect(wordFor(zh.factValue, 'brand_new')).toBe('brand_new')
  })
})
