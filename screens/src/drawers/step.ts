/* What each step of a hazard's lifecycle asks for beside its basis, and the request made of what was entered. */
import type { HazardStep, TakeStep } from '../api/types'
import { endOfDay } from '../format/time'

export interface StepFields {
  readonly grade: boolean
  readonly assignee: boolean
  readonly due: 'no' | 'may' | 'must'
}

export interface Entered {
  basis: string
  note: string
  grade: 'general' | 'major'
  assignee: string
  /** A day as the browser writes it, `YYYY-MM-DD`. */
  due: string
}

const NOTHING: StepFields = { grade: false, assignee: false, due: 'no' }
const FIELDS: Partial<Record<HazardStep, StepFields>> = {
  register: { ...NOTHING, grade: true },
  assign: { ...NOTHING, assignee: true, due: 'may' },
  reassign: { ...NOTHING, assignee: true, due: 'may' },
  extend: { ...NOTHING, due: 'must' },
  reopen: { ...NOTHING, due: 'may' },
}

export function fieldsOf(step: HazardStep | null): StepFields {
  return (step === null ? undefined : FIELDS[step]) ?? NOTHING
}

/** Return the request: a step says only what it may. A deadline is the end of its day. */
export function stepOf(event: HazardStep, entered: Entered): TakeStep {
  const fields = fieldsOf(event)
  return {
    event,
    basis: entered.basis.trim(),
    note: entered.note.trim(),
    ...(fields.grade ? { grade: entered.grade } : {}),
    ...(fields.assignee ? { assignee: entered.assignee.trim() } : {}),
    ...(fields.due !== 'no' && entered.due !== '' ? { due_ms: endOfDay(entered.due) } : {}),
  }
}
