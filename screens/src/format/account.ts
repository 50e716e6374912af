/* The account of messages, and what of the service's own state somebody should look at. */
import type { Status } from '../api/types'
import { fill, type Words } from '../words'
import { count } from './number'
import { duration } from './time'

const SLOW_MS = 5_000

/** Tell whether every message received is decoded, dead, a duplicate, left out on purpose, or still in flight. */
export function balances(status: Status): boolean {
  const { received, decoded, dead, duplicate, thinned, in_flight: inFlight } = status
  return inFlight >= 0 && received === decoded + dead + duplicate + thinned + inFlight
}

/** Return the account as a sentence. */
export function account(status: Status, words: Words['counts']): string {
  return fill(words.accounted, {
    received: count(status.received),
    decoded: count(status.decoded),
    dead: count(status.dead),
    duplicate: count(status.duplicate),
    thinned: count(status.thinned),
    inFlight: count(status.in_flight),
  })
}

/** Return what is wrong with the service itself, the gravest first; empty when all is well. */
export function warnings(status: Status, words: Words): string[] {
  const { counts, time } = words
  const all: [boolean, string][] = [
    [!status.broker_connected, counts.brokerDown],
    [!status.stores_ok, counts.storesDown],
    [status.disk_full, counts.diskFull],
    [status.disk_low && !status.disk_full, counts.diskLow],
    [!balances(status), counts.accountedBroken],
    [status.overloaded, counts.overloaded],
    [status.broker_dropped > 0, fill(counts.brokerDropped, { count: count(status.broker_dropped) })],
    [status.lag_ms > SLOW_MS, `${counts.lag} ${duration(status.lag_ms, time)}`],
  ]
  return all.filter(([holds]) => holds).map(([, text]) => text)
}
