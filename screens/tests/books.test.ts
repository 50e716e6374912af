/* The live books: nothing is missed, nothing counts twice, what was committed last holds. */
import { describe, expect, it } from 'vitest'
import { applyItems, gravestAlarms, newestHazards, startBooks } from '../src/live/books'
import { alarm, hazard, item } from './things'

const ITEMS = [
  item(1, 'alarm', alarm(1)),
  item(2, 'hazard', hazard('ZH-1')),
  item(3, 'alarm', alarm(1, { state: 'active_acked', changed_at_ms: 2000 })),
  item(4, 'alarm', alarm(2, { raised_at_ms: 3000, changed_at_ms: 3000 })),
  item(5, 'alarm', alarm(1, { state: 'closed', changed_at_ms: 4000 })),
  item(6, 'hazard', hazard('ZH-1', { state: 'archived', changed_at_ms: 5000 })),
]
const EMPTY = startBooks(0, [], [])

describe('applyItems', () => {
  it('keeps what is open and lets go of what is closed or archived', () => {
    const books = applyItems(EMPTY, ITEMS)
    expect([...books.alarms.keys()]).toEqual([2])
    expect(books.hazards.size).toBe(0)
    expect(books.lastId).toBe(6)
  })

  it('gives the same books wherever the connection was cut and however much was sent again', () => {
    const whole = applyItems(EMPTY, ITEMS)
    for (let cut = 0; cut <= ITEMS.length; cut++)
      for (let again = 0; again <= cut; again++) {
        const before = applyItems(EMPTY, ITEMS.slice(0, cut))
        expect(applyItems(before, ITEMS.slice(again))).toEqual(whole)
      }
  })

  it('changes nothing, not even the object, when every item was seen', () => {
    const books = applyItems(EMPTY, ITEMS)
    expect(applyItems(books, ITEMS)).toBe(books)
  })

  it('passes over an item that comes twice at once', () => {
    const twice = ITEMS.flatMap((one) => [one, one])
    expect(applyItems(EMPTY, twice)).toEqual(applyItems(EMPTY, ITEMS))
  })

  it('believes the later item, also where its message was received before somebody acknowledged', () => {
    const read = startBooks(2, [alarm(1, { state: 'active_acked', changed_at_ms: 9000 }), alarm(2, { changed_at_ms: 9000 })], [])
    const closed = item(3, 'alarm', alarm(1, { state: 'closed', changed_at_ms: 2000 }))
    const graver = item(4, 'alarm', alarm(2, { severity: 1, changed_at_ms: 2000 }))
    expect(gravestAlarms(applyItems(read, [closed, graver])).map((one) => [one.id, one.severity])).toEqual([[2, 1]])
  })

  it('passes over kinds it does not know, and goes on', () => {
    const books = applyItems(EMPTY, [item(7, 'news', alarm(9)), item(8, 'alarm', alarm(8))])
    expect([...books.alarms.keys()]).toEqual([8])
  })

  it('leaves the books it started from as they were', () => {
    applyItems(EMPTY, ITEMS)
    expect(EMPTY.alarms.size).toBe(0)
  })
})

describe('order', () => {
  it('lists alarms gravest first, however old', () => {
    const grave = alarm(1, { severity: 1 })
    const books = startBooks(0, [alarm(2), alarm(3, { severity: 4 }), grave], [])
    expect(gravestAlarms(books).map((one) => one.id)).toEqual([1, 2, 3])
  })

  it('lists alarms as grave newest first, one that came back by its last coming', () => {
    const back = alarm(1, { cycles: 2, event_ms: 9000 })
    const books = startBooks(0, [alarm(2), back, alarm(3)], [])
    expect(gravestAlarms(books).map((one) => one.id)).toEqual([1, 3, 2])
  })

  it('does not put a late alarm among the old ones for the age of its readings', () => {
    const late = alarm(4, { late: true, event_ms: 1 })
    expect(gravestAlarms(startBooks(0, [alarm(3), late], [])).map((one) => one.id)).toEqual([4, 3])
  })

  it('lists hazards newest first, by number within one instant', () => {
    const books = startBooks(0, [], [hazard('ZH-1'), hazard('ZH-3'), hazard('ZH-2', { opened_at_ms: 5000 })])
    expect(newestHazards(books).map((one) => one.id)).toEqual(['ZH-2', 'ZH-3', 'ZH-1'])
  })
})
