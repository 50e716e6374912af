/* The open alarms and hazards as the screens keep them: a start from two lists, then one stream item after the other.

   Pure: the same items in the same order give the same books, and an item that comes twice changes nothing. Items are in
   the order of commits, and that alone says what is newer: a change bears the time its message was received, which may
   be before that of an acknowledgement already here. */
import type { Alarm, Hazard, StreamItem } from '../api/types'

export interface Books {
  /** The newest stream item that is in here: resume after it. */
  readonly lastId: number
  readonly alarms: ReadonlyMap<number, Alarm>
  readonly hazards: ReadonlyMap<string, Hazard>
}

const DONE = new Set<string>(['closed', 'archived'])

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

function put<K, T extends { readonly id: K; readonly state: string }>(entries: Map<K, T>, entry: T): void {
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
