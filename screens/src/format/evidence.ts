/* A finding's evidence as rows of a table: the facts that have a word, in the order of the catalogue. */
import { wordFor, type Words } from '../words'
import { measured } from './number'

export interface Fact {
  readonly label: string
  readonly text: string
}

type Evidence = Readonly<Record<string, unknown>>
/** Returns the name of a measurand. */
export type Naming = (measurand: string) => string

const SAID_WITH_READING = new Set(['measurand', 'value', 'unit'])
/** Facts in the unit of the reading. */
const IN_ITS_UNIT = new Set(
  'set_point baseline spread rise_per_min noise usual_noise noise_of_day in_clean_air drift_limit'.split(' '),
)

/** Return what decided, then (marked) how it cleared. Unknown keys stay in the books and out of the table. */
export function facts(evidence: Evidence, words: Words, naming: Naming): Fact[] {
  const rows = [...reading(evidence, words, naming), ...plain(evidence, words, naming)]
  const clear = evidence['clear']
  if (!isObject(clear)) return rows
  const cleared = facts(clear, words, naming)
  return [...rows, ...cleared.map((fact) => ({ ...fact, label: `${words.fact.clear}·${fact.label}` }))]
}

function reading(evidence: Evidence, words: Words, naming: Naming): Fact[] {
  const { measurand, value } = evidence
  if (typeof measurand !== 'string') return []
  if (typeof value !== 'number') return [{ label: words.fact.measurand, text: naming(measurand) }]
  return [{ label: words.fact.reading, text: `${naming(measurand)} ${quantity(evidence, value)}` }]
}

function plain(evidence: Evidence, words: Words, naming: Naming): Fact[] {
  return Object.entries(words.fact)
    .filter(([key]) => key !== 'clear' && !SAID_WITH_READING.has(key) && said(evidence[key]))
    .filter(([key]) => key !== 'reason' || evidence[key] !== evidence['measurand'])
    .map(([key, label]) => ({ label, text: textOf(key, evidence, words, naming) }))
}

function said(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}

function textOf(key: string, evidence: Evidence, words: Words, naming: Naming): string {
  const value = evidence[key]
  if (key === 'lel_vol') return `${String(value)} %VOL`
  if (IN_ITS_UNIT.has(key) && typeof value === 'number') return quantity(evidence, value)
  if (key === 'peaks' && isObject(value)) return peaks(value, naming)
  if (key === 'limits' && isObject(value)) return limits(value, words)
  if (key === 'sensors' && Array.isArray(value)) return value.filter(isObject).map((one) => sensor(one, words, naming)).join('；')
  return worded(value, words)
}

function quantity(evidence: Evidence, value: number): string {
  const { unit } = evidence
  return typeof unit === 'string' ? `${measured(value)} ${unit}` : measured(value)
}

function peaks(values: Evidence, naming: Naming): string {
  return Object.entries(values)
    .map(([name, value]) => `${naming(name)} ${measured(Number(value))}`)
    .join('、')
}

/** What a rule's signs are held against: names are facts of their own. */
function limits(values: Evidence, words: Words): string {
  return Object.entries(values)
    .map(([name, value]) => `${wordFor(words.fact, name)} ${String(value)}`)
    .join('、')
}

function sensor(one: Evidence, words: Words, naming: Naming): string {
  const seen = reading(one, words, naming).map((fact) => fact.text)
  return [one['device'], one['rule'], ...seen].map(String).join(' ')
}

function worded(value: unknown, words: Words): string {
  if (Array.isArray(value)) return value.map((one) => worded(one, words)).join('、')
  if (typeof value === 'boolean') return value ? words.yes : words.no
  return wordFor(words.factValue, String(value))
}

function isObject(value: unknown): value is Evidence {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
