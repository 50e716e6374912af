/* The stream: what the browser does by itself is left to it, the rest is done here. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openStream, PATIENCE_MS, RETRY_MS, SILENCE_MS, type Connection } from '../src/live/stream'
import { alarm, item, status } from './things'

class Source {
  static readonly CLOSED = 2
  static opened: Source[] = []
  readyState = 1
  onopen: () => void = () => undefined
  onerror: () => void = () => undefined
  private readonly listeners = new Map<string, (event: { data: string }) => void>()

  constructor(readonly url: string) {
    Source.opened.push(this)
  }

  addEventListener(name: string, act: (event: { data: string }) => void): void {
    this.listeners.set(name, act)
  }

  send(name: string, data: unknown): void {
    this.listeners.get(name)?.({ data: JSON.stringify(data) })
  }

  close(): void {
    this.readyState = Source.CLOSED
  }
}

let lastId = 7
const seen = { items: [] as number[], connections: [] as Connection[], refused: 0 }
let close: () => void

function newest(): Source {
  const source = Source.opened.at(-1)
  if (source === undefined) throw new Error('no stream was opened')
  return source
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('EventSource', Source)
  Source.opened = []
  lastId = 7
  Object.assign(seen, { items: [], connections: [], refused: 0 })
  close = openStream({
    lastId: () => lastId,
    onItem: (one) => seen.items.push((lastId = one.id)),
    onStatus: () => undefined,
    onConnection: (connection) => seen.connections.push(connection),
    onRefused: () => (seen.refused += 1),
  })
})

afterEach(() => {
  close()
  vi.useRealTimers()
})

describe('the stream', () => {
  it('starts after what is known and hands over what comes', () => {
    expect(newest().url).toContain('after=7')
    newest().send('alarm', item(8, 'alarm', alarm(1)))
    newest().send('status', status())
    expect(seen.items).toEqual([8])
    expect(seen.connections.at(-1)).toBe('live')
  })

  it('says nothing of a break that is over soon', () => {
    newest().onopen()
    newest().onerror()
    vi.advanceTimersByTime(PATIENCE_MS - 1)
    newest().onopen()
    vi.advanceTimersByTime(PATIENCE_MS)
    expect(seen.connections).not.toContain('reconnecting')
    expect(Source.opened).toHaveLength(1)
  })

  it('says so when a break lasts, and leaves coming back to the browser', () => {
    newest().onerror()
    vi.advanceTimersByTime(PATIENCE_MS)
    expect(seen.connections.at(-1)).toBe('reconnecting')
    expect(seen.refused).toBe(0)
    expect(Source.opened).toHaveLength(1)
  })

  it('asks who we are when it was refused, and tries again after the newest item', () => {
    newest().send('alarm', item(9, 'alarm', alarm(1)))
    newest().close()
    newest().onerror()
    expect(seen.refused).toBe(1)
    vi.advanceTimersByTime(RETRY_MS)
    expect(Source.opened).toHaveLength(2)
    expect(newest().url).toContain('after=9')
  })

  it('takes a stream that says nothing at all for dead', () => {
    newest().onopen()
    vi.advanceTimersByTime(SILENCE_MS)
    expect(seen.connections.at(-1)).toBe('reconnecting')
    expect(Source.opened).toHaveLength(2)
    expect(Source.opened[0]?.readyState).toBe(Source.CLOSED)
  })

  it('is quiet once closed', () => {
    close()
    vi.advanceTimersByTime(10 * SILENCE_MS)
    expect(Source.opened).toHaveLength(1)
  })
})
