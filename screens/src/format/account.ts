/* The account of messages: each one received is decoded, dead, a duplicate, or still in flight. */
import type { Status } from '../api/types'

/** Tell whether nothing is missing from the account. */
export function balances(status: Status): boolean {
  const { received, decoded, dead, duplicate, in_flight: inFlight } = status
  return inFlight >= 0 && received === decoded + dead + duplicate + inFlight
}
