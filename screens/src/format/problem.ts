/* A failure in the words of the chosen language. */
import { ProblemError } from '../api/request'
import { fill, words } from '../words'

export function problemText(error: unknown): string {
  if (!(error instanceof ProblemError)) return String(error)
  const table: Partial<Record<string, string>> = words.value.problem
  return fill(table[error.kind] ?? error.message, { detail: error.message })
}
