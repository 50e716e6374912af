/* The open alarms and hazards as the screens keep them: a start from two lists, then one stream item after the other.

   Pure: the same items in the same order give the same books, an item that comes twice changes nothing, and the list
   that was read after an item was written is never set back by it. */
import type { Alarm, Hazard, StreamItem } from '../api/types'

export interface Books {
  /** The newest stream item that is in here: resume after it. */
  readonly lastId: number
  readonly alarms: ReadonlyMap<number, Alarm>
  readonly hazards: ReadonlyMap<string, Hazard>
}

const DONE = new Set<string>(['closed', 'archived'])

interface Entry {
  readonly state: string
  readonly changed_at_ms: number
}

export function startBooks(feedId: number, alarms: Alarm[], hazards: Hazard[]): Books {
  return {
    lastId: feedId,
    alarms: new Map(alarms.map((alarm) => [alarm.id, alarm])),
    hazards: new Map(hazards.map((hazard) => [hazard.id, hazard])),
  }
}

/** Return the books after these items; items that are already in them are passed over. */
export function applyItems(books: Books, items: readonly StreamItem[]): Books {
  const fresh = items.filter((item) => item.id > books.lastId)
  if (fresh.length === 0) return books
  const alarms = new Map(books.alarms)
  const hazards = new Map(books.hazards)
  let lastId = books.lastId
  for (const item of fresh) {
    if (item.id <= lastId) continue
    lastId = item.id
    if (item.kind === 'alarm') put(alarms, item.body as Alarm)
    if (item.kind === 'hazard') put(hazards, item.body as Hazard)
  }
  return { lastId, alarms, hazards }
}

function put<K, T extends Entry & { readonly id: K }>(entries: Map<K, T>, entry: T): void {
  const known = entries.get(entry.id)
  if (known !== undefined && known.changed_at_ms > entry.changed_at_ms) return
  if (DONE.has(entry.state)) entries.delete(entry.id)
  else entries.set(entry.id, entry)
}

/** Return since when an alarm is what it is: an alarm that came back is as new as its last coming. */
export function since(alarm: Alarm): number {
  return alarm.cycles > 1 ? Math.max(alarm.raised_at_ms, alarm.event_ms) : alarm.raised_at_ms
}

/** Return the alarms, gravest first, the newest first among those as grave. */
export function gravestAlarms(books: Books): Alarm[] {
  return [...books.alarms.values()].sort((a, b) => a.severity - b.severity || since(b) - since(a) || b.id - a.id)
}

/** Return the hazards, newest first. */
export function newestHazards(books: Books): Hazard[] {
  return [...books.hazards.values()].sort((a, b) => b.opened_at_ms - a.opened_at_ms || (a.id < b.id ? 1 : -1))
}
