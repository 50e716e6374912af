/* What a row of a hazard's chain says beside its basis: grade, who is responsible, until when, which alarm. */
import type { Words } from '../words'
import { wordFor } from '../words'
import { dateTime } from '../format/time'

type Data = Readonly<Record<string, unknown>>

/** Return each of them as `label: value`; what a row does not say is left out. */
export function said(data: Data, words: Words): string[] {
  const { grade, assignee, due_ms: due, alarm } = data
  return [
    typeof grade === 'string' ? [words.hazard.graded, wordFor(words.grade, grade)] : [],
    typeof assignee === 'string' ? [words.hazard.assignee, assignee] : [],
    typeof due === 'number' ? [words.hazard.due, dateTime(due)] : [],
    typeof alarm === 'number' ? [words.alarm.event, `#${alarm}`] : [],
  ]
    .filter((pair) => pair.length > 0)
    .map((pair) => pair.join(' '))
}
