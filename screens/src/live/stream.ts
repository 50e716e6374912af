/* The live stream: the browser resumes it by the last id it saw; we begin anew where the browser gives up.

   The service sends a status every two seconds, so a stream that says nothing for much longer is dead, whatever the
   network stack believes. */
import type { Status, StreamItem } from '../api/types'

export type Connection = 'connecting' | 'live' | 'reconnecting'

export interface Listener {
  /** The id to start after when a new connection is opened. */
  lastId: () => number
  onItem: (item: StreamItem) => void
  onStatus: (status: Status) => void
  onConnection: (connection: Connection) => void
  /** The service refused the stream: perhaps the session is over. */
  onRefused: () => void
}

export const SILENCE_MS = 15_000
export const RETRY_MS = 3_000
/** A stream ends every few minutes on purpose; a break this short is not worth a word. */
export const PATIENCE_MS = 3_000

class LiveStream {
  private source: EventSource | undefined
  private readonly timers: Record<'silence' | 'retry' | 'patience', number | undefined> = {
    silence: undefined,
    retry: undefined,
    patience: undefined,
  }

  constructor(private readonly listener: Listener) {}

  open(): void {
    this.source?.close()
    const source = new EventSource(`/api/v1/stream?after=${this.listener.lastId()}`)
    this.source = source
    source.onopen = () => this.heard()
    source.onerror = () => this.broken()
    const item = (event: MessageEvent<string>) => this.take(() => this.listener.onItem(JSON.parse(event.data)))
    source.addEventListener('alarm', item)
    source.addEventListener('hazard', item)
    source.addEventListener('status', (event: MessageEvent<string>) =>
      this.take(() => this.listener.onStatus(JSON.parse(event.data))),
    )
    this.after('silence', SILENCE_MS, () => this.silent())
  }

  close(): void {
    this.source?.close()
    for (const timer of Object.values(this.timers)) window.clearTimeout(timer)
  }

  private take(hand: () => void): void {
    this.heard()
    hand()
  }

  private heard(): void {
    window.clearTimeout(this.timers.patience)
    this.timers.patience = undefined
    this.listener.onConnection('live')
    this.after('silence', SILENCE_MS, () => this.silent())
  }

  private broken(): void {
    this.timers.patience ??= window.setTimeout(() => this.listener.onConnection('reconnecting'), PATIENCE_MS)
    if (this.source?.readyState !== EventSource.CLOSED) return // the browser comes back by itself
    this.listener.onRefused()
    this.after('retry', RETRY_MS, () => this.open())
  }

  private silent(): void {
    this.listener.onConnection('reconnecting')
    this.open()
  }

  private after(name: 'silence' | 'retry', delay: number, act: () => void): void {
    window.clearTimeout(this.timers[name])
    this.timers[name] = window.setTimeout(act, delay)
  }
}

/** Open the stream; return what closes it. */
export function openStream(listener: Listener): () => void {
  const stream = new LiveStream(listener)
  stream.open()
  return () => stream.close()
}
