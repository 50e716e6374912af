/* Titles that the service gives in Chinese: the English catalogue has its own, and a code stands for what neither knows. */
import { rules } from '../live/district'
import { words } from '../words'

export function ruleTitle(code: string): string {
  return words.value.ruleTitle[code] ?? rules.value.get(code)?.title ?? code
}

/** `given`: the service's own title, where it came along. */
export function measurandTitle(name: string, given?: string): string {
  return words.value.measurand[name] ?? given ?? name
}

/** Return who did something, in words: `rule:G101` → 规则 G101. */
export function actor(by: string): string {
  const [kind = '', ...name] = by.split(':')
  const known: Partial<Record<string, string>> = words.value.by
  const word = known[kind]
  return word === undefined ? by : [word, name.join(':')].join(' ').trim()
}
